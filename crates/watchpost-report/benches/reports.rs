//! The time to render a report on 200 checks, in every format.

#[path = "../tests/it/company.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod company;

use criterion::{Criterion, criterion_group, criterion_main};
use watchpost_core::{
    check::ScanType,
    report::{ReportFormat, ReportKind, ReportRenderer},
};
use watchpost_report::Reports;

fn evidence(c: &mut Criterion) {
    let data = company::whole(ReportKind::Evidence, ScanType::Compliance, false);
    let mut group = c.benchmark_group("evidence_of_200_checks");
    for format in ReportFormat::ALL {
        group.bench_function(format.as_str(), |b| {
            b.iter(|| Reports.render(&data, *format).expect("a report"));
        });
    }
    group.finish();
}

criterion_group!(benches, evidence);
criterion_main!(benches);
