//! Measures the evaluation of settings: all checks on the export of one tenant, and many small cases.
//!
//! Reads the export in `$SHARED_DIR/data` (default `../shared`), and measures nothing if it doesn't exist. The export is
//! enlarged to the size of that of a medium-sized tenant.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use std::{env, fmt::Write as _, fs, path::PathBuf};
use watchpost_core::check::Profile;
use watchpost_runtime::offline::{CheckLine, Offline};

/// Size of the export in bytes.
const EXPORT_BYTES: usize = 1_700_000;
/// Number of cases in a batch.
const CASES: usize = 2_000;
/// Size of a case's input in bytes; the published cases have 1,200 on average.
const INPUT_BYTES: usize = 2_000;
/// 2026-01-01T00:00:00Z.
const NOW_MS: i64 = 1_767_225_600_000;

fn shared() -> PathBuf {
    env::var_os("SHARED_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    )
}

/// Repeats the rows of an export until it has [`EXPORT_BYTES`].
fn enlarged(mut export: Value) -> Vec<u8> {
    let first = export.clone();
    loop {
        let text = export.to_string();
        let (Value::Object(fields), Value::Object(once)) = (&mut export, &first) else {
            return text.into_bytes();
        };
        let mut missing = EXPORT_BYTES.saturating_sub(text.len());
        if missing == 0 {
            return text.into_bytes();
        }
        let mut grew = false;
        for (key, rows) in once {
            let (Value::Array(rows), Some(Value::Array(all))) = (rows, fields.get_mut(key)) else {
                continue;
            };
            for row in rows.iter().filter(|row| row.is_object()) {
                let bytes = row.to_string().len();
                if bytes <= missing {
                    missing -= bytes;
                    grew = true;
                    all.push(row.clone());
                }
            }
        }
        if !grew {
            return export.to_string().into_bytes();
        }
    }
}

/// Makes [`CASES`] cases that repeat all policies, each with some small parts of the export as its input.
fn batch(lines: &[CheckLine], export: &Value) -> String {
    let mut room = INPUT_BYTES;
    let mut input = Map::new();
    for (key, part) in export.as_object().into_iter().flatten() {
        let bytes = part.to_string().len();
        if bytes <= room {
            room -= bytes;
            input.insert(key.clone(), part.clone());
        }
    }
    let policies: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.scuba_ids.first().map(String::as_str))
        .collect();
    let mut text = String::new();
    for (number, policy) in policies.iter().cycle().take(CASES).enumerate() {
        let case = json!({"id": number, "policy_id": policy, "input": input});
        writeln!(text, "{case}").expect("a string can be written");
    }
    text
}

#[expect(clippy::print_stdout, reason = "reports why nothing is measured")]
fn offline(c: &mut Criterion) {
    let path = shared().join("data/scubagear/ProviderSettingsExport.older.json");
    let Ok(bytes) = fs::read(&path) else {
        println!("{} doesn't exist: nothing is measured", path.display());
        return;
    };
    let export: Value = serde_json::from_slice(&bytes).expect("an export");
    let offline = Offline::load(None).expect("the built-in checks load");
    let big = enlarged(export.clone());
    let judge = |bytes: &[u8]| {
        offline
            .evaluate_export(bytes, None, Profile::Default, NOW_MS)
            .expect("the export is evaluated")
    };
    // The first evaluation also compiles the checks.
    let lines = judge(&big);
    assert!(lines.len() > 150, "{} lines", lines.len());
    let mut group = c.benchmark_group("export");
    group
        .sample_size(20)
        .throughput(Throughput::Bytes(big.len().try_into().unwrap_or(u64::MAX)));
    group.bench_function("all_checks", |b| b.iter(|| judge(&big)));
    group.bench_function("parse_only", |b| {
        b.iter(|| serde_json::from_slice::<Value>(&big).expect("an export"));
    });
    group.finish();
    let cases = batch(&lines, &export);
    let mut group = c.benchmark_group("batch");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(CASES.try_into().unwrap_or(u64::MAX)));
    group.bench_function("cases", |b| {
        b.iter(|| {
            let mut out = Vec::new();
            offline
                .evaluate_cases(cases.as_bytes(), &mut out, Profile::Scuba, NOW_MS)
                .expect("the cases are evaluated");
            out.len()
        });
    });
    group.finish();
    c.bench_function("load_and_compile", |b| {
        b.iter(|| {
            Offline::load(None)
                .expect("the built-in checks load")
                .evaluate_export(b"{\"module_version\": \"1.8.0\"}", None, Profile::Scuba, NOW_MS)
                .expect("the export is evaluated")
        });
    });
}

criterion_group!(benches, offline);
criterion_main!(benches);
