//! Tests of files with damage between or in their rows: the good rows on both sides are kept.

use crate::import::{
    bad_input::gzip,
    recorder::{Recorder, fixture, import, import_within},
};
use watchpost_core::import::{ImportCounts, ImportError, ImportLimits};

fn finding(id: &str) -> String {
    format!(
        r#"{{"class_uid": 2004, "category_uid": 2, "status_code": "FAIL", "metadata": {{"event_code": "{id}"}}, "cloud": {{"account": {{"uid": "t1"}}}}}}"#
    )
}

fn test(id: &str) -> String {
    format!(r#"{{"PolicyId": "{id}", "RequirementMet": true, "Criticality": "Shall"}}"#)
}

fn controls(got: &Recorder) -> Vec<&str> {
    got.rows.iter().map(|(_, row)| row.control.as_str()).collect()
}

/// Imports a file with one batch.
fn counted(text: &str) -> (ImportCounts, Recorder) {
    let (report, got) = import(text.as_bytes());
    let report = report.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(report.batches.len(), 1, "{text}");
    (report.batches[0].counts.clone(), got)
}

#[test]
fn rows_on_both_sides_of_glue_are_imported_and_the_reason_names_it() {
    for make in [finding, test] {
        let (a, b, c) = (make("a"), make("b"), make("c"));
        let check = |text: String, index: u64, reason: &str| {
            let (counts, got) = counted(&text);
            assert_eq!(controls(&got), ["a", "b", "c"], "{text}");
            assert_eq!((counts.rows, counts.rows_skipped), (3, 0), "{text}");
            assert!(counts.partial, "{text}");
            let first = &counts.errors[0];
            assert_eq!(first.index, index, "{text}");
            assert!(first.reason.contains(reason), "{text}: {}", first.reason);
            assert!(
                !first.reason.contains("again"),
                "the tool would glue them again: {}",
                first.reason
            );
        };
        check(format!("[{a},{b}][{c}]"), 2, "glued");
        check(format!("[{a},\n{b}\n]\n[\n{c}\n]\n"), 2, "glued");
        check(format!("\u{feff}[{a}]\n\u{feff}[{b},{c}]"), 1, "glued");
        check(format!("[{a},{b}]{c}]"), 2, "glued");
        check(format!("[{a},{b}]\n{c}"), 2, "glued");
        check(format!("[{a}{b},{c}]"), 1, "glued");
        check(format!("{a}\n{b}\n[{c}]"), 2, "glued");
        check(format!("{a}{b}\n{c}"), 1, "glued");
        check(format!("[{a}],[{b},{c}]"), 1, "comma");
        check(format!("[{a},,{b},{c}]"), 1, "comma");
        check(format!("[,{a},{b},{c}]"), 0, "comma");
        check(format!("[{a},{b},{c},]"), 3, "comma");
        check(format!("{a},\n{b},\n{c}"), 1, "comma");
        check(format!("[{a},{b}}},{c}]"), 2, "other characters");
    }
}

#[test]
fn lists_in_a_list_and_objects_on_several_lines_are_whole() {
    for make in [finding, test] {
        let (a, b, c) = (make("a"), make("b"), make("c"));
        for text in [
            format!("[[{a}],[{b},{c}]]"),
            format!("[[],[{a},{b},{c}]]"),
            format!("{a}\n\n{b}\r\n{c}"),
            [&a, &b, &c].map(|row| row.replace(", ", ",\n  ")).join("\n"),
        ] {
            let (counts, got) = counted(&text);
            assert_eq!(controls(&got), ["a", "b", "c"], "{text}");
            assert_eq!((counts.partial, counts.errors.len()), (false, 0), "{text}");
        }
    }
}

#[test]
fn a_bad_row_costs_no_other_row() {
    let (a, b) = (finding("a"), finding("b"));
    let check = |bad: &str, limits: &ImportLimits, reason: &str| {
        for text in [format!("[{a},{bad},{b}]"), format!("[{bad},{a},{b}]")] {
            let (report, got) = import_within(text.as_bytes(), limits);
            let counts = &report.unwrap_or_else(|error| panic!("{text}: {error}")).batches[0].counts;
            assert_eq!(controls(&got), ["a", "b"], "{text}");
            assert_eq!((counts.rows, counts.rows_skipped), (3, 1), "{text}");
            let reasons: Vec<&str> = counts.errors.iter().map(|error| error.reason.as_str()).collect();
            assert!(reasons[0].contains(reason), "{text}: {reasons:?}");
        }
    };
    let file = ImportLimits::FILE;
    check("7", &file, "not an object");
    check(r#"{"error": "no access"}"#, &file, "");
    check(r#"{"class_uid": 2004, "category_uid": tru}"#, &file, "");
    let deep = format!(
        r#"{{"class_uid": 2004, "category_uid": 2, "x": {}{}}}"#,
        "[".repeat(99),
        "]".repeat(99)
    );
    check(&deep, &file, "nests");
    let small = ImportLimits {
        row_bytes: 300,
        ..file
    };
    let large = format!(
        r#"{{"class_uid": 2004, "category_uid": 2, "x": "{}"}}"#,
        "x".repeat(400)
    );
    check(&large, &small, "larger");
    // A tool that cuts a text in the middle of a character writes half of it.
    let half = finding("c").replace("\"FAIL\"", r#""FAIL", "status_detail": "cut \ud83e""#);
    let (counts, got) = counted(&format!("[{a},{half}]"));
    assert_eq!((controls(&got), counts.rows_skipped), (vec!["a", "c"], 0));
    assert_eq!(got.row("c").details.untrusted(), "cut \u{fffd}");
}

#[test]
fn a_cut_end_keeps_the_complete_rows_of_every_list_of_rows() {
    for make in [finding, test] {
        let text = format!("[{},{},{}]", make("a"), make("b"), make("c"));
        let third = text.rfind("}},{").or(text.rfind("},{")).expect("a third row");
        for cut in [third + 2, third + 10, text.len() - 10] {
            let (counts, got) = counted(&text[..cut]);
            assert!(controls(&got).starts_with(&["a", "b"]), "{cut}");
            assert!(counts.partial, "{cut}");
        }
    }
}

#[test]
fn documents_one_after_another_are_runs_of_their_own() {
    let one = String::from_utf8(fixture("maester.json")).unwrap();
    let two = one.replace("c0ffee00-1111", "c0ffee00-2222");
    let single = import(one.as_bytes()).0.unwrap().batches[0].counts.rows_ok;
    for text in [
        format!("{one}{two}"),
        format!("{one}\n{two}"),
        format!("[{one},{two}]"),
    ] {
        let (report, _) = import(text.as_bytes());
        let rows: Vec<u64> = report
            .unwrap()
            .batches
            .iter()
            .map(|batch| batch.counts.rows_ok)
            .collect();
        assert_eq!(rows, [single, single]);
    }
    // The first run is whole, although the second one was cut.
    let (report, _) = import(format!("{one}{}", &two[..two.len() / 2]).as_bytes());
    let batch = &report.unwrap().batches[0];
    assert_eq!((batch.counts.rows_ok, batch.counts.partial), (single, true));
    // What follows a document doesn't make it unreadable.
    let (report, _) = import(format!("{one} trailing").as_bytes());
    assert_eq!(report.unwrap().batches[0].counts.rows_ok, single);
}

#[test]
fn a_broken_tenant_costs_no_other_tenant() {
    let merged = String::from_utf8(fixture("maester_merged.json")).unwrap();
    let (_, whole) = import(merged.as_bytes());
    let broken = merged.replacen(
        "\"Tenants\": [",
        "\"Tenants\": [7, {\"Tests\": [], \"Tests\": []},",
        1,
    );
    assert_ne!(broken, merged, "the fixture has tenants");
    let (report, got) = import(broken.as_bytes());
    assert_eq!(got.rows.len(), whole.rows.len());
    let skipped: u64 = report
        .unwrap()
        .batches
        .iter()
        .map(|batch| batch.counts.rows_skipped)
        .sum();
    assert_eq!(skipped, 2);
}

#[test]
fn a_group_or_settings_that_cannot_be_read_cost_no_other_result() {
    let control =
        r#"{"Control ID": "MS.AAD.1.1v1", "Result": "Pass", "Criticality": "Shall", "Details": ""}"#;
    let document = |results: &str, raw: &str| {
        format!(
            r#"{{"MetaData": {{"Tool": "ScubaGear", "TenantId": "t1"}}, "Results": {{"AAD": {results}}}, "Raw": {raw}}}"#
        )
    };
    let good = format!(r#"{{"GroupName": "g", "Controls": [{control}]}}"#);
    let bad = r#"{"GroupName": "g"}, {"Controls": [], "Controls": []}, 7"#;
    let (counts, got) = counted(&document(&format!("[{good}, {bad}]"), "{}"));
    assert_eq!((counts.rows_ok, counts.rows_skipped, got.rows.len()), (1, 3, 1));
    let (counts, got) = counted(&document(&format!("[{good}]"), r#"{"remote_domains": [1e999]}"#));
    assert_eq!((counts.rows_ok, counts.partial, got.settings.len()), (1, true, 0));
    assert!(counts.errors[0].reason.contains("Raw"));
    let half = r#"{"remote_domains": [{"DomainName": "x\ud83e"}], "tenant_id": "t1"}"#;
    let (counts, got) = counted(&document(&format!("[{good}]"), half));
    assert_eq!((counts.partial, got.settings.len()), (false, 1));
}

#[test]
fn the_rows_in_front_of_the_missing_end_of_a_compressed_file_are_imported() {
    let rows: Vec<String> = (0..2_000).map(|at| finding(&format!("control{at}"))).collect();
    for text in [format!("[{}]", rows.join(",")), rows.join("\n")] {
        let packed = gzip(text.as_bytes());
        let (report, got) = import(&packed[..packed.len() / 2]);
        assert!(report.unwrap().batches[0].counts.partial);
        assert!(got.rows.len() > 200, "{}", got.rows.len());
        assert!(
            got.rows
                .iter()
                .enumerate()
                .all(|(at, (_, row))| row.control == format!("control{at}"))
        );
    }
}

/// The parsers of foreign bytes end with an answer whatever the bytes are.
#[test]
fn no_byte_and_no_cut_makes_a_reader_panic() {
    let mut texts: Vec<Vec<u8>> = vec![
        format!("[{},{}][{}]", finding("a"), finding("b"), finding("c")).into_bytes(),
        format!("{}\n{}\n", test("a"), test("b")).into_bytes(),
    ];
    for name in ["aad_report.json", "maester_merged.json", "scuba_results.json"] {
        let mut text = fixture(name);
        text.truncate(1_500);
        texts.push(text);
    }
    let small = ImportLimits {
        rows: 50,
        nesting: 12,
        row_bytes: 600,
        ..ImportLimits::FILE
    };
    for text in texts {
        for at in (0..text.len()).step_by(7) {
            for byte in [b'[', b']', b'{', b'}', b',', b'"', b'\\', b'\n', 0, 0xef, 0xff] {
                let mut changed = text.clone();
                changed[at] = byte;
                let _ = import_within(&changed, &small);
                changed.insert(at, byte);
                let _ = import_within(&changed, &small);
            }
            let (cut, rest) = text.split_at(at);
            for text in [cut.to_vec(), rest.to_vec(), [rest, cut].concat()] {
                if let (Err(ImportError::Sink(error)), _) = import_within(&text, &small) {
                    panic!("{error}");
                }
            }
        }
    }
}
