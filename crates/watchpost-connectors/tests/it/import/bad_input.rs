//! Tests of compressed, unusually encoded, damaged and malicious files.

use crate::import::recorder::{fixture, import, import_within};
use std::io::{Cursor, Write};
use watchpost_core::import::{ImportError, ImportLimits, ImportTool};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

pub(crate) fn utf16(bytes: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn error(bytes: &[u8]) -> ImportError {
    import(bytes).0.expect_err("rejected")
}

#[test]
fn compression_and_encoding_do_not_change_the_results() {
    let plain = fixture("prowler.ocsf.json");
    let (report, expected) = import(&plain);
    let report = report.unwrap();
    assert_eq!(report.bytes, plain.len() as u64);
    let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
    for (name, other) in [
        ("gzip", gzip(&plain)),
        ("two members", [gzip(&plain[..100]), gzip(&plain[100..])].concat()),
        ("zip", zip(&[("output/prowler.ocsf.json", &plain)])),
        ("mark", marked),
        ("UTF-16", utf16(&plain)),
        ("UTF-16 in gzip", gzip(&utf16(&plain))),
    ] {
        let (other_report, got) = import(&other);
        let other_report = other_report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(got.rows, expected.rows, "{name}");
        assert_eq!(other_report.bytes, other.len() as u64, "{name}");
        assert_ne!(other_report.sha256, report.sha256, "{name}");
    }
    assert_eq!(import(&plain).0.unwrap().sha256, report.sha256);
}

#[test]
fn files_of_an_archive_that_repeat_the_results_are_ignored() {
    let archive = zip(&[
        ("BaselineReports.html", b"<html></html>"),
        ("TestResults.json", &fixture("test_results.json")),
        ("ProviderSettingsExport.json", &fixture("provider_settings.json")),
        ("ScubaResults_1.json", &utf16(&fixture("scuba_results.json"))),
        ("maester.json", &fixture("maester.json")),
    ]);
    let (report, got) = import(&archive);
    let report = report.unwrap();
    let tools: Vec<ImportTool> = got.headers.iter().map(|header| header.tool).collect();
    assert_eq!(tools, [ImportTool::Scubagear, ImportTool::Maester]);
    let ignored: Vec<&str> = report.ignored.iter().map(|(name, _)| name.untrusted()).collect();
    assert_eq!(
        ignored,
        [
            "BaselineReports.html",
            "TestResults.json",
            "ProviderSettingsExport.json"
        ]
    );
    let nothing = error(&zip(&[("a.html", b"<html>"), ("b.txt", b"hello")]));
    assert!(matches!(nothing, ImportError::UnknownFormat { .. }), "{nothing}");
}

#[test]
fn the_report_on_one_product_is_read() {
    let report = br#"{"MetaData": {"TenantId": "t1"}, "Results": [{"GroupName": "g", "Controls": [
        {"Control ID": "MS.EXO.1.1v2", "Requirement": "r", "Result": "Pass", "Criticality": "Shall", "Details": "d"}]}]}"#;
    let (report, got) = import(&utf16(report));
    report.unwrap();
    assert_eq!((got.headers[0].tool, got.rows.len()), (ImportTool::Scubagear, 1));
}

#[test]
fn truncated_findings_are_imported_as_partial() {
    let whole = String::from_utf8(fixture("prowler.ocsf.json")).unwrap();
    let row_end = whole.rfind("},\n").unwrap() + 1;
    for (name, cut, ok, skipped) in [
        (
            "no bracket",
            whole.trim_end().trim_end_matches(']').to_owned(),
            5,
            1,
        ),
        ("a trailing comma", format!("{},", &whole[..row_end]), 4, 1),
        ("within a row", whole[..whole.len() - 100].to_owned(), 4, 2),
    ] {
        let (report, _) = import(cut.as_bytes());
        let batches = report.unwrap_or_else(|error| panic!("{name}: {error}")).batches;
        let rows: u64 = batches.iter().map(|batch| batch.counts.rows_ok).sum();
        let bad: u64 = batches.iter().map(|batch| batch.counts.rows_skipped).sum();
        assert_eq!((rows, bad), (ok, skipped), "{name}");
        assert!(batches[0].counts.partial, "{name}");
    }
    let lines = fixture("compliance.ocsf.jsonl");
    let (report, got) = import(&lines[..lines.len() - 30]);
    let counts = &report.unwrap().batches[0].counts;
    assert_eq!(
        (counts.rows_ok, counts.rows_skipped, counts.partial),
        (4, 1, true)
    );
    assert_eq!(counts.errors[0].index, 4);
    assert!(
        counts.errors[0].reason.contains("byte"),
        "{}",
        counts.errors[0].reason
    );
    assert_eq!(got.rows.len(), 4);
}

#[test]
fn other_truncated_files_are_rejected() {
    for name in [
        "scuba_results.json",
        "provider_settings.json",
        "maester.json",
        "maester_merged.json",
    ] {
        let whole = fixture(name);
        let end = whole.trim_ascii_end().len();
        for cut in [end - 1, end / 2, 40] {
            let error = error(&whole[..cut]);
            let ImportError::Truncated { byte, .. } = error else {
                panic!("{name} at {cut}: {error}");
            };
            assert!(byte <= cut as u64, "{name}: {byte}");
        }
    }
    let cut = gzip(&fixture("maester.json"));
    let cut_error = error(&cut[..cut.len() - 20]);
    assert!(matches!(cut_error, ImportError::Truncated { .. }), "{cut_error}");
    let mut damaged = gzip(&fixture("maester.json"));
    damaged[12] ^= 0xff;
    let error = error(&damaged);
    assert!(
        matches!(error, ImportError::DamagedArchive { kind: "gzip" }),
        "{error}"
    );
}

#[test]
fn a_malformed_row_does_not_affect_the_others() {
    let row = r#"{"class_uid": 2004, "category_uid": 2, "metadata": {"event_code": "a"}}"#;
    let text = format!(
        r#"[7, {row}, {{"class_uid": 2004, "category_uid": 2, "metadata": {{}}}}, {{"class_uid": 2004, "class_uid": 2004, "category_uid": 2}}, {{"class_uid": tru}}, null, {row}]"#
    );
    let (report, _) = import(text.as_bytes());
    let counts = &report.unwrap().batches[0].counts;
    assert_eq!((counts.rows_ok, counts.rows_skipped), (2, 5));
    let errors: Vec<(u64, &str)> = counts
        .errors
        .iter()
        .map(|error| (error.index, error.reason.as_str()))
        .collect();
    assert_eq!(
        errors,
        [
            (0, "it is not an object"),
            (2, "it does not name its control"),
            (3, "it has the same field twice"),
            (4, "it is not valid JSON at its byte 18"),
            (5, "it is not an object"),
        ]
    );
    let lines = format!("{row}\nnonsense\n\n{row}\n{{\"class_uid\": \"\n{row}");
    let (report, _) = import(lines.as_bytes());
    let counts = &report.unwrap().batches[0].counts;
    assert_eq!(
        (counts.rows_ok, counts.rows_skipped, counts.partial),
        (3, 2, false)
    );
}

#[test]
fn other_files_are_rejected_with_a_description_of_their_content() {
    let check = |bytes: &[u8], part: &str| {
        let text = error(bytes).to_string();
        assert!(text.contains(part), "{text}");
    };
    check(b"", "no results");
    check(b" \n ", "no results");
    check(b"[]", "no results");
    check(b"[1, 2]", "a list without objects");
    check(br#"{"alpha": 1, "beta": {}}"#, "the keys `alpha`, `beta`");
    check(br#"[{"gamma": 1}]"#, "whose first object has the keys `gamma`");
    check(b"<html></html>", "HTML");
    check(b"Control ID;Result", "neither a JSON list nor a JSON object");
    check(b"\x89PNG\r\n", "not text");
    check(br#"{"version": "2.1.0", "runs": []}"#, "SARIF is not supported");
    check(br#"{"a": 1} {"b": 2}"#, "byte 8");
    check(br#"{"a": 1, "a": 2}"#, "key `a` twice");
    check(
        br#"{"Tests": [], "TenantId": "t", "Tests": []}"#,
        "key `Tests` twice",
    );
    check(b"{\"a\": \"\xff\"}", "neither UTF-8 nor UTF-16");
    check(b"PK\x03\x04nothing", "zip file is damaged");
    check(
        br#"[{"PolicyId": "MS.AAD.1.1v1", "RequirementMet": 7}]"#,
        "none of 1 rows",
    );
    check(br#"[{"class_uid": 1, "category_uid": 2} {}]"#, "none of 2 rows");
}

#[test]
fn sizes_are_bounded() {
    let row = r#"{"class_uid": 2004, "category_uid": 2, "metadata": {"event_code": "a"}}"#;
    let three = format!("[{row},{row},{row}]");
    let small = |change: fn(&mut ImportLimits)| {
        let mut limits = ImportLimits::FILE;
        change(&mut limits);
        limits
    };
    let rejected =
        |bytes: &[u8], limits: &ImportLimits| import_within(bytes, limits).0.expect_err("rejected");
    let error = rejected(three.as_bytes(), &small(|limits| limits.rows = 2));
    assert!(matches!(error, ImportError::TooManyRows { limit: 2 }), "{error}");
    let error = rejected(three.as_bytes(), &small(|limits| limits.bytes = 100));
    assert!(matches!(error, ImportError::TooLarge { limit: 100 }), "{error}");
    let error = rejected(three.as_bytes(), &small(|limits| limits.row_bytes = 20));
    assert!(
        matches!(error, ImportError::RowTooLarge { row: 0, limit: 20 }),
        "{error}"
    );
    let error = rejected(
        &fixture("maester.json"),
        &small(|limits| limits.document_bytes = 100),
    );
    assert!(matches!(error, ImportError::TooLarge { limit: 100 }), "{error}");
    let error = rejected(&fixture("prowler.ocsf.json"), &small(|limits| limits.batches = 1));
    assert!(
        matches!(error, ImportError::TooManyTenants { limit: 1 }),
        "{error}"
    );
    let archive = zip(&[("a.json", three.as_bytes()), ("b.json", three.as_bytes())]);
    let error = rejected(&archive, &small(|limits| limits.archive_entries = 1));
    assert!(
        matches!(error, ImportError::TooManyEntries { limit: 1 }),
        "{error}"
    );
    let error = rejected(&archive, &small(|limits| limits.archive_bytes = 50));
    assert!(matches!(error, ImportError::TooLarge { limit: 50 }), "{error}");
}

#[test]
fn nesting_is_bounded_in_every_format() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for text in [
        format!(r#"[{{"class_uid": 2004, "category_uid": 2, "x": {}}}]"#, deep(63)),
        format!(r#"{{"class_uid": 2004, "category_uid": 2, "x": {}}}"#, deep(64)),
        format!(r#"{{"Tests": {}, "TenantId": "t"}}"#, deep(64)),
        "[".repeat(1_000_000),
    ] {
        let error = error(text.as_bytes());
        assert!(matches!(error, ImportError::TooDeep { limit: 64, .. }), "{error}");
    }
    let allowed = format!(
        r#"[{{"class_uid": 2004, "category_uid": 2, "metadata": {{"event_code": "a"}}, "x": {}}}]"#,
        deep(62)
    );
    assert!(import(allowed.as_bytes()).0.is_ok());
}

#[test]
fn decompression_bombs_are_rejected() {
    let zeroes = vec![b' '; 8 << 20];
    let error_of = |bytes: &[u8]| error(bytes);
    let error = error_of(&gzip(&zeroes));
    assert!(matches!(error, ImportError::Bomb), "{error}");
    let error = error_of(&zip(&[("a.json", &zeroes)]));
    assert!(matches!(error, ImportError::Bomb), "{error}");
}

#[test]
fn single_elements_and_nulls_are_read_as_powershell_writes_them() {
    let one = br#"{"PolicyId": "MS.AAD.1.1v1", "Criticality": "Shall", "ReportDetails": null, "RequirementMet": true}"#;
    let (report, got) = import(one);
    report.unwrap();
    assert_eq!(got.rows.len(), 1);
    let nulls = br#"{"MetaData": {"Tool": "ScubaGear", "TenantId": null, "ToolVersion": 2}, "Results": {"AAD": null, "EXO": [null, {"Controls": ""}],
        "TEAMS": {"Controls": {"Control ID": "MS.TEAMS.1.1v1", "Result": "Fail", "Criticality": null, "Comments": "System.Object[]"}}}, "Raw": null}"#;
    let (report, got) = import(nulls);
    report.unwrap();
    assert_eq!((got.rows.len(), got.settings.len()), (1, 0));
    assert!(got.rows[0].1.exception.is_none());
    assert_eq!(got.headers[0].tenant_key, "");
}
