//! The cost of evaluating all rules on 10,000 identities, on one thread and on all.

#[path = "../tests/it/documents.rs"]
#[expect(dead_code, reason = "the tests use the other functions")]
mod documents;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use watchpost_core::{
    rule::{RuleEngine, document::Document},
    value::{
        id::IdentityId,
        word::{Mfa, Platform},
    },
};
use watchpost_policy::{Pack, RegoRules, cases::NOW_MS};

/// Returns identities with two accounts and three grants each. One in twenty is an administrator, one in ten has a
/// finding.
fn people(count: u32) -> Vec<Document> {
    (0..count)
        .map(|number| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            let mut doc = documents::identity(0);
            doc.id = IdentityId::from_bytes(id);
            for account in &mut doc.accounts {
                if number % 20 != 0 {
                    account.roles.clear();
                }
                account.grants = vec![documents::grant(); 3];
                if number % 10 == 3 && account.integration.platform == Platform::M365 {
                    account.mfa = Mfa::Off;
                }
            }
            Document::Identity(Box::new(doc))
        })
        .collect()
}

fn identities(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let batches: Vec<Arc<Vec<Document>>> = {
        let mut all = people(10_000);
        let mut batches = Vec::new();
        while !all.is_empty() {
            let rest = all.split_off(all.len().min(500));
            batches.push(Arc::new(std::mem::replace(&mut all, rest)));
        }
        batches
    };
    let mut group = c.benchmark_group("identities");
    group.sample_size(10).throughput(Throughput::Elements(10_000));
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for threads in [1, all] {
        let engine = RegoRules::with_threads(Pack::builtin(), threads);
        group.bench_function(format!("10000_on_{threads}_threads"), |b| {
            b.iter(|| {
                let mut hits = 0;
                for batch in &batches {
                    let evaluation = runtime
                        .block_on(engine.evaluate(Arc::clone(batch), NOW_MS))
                        .expect("the engine runs");
                    assert!(
                        evaluation.failures.is_empty(),
                        "{:?}",
                        evaluation.failures.first()
                    );
                    hits += evaluation.hits.len();
                }
                hits
            });
        });
    }
    group.finish();
    c.bench_function("metadata_of_all_rules", |b| {
        b.iter(|| Pack::builtin().rules().len());
    });
}

criterion_group!(benches, identities);
criterion_main!(benches);
