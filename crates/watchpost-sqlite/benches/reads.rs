//! Measures the hot queries and the audit log: `cargo bench -p watchpost-sqlite`. The environment variables `FINDINGS`
//! (default 10,000) and `IDENTITIES` (default 2,000) set the sizes.
//!
//! Each figure is the median of five rounds of many calls on one thread, so it is the time that a request waits.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its results and stops on an error"
)]

use std::{sync::Arc, time::Instant};
use watchpost_core::{
    audit::{AuditOutcome, AuditTarget},
    finding::{FindingQuery, Marks},
    integration::fact::{Dataset, Fact},
    rule::document::EntityRef,
    value::{
        id::IdentityId,
        word::{Platform, Severity},
    },
};
use watchpost_sqlite::{MasterKey, OpenOptions, SqliteStore};
use watchpost_testkit::{
    SeededRandom, SteppingClock,
    conformance::{AnyStore, Harness, Opened, World, account_fact, call, live, observation, role_fact},
};

struct BenchStore {
    directory: tempfile::TempDir,
    store: SqliteStore,
}

struct BenchHarness;

#[async_trait::async_trait]
impl Harness for BenchHarness {
    async fn open(&self, clock: Arc<SteppingClock>, random: Arc<SeededRandom>) -> Box<dyn Opened> {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(OpenOptions {
            path: directory.path().join("data").join("watchpost.db"),
            master: MasterKey::new([5; 32]),
            clock,
            random,
            create: true,
        })
        .unwrap();
        Box::new(BenchStore { directory, store })
    }
}

impl Opened for BenchStore {
    fn store(&self) -> Arc<dyn AnyStore> {
        Arc::new(self.store.clone())
    }
    fn open_again(&self) -> Arc<dyn AnyStore> {
        assert!(self.directory.path().exists());
        self.store()
    }
    fn break_audit(&self, _: bool) {}
}

fn size(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

async fn measure<F: Future<Output = ()>>(label: &str, calls: u32, mut one: impl FnMut(u64) -> F) {
    let mut rounds = Vec::new();
    let mut n = 0;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..calls {
            n += 1;
            one(n).await;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
    }
    rounds.sort_by(f64::total_cmp);
    println!("{label:<40} {:>8.1} µs", rounds[2]);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    let (findings, identities) = (size("FINDINGS", 10_000), size("IDENTITIES", 2_000));
    let world = World::new(&BenchHarness).await;
    let tenant = world.tenant("bench").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let start = Instant::now();
    let syncing = world.begin(&tenant, okta).await;
    for page in (0..identities).collect::<Vec<_>>().chunks(500) {
        let facts: Vec<Fact> = page
            .iter()
            .map(|i| account_fact(&format!("vendor-id-{i:020}"), &format!("user{i}@acme.example")))
            .collect();
        syncing.facts(Dataset::Users, facts).await;
        let roles = page.iter().filter(|i| **i % 10 == 0);
        let roles = roles
            .map(|i| role_fact(&format!("r{i}"), &format!("vendor-id-{i:020}")))
            .collect();
        syncing.facts(Dataset::Roles, roles).await;
    }
    syncing
        .finish_dataset(
            Dataset::Users,
            watchpost_core::value::word::CollectionState::Complete,
        )
        .await;
    syncing
        .finish(watchpost_core::value::word::RunState::Completed, None)
        .await;
    println!(
        "{identities} accounts stored in {:.1} s",
        start.elapsed().as_secs_f64()
    );

    let start = Instant::now();
    let (analysis, permit, job) = world.analysis(&tenant).await;
    let mut ids: Vec<IdentityId> = Vec::new();
    loop {
        let page = world
            .store
            .identity_documents(&tenant.operator, ids.last().copied(), 500)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        ids.extend(page.iter().map(|doc| doc.id));
    }
    println!(
        "{} documents read in {:.1} s",
        ids.len(),
        start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    for page in (0..findings).collect::<Vec<_>>().chunks(500) {
        let hits = page
            .iter()
            .map(|i| {
                let severity = match i % 50 {
                    0 => Severity::Critical,
                    1..=4 => Severity::High,
                    5..=19 => Severity::Medium,
                    20..=39 => Severity::Low,
                    _ => Severity::Info,
                };
                let entity = EntityRef::Identity(ids[(*i as usize) % ids.len()]);
                let rule = format!("id.rule_{}", i / ids.len() as u64);
                observation(
                    &rule,
                    entity,
                    severity,
                    Marks::from([((okta, Dataset::Users), 1)]),
                )
            })
            .collect();
        world
            .store
            .observe_findings(&permit, analysis, hits, world.now())
            .await
            .unwrap();
    }
    println!(
        "{findings} findings stored in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let input = world.sweep_input(&tenant, &[]).await;
    world
        .store
        .sweep_findings(&permit, analysis, &input, world.now())
        .await
        .unwrap();
    println!("swept in {:.1} s", start.elapsed().as_secs_f64());
    world.end_job(&job).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;

    let (store, scope) = (&world.store, &tenant.writer);
    measure("risk_facts", 5_000, |_| async {
        store.risk_facts(scope).await.unwrap();
    })
    .await;
    measure("freshness", 5_000, |_| async {
        store.freshness(scope).await.unwrap();
    })
    .await;
    measure("generation", 20_000, |_| async {
        store.generation(scope).await.unwrap();
    })
    .await;
    let high = FindingQuery {
        severities: vec![Severity::High],
        limit: 50,
        ..live()
    };
    measure("list_findings, high, 50 rows", 2_000, |_| async {
        assert_eq!(
            store.list_findings(scope, &high).await.unwrap().findings.len(),
            50
        );
    })
    .await;
    let all = FindingQuery { limit: 50, ..live() };
    measure("list_findings, all, 50 rows", 2_000, |_| async {
        store.list_findings(scope, &all).await.unwrap();
    })
    .await;
    measure("identity_by_email", 5_000, |n| async move {
        let email = format!("user{}@acme.example", n.wrapping_mul(7_919) % identities);
        store.identity_by_email(scope, &email).await.unwrap().unwrap();
    })
    .await;
    measure("identities_named, one person", 5_000, |n| async move {
        let name = format!("Name of vendor-id-{:020}", n.wrapping_mul(7_919) % identities);
        let found = store.identities_named(scope, &name, 100).await.unwrap();
        assert_eq!(found.ids.len(), 1);
    })
    .await;
    measure("identities_named, everybody", 500, |_| async move {
        let found = store.identities_named(scope, "name of", 100).await.unwrap();
        assert!(found.more);
    })
    .await;
    let entity = |n: u64| FindingQuery {
        entity: Some(watchpost_core::finding::EntityFilter::Identity(
            ids[(n as usize * 7_919) % ids.len()],
        )),
        ..live()
    };
    measure("list_findings of one identity", 5_000, |n| {
        let query = entity(n);
        async move {
            store.list_findings(scope, &query).await.unwrap();
        }
    })
    .await;
    for callers in [1_u32, 8, 32, 256] {
        append(&world, scope, callers).await;
    }
}

async fn append(world: &World, scope: &Arc<watchpost_core::access::WorkspaceScope>, callers: u32) {
    let each = 200_000 / callers.max(32) / if callers == 1 { 4 } else { 1 };
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (store, scope) = (Arc::clone(&world.store), Arc::clone(scope));
        tasks.push(tokio::spawn(async move {
            for _ in 0..each {
                let target = AuditTarget::default();
                let entry = scope.observe("tool.called", target, AuditOutcome::Ok, call());
                store.append(entry).await.unwrap().into_value();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "append, {callers} callers: {:.0} entries/s",
        f64::from(callers * each) / seconds
    );
}
