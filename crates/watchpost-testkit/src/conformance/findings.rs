//! Cases for findings: reconciliation, lists, search.

use super::{Harness, Tenant, World, app_fact, life::somebody, live, observation, with_statuses};
use watchpost_core::{
    app::{AppLookup, AppMatch},
    finding::{EntityFilter, FindingAction, FindingCommand, FindingQuery, Marks, SweepCounts, Total},
    integration::fact::Dataset,
    value::{
        id::{IdentityId, IntegrationId},
        word::{Category, CollectionState, FindingStatus, Platform, RunState, Severity},
    },
};

fn marks(id: IntegrationId, completions: u64) -> Marks {
    Marks::from([((id, Dataset::Users), completions)])
}

/// Follows a finding that is created, kept, changed, resolved by a person, and reopened.
pub async fn observations_create_keep_and_reopen_findings(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    world.sync(&tenant, okta, vec![(Dataset::Users, vec![])]).await;
    let (analysis, permit, _) = world.analysis(&tenant).await;
    let observe = async |hit| {
        world
            .store
            .observe_findings(&permit, analysis, vec![hit], world.now())
            .await
            .unwrap()
    };
    let hit = |n| observation("a.rule", somebody(1), Severity::High, marks(okta, n));
    assert_eq!(observe(hit(1)).await.new, 1);
    let first = world.all_findings(&tenant.operator, live()).await;
    let mut changed = hit(1);
    changed.severity = Severity::Low;
    changed.title = watchpost_core::value::text::ForeignText::sentence("another sentence");
    changed.evidence = r#"[{"seen":1}]"#.into();
    assert_eq!(observe(changed.clone()).await.kept, 1);
    let second = world.all_findings(&tenant.operator, live()).await;
    assert_eq!(
        (second.len(), second[0].id, second[0].severity),
        (1, first[0].id, Severity::Low)
    );
    let stored = world
        .store
        .finding(&tenant.operator, first[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.evidence, r#"[{"seen":1}]"#);
    assert_eq!(stored.summary.title.untrusted(), "another sentence");
    let command = FindingCommand {
        finding: first[0].id,
        action: FindingAction::Resolve,
        note: None,
        now: world.now(),
    };
    world
        .store
        .change_finding(world.write(&tenant.operator, command))
        .await
        .unwrap()
        .into_value();
    assert_eq!(observe(hit(1)).await.kept, 1, "the same data doesn't reopen it");
    assert!(world.all_findings(&tenant.operator, live()).await.is_empty());
    assert_eq!(observe(hit(2)).await.reopened, 1);
    let stored = world
        .store
        .finding(&tenant.operator, first[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (stored.reopen_count, stored.summary.status),
        (1, FindingStatus::Open)
    );
    super::counters::check_counts(&world, &tenant).await;
}

/// A finding is resolved when two analyses, each over newly completed datasets, don't report it. A source that can't be
/// read resolves nothing.
pub async fn a_finding_missing_from_two_newer_collections_is_resolved(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let read = |state: CollectionState| {
        let (world, tenant) = (&world, &tenant);
        async move {
            let syncing = world.begin(tenant, okta).await;
            syncing.finish_dataset(Dataset::Users, state).await;
            syncing.finish(RunState::Completed, None).await;
        }
    };
    read(CollectionState::Complete).await;
    let (analysis, permit, job) = world.analysis(&tenant).await;
    let hit = observation("a.rule", somebody(1), Severity::High, marks(okta, 1));
    let other = observation("b.rule", somebody(1), Severity::High, marks(okta, 1));
    world
        .store
        .observe_findings(&permit, analysis, vec![hit, other], world.now())
        .await
        .unwrap();
    world.end_job(&job).await;
    let sweep = |rules: &'static [&'static str]| {
        let (world, tenant) = (&world, &tenant);
        async move {
            let (analysis, permit, job) = world.analysis(tenant).await;
            let input = world.sweep_input(tenant, rules).await;
            let counts = world
                .store
                .sweep_findings(&permit, analysis, &input, world.now())
                .await
                .unwrap();
            world.end_job(&job).await;
            counts
        }
    };
    let counts = |resolved, missed, kept| SweepCounts {
        resolved,
        missed,
        kept,
    };
    read(CollectionState::Denied).await;
    assert_eq!(sweep(&["a.rule", "b.rule"]).await, counts(0, 0, 2));
    read(CollectionState::Complete).await;
    assert_eq!(sweep(&["a.rule", "b.rule"]).await, counts(0, 2, 0));
    read(CollectionState::Failed).await;
    assert_eq!(sweep(&["a.rule", "b.rule"]).await, counts(0, 0, 2));
    read(CollectionState::Complete).await;
    assert_eq!(
        sweep(&["a.rule"]).await,
        counts(2, 0, 0),
        "one was missed twice, the rule of the other is no longer active"
    );
    let resolved = world
        .all_findings(&tenant.operator, with_statuses(&[FindingStatus::Resolved]))
        .await;
    assert_eq!(resolved.len(), 2);
    let stored = world
        .store
        .finding(&tenant.operator, resolved[0].id)
        .await
        .unwrap()
        .unwrap();
    assert!(stored.auto_resolved);
    super::counters::check_counts(&world, &tenant).await;
}

/// Creates several hundred findings with varying values for every filter.
pub(super) async fn filled(world: &World) -> (Tenant, IntegrationId) {
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    world.sync(&tenant, m365, vec![(Dataset::Users, vec![])]).await;
    world.sync(&tenant, okta, vec![(Dataset::Users, vec![])]).await;
    let (analysis, permit, _) = world.analysis(&tenant).await;
    let at = world.now();
    for round in 0..4_u32 {
        let hits = (0..150_u32)
            .map(|i| {
                let n = round * 150 + i;
                let severity = Severity::ALL[world.random.below(5) as usize];
                let source = if n % 3 == 0 { m365 } else { okta };
                let rule = format!("rule.number_{}", n % 7);
                let mut id = [0; 16];
                id[..4].copy_from_slice(&n.to_be_bytes());
                let entity = watchpost_core::rule::document::EntityRef::Identity(IdentityId::from_bytes(id));
                let mut hit = observation(&rule, entity, severity, marks(source, 1));
                hit.category = Category::ALL[world.random.below(10) as usize];
                hit.scored = hit.category != Category::LicenseWaste && severity != Severity::Info;
                hit
            })
            .collect();
        // Many findings have the same time, so that ids decide their order.
        let now = at.plus_millis(i64::from(round % 2) * 1_000);
        world
            .store
            .observe_findings(&permit, analysis, hits, now)
            .await
            .unwrap();
    }
    (tenant, okta)
}

/// For every filter the pages together equal the filtered list of all findings.
pub async fn pages_have_no_gaps_and_no_repeats(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, _) = filled(&world).await;
    let all = world.all_findings(&tenant.writer, live()).await;
    assert_eq!(all.len(), 600);
    let newest = all.iter().map(|row| row.first_seen_at).max().unwrap();
    assert!(all.iter().any(|row| row.first_seen_at < newest));
    let severities = [
        vec![],
        vec![Severity::High],
        vec![Severity::Low, Severity::Critical],
    ];
    let categories = [
        vec![],
        vec![Category::LicenseWaste],
        vec![Category::AccessRisk, Category::ShadowIt, Category::LicenseWaste],
    ];
    for severities in &severities {
        for categories in &categories {
            for (rule, since, limit) in [
                (None, None, 7),
                (None, None, 100),
                (Some("rule.number_3"), None, 3),
                (None, Some(newest), 7),
                (None, Some(newest), 100),
                (Some("rule.number_3"), Some(newest), 3),
                (None, Some(newest.plus_millis(1)), 7),
            ] {
                let query = FindingQuery {
                    severities: severities.clone(),
                    categories: categories.clone(),
                    rule_id: rule.map(str::to_owned),
                    since,
                    limit,
                    ..live()
                };
                let page = world.store.list_findings(&tenant.writer, &query).await.unwrap();
                let found: Vec<_> = world
                    .all_findings(&tenant.writer, query)
                    .await
                    .into_iter()
                    .map(|row| row.id)
                    .collect();
                let expected: Vec<_> = all
                    .iter()
                    .filter(|row| since.is_none_or(|since| row.first_seen_at >= since))
                    .filter(|row| severities.is_empty() || severities.contains(&row.severity))
                    .filter(|row| categories.is_empty() || categories.contains(&row.category))
                    .filter(|row| rule.is_none_or(|rule| row.rule_id == rule))
                    .map(|row| row.id)
                    .collect();
                let what = format!("{severities:?} {categories:?} {rule:?} {since:?} {limit}");
                assert_eq!(found, expected, "{what}");
                assert_eq!(page.total.value, expected.len() as u64, "{what}");
                assert_eq!(page.next.is_some(), expected.len() > limit, "{what}");
            }
        }
    }
}

/// The total of a list equals the stored count.
pub async fn totals_equal_the_stored_counts(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let (tenant, _) = filled(&world).await;
    let counts = world.store.finding_counts(&tenant.writer).await.unwrap();
    for severity in Severity::ALL {
        let query = FindingQuery {
            severities: vec![*severity],
            ..live()
        };
        let page = world.store.list_findings(&tenant.writer, &query).await.unwrap();
        let kept = counts
            .iter()
            .filter(|row| row.severity == *severity)
            .map(|row| row.count)
            .sum();
        assert_eq!(
            page.total,
            Total {
                value: kept,
                is_minimum: false
            }
        );
    }
    let none = world
        .store
        .list_findings(&tenant.writer, &with_statuses(&[FindingStatus::Snoozed]))
        .await
        .unwrap();
    assert_eq!((none.total.value, none.findings.len(), none.next), (0, 0, None));
}

/// A search matches words and their beginnings in any case, and no part of its text is interpreted as syntax.
pub async fn search_text_is_never_interpreted_as_syntax(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    world.sync(&tenant, okta, vec![]).await;
    let (analysis, permit, _) = world.analysis(&tenant).await;
    let mut hit = observation("id.admin_no_mfa", somebody(1), Severity::High, Marks::new());
    hit.title = watchpost_core::value::text::ForeignText::sentence(
        "José Álvarez is an admin without a second factor",
    );
    hit.subject_name = watchpost_core::value::text::ForeignText::name("José Álvarez");
    hit.subject_email = Some("jose@birch.example".into());
    let other = observation("app.risky", somebody(2), Severity::Low, Marks::new());
    world
        .store
        .observe_findings(&permit, analysis, vec![hit.clone(), other], world.now())
        .await
        .unwrap();
    let search = |text: &str| {
        let query = FindingQuery {
            text: Some(text.to_owned()),
            ..live()
        };
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move {
            let page = store.list_findings(&scope, &query).await.unwrap();
            assert_eq!(page.total.value, page.findings.len() as u64);
            page.findings.len()
        }
    };
    for (text, expected) in [
        ("JOSE", 1),
        ("alva adm", 1),
        ("no_mfa", 1),
        ("jose@birch.example", 1),
        ("birch", 2),
        ("mara jose", 0),
        ("\" OR \"", 0),
        ("*", 0),
        ("words:jose", 0),
        ("jose NOT admin", 0),
        ("", 0),
        ("); DROP TABLE findings;--", 0),
    ] {
        assert_eq!(search(text).await, expected, "{text:?}");
    }
    hit.title = watchpost_core::value::text::ForeignText::sentence("something else");
    hit.subject_name = watchpost_core::value::text::ForeignText::name("Kim");
    world
        .store
        .observe_findings(&permit, analysis, vec![hit], world.now())
        .await
        .unwrap();
    assert_eq!(search("alvarez").await, 0, "the index is updated with the title");
    assert_eq!(search("kim").await, 1);
}

/// Filters by subject, by additional app, and by platform.
pub async fn findings_can_be_filtered_by_entity_and_platform(harness: &dyn Harness) {
    let world = World::new(harness).await;
    let tenant = world.tenant("one").await;
    let okta = world.integration(&tenant, Platform::Okta).await;
    let m365 = world.integration(&tenant, Platform::M365).await;
    world.sync(&tenant, m365, vec![]).await;
    world
        .sync(
            &tenant,
            okta,
            vec![(Dataset::Apps, vec![app_fact("a1", "Pixel")])],
        )
        .await;
    let lookup = AppLookup::Name("pixel".into());
    let AppMatch::One(app) = world.store.find_app(&tenant.writer, &lookup).await.unwrap() else {
        panic!("the app is not found");
    };
    let (analysis, permit, _) = world.analysis(&tenant).await;
    let mut with_app = observation("a.rule", somebody(1), Severity::High, marks(okta, 0));
    with_app.apps = vec![app.id, app.id];
    let hits = vec![
        with_app,
        observation("a.rule", somebody(2), Severity::High, marks(m365, 0)),
        observation(
            "app.rule",
            watchpost_core::rule::document::EntityRef::App(app.id),
            Severity::Low,
            marks(okta, 0),
        ),
        observation(
            "int.rule",
            watchpost_core::rule::document::EntityRef::Integration(m365),
            Severity::Low,
            Marks::new(),
        ),
    ];
    world
        .store
        .observe_findings(&permit, analysis, hits, world.now())
        .await
        .unwrap();
    let count = |entity, platforms: &[Platform]| {
        let query = FindingQuery {
            entity,
            platforms: platforms.to_vec(),
            ..live()
        };
        let (store, scope) = (world.store.clone(), tenant.writer.clone());
        async move {
            let page = store.list_findings(&scope, &query).await.unwrap();
            assert_eq!(page.total.value, page.findings.len() as u64);
            page.findings.len()
        }
    };
    let person = EntityFilter::Identity(IdentityId::from_bytes([1; 16]));
    assert_eq!(count(Some(person), &[]).await, 1);
    assert_eq!(count(Some(EntityFilter::App(app.id)), &[]).await, 2);
    assert_eq!(count(Some(EntityFilter::Integration(m365)), &[]).await, 1);
    assert_eq!(count(None, &[Platform::Okta]).await, 2);
    assert_eq!(count(None, &[Platform::M365]).await, 2);
    assert_eq!(count(None, &[Platform::M365, Platform::Okta]).await, 4);
    assert_eq!(count(None, &[Platform::Slack]).await, 0);
    assert_eq!(count(Some(person), &[Platform::M365]).await, 0);
    let page = world.store.list_findings(&tenant.writer, &live()).await.unwrap();
    let named: Vec<_> = page.findings.iter().flat_map(|row| &row.apps).collect();
    assert!(named.len() == 1 && named[0].name.untrusted() == "Pixel");
}
