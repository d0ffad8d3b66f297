//! The formats Markdown, JSON, CSV and OCSF.

use crate::company::{HOSTILE, limited, small, whole};
use serde_json::Value;
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, Service},
    report::{ReportData, ReportFormat, ReportKind, ReportRenderer},
    scan::ResultFilter,
};
use watchpost_report::Reports;

pub(crate) fn written(data: &ReportData, format: ReportFormat) -> String {
    String::from_utf8(Reports.render(data, format).expect("a report").bytes).expect("UTF-8")
}

fn compliance(kind: ReportKind) -> ReportData {
    small(kind, ScanType::Compliance, false)
}

fn events(data: &ReportData) -> Vec<Value> {
    written(data, ReportFormat::Ocsf)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

#[test]
fn executive_summary_in_markdown() {
    insta::assert_snapshot!(written(
        &compliance(ReportKind::Executive),
        ReportFormat::Markdown
    ));
}

#[test]
fn framework_report_in_markdown() {
    insta::assert_snapshot!(written(
        &compliance(ReportKind::Framework),
        ReportFormat::Markdown
    ));
}

#[test]
fn evidence_export_in_markdown() {
    insta::assert_snapshot!(written(&compliance(ReportKind::Evidence), ReportFormat::Markdown));
}

#[test]
fn difference_in_markdown() {
    let data = small(ReportKind::Framework, ScanType::Compliance, true);
    insta::assert_snapshot!(written(&data, ReportFormat::Markdown));
}

#[test]
fn exposure_summary_in_markdown() {
    let data = small(ReportKind::Executive, ScanType::Exposure, false);
    insta::assert_snapshot!(written(&data, ReportFormat::Markdown));
}

#[test]
fn evidence_export_in_json() {
    insta::assert_snapshot!(written(&compliance(ReportKind::Evidence), ReportFormat::Json));
}

#[test]
fn difference_in_json() {
    let data = small(ReportKind::Executive, ScanType::Compliance, true);
    insta::assert_snapshot!(written(&data, ReportFormat::Json));
}

#[test]
fn results_in_csv() {
    insta::assert_snapshot!(written(&compliance(ReportKind::Evidence), ReportFormat::Csv));
}

#[test]
fn changes_in_csv() {
    let data = small(ReportKind::Evidence, ScanType::Compliance, true);
    insta::assert_snapshot!(written(&data, ReportFormat::Csv));
}

#[test]
fn results_in_ocsf() {
    insta::assert_snapshot!(written(&compliance(ReportKind::Evidence), ReportFormat::Ocsf));
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    for kind in ReportKind::ALL {
        for format in ReportFormat::ALL {
            let one = written(&whole(*kind, ScanType::Compliance, false), *format);
            assert_eq!(one, written(&whole(*kind, ScanType::Compliance, false), *format));
        }
    }
}

#[test]
fn json_has_every_check_and_counts_skipped_ones_by_reason() {
    let data = whole(ReportKind::Framework, ScanType::Compliance, false);
    let json: Value = serde_json::from_str(&written(&data, ReportFormat::Json)).unwrap();
    assert_eq!(json["results"].as_array().unwrap().len(), data.results.len());
    assert_eq!(json["direction"], "higher_is_better");
    let reasons = json["counts"]["skipped_by_reason"].as_object().unwrap();
    let sum: u64 = reasons.values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(sum), json["counts"]["skipped"].as_u64());
    assert!(sum > 0);
    let controls = json["controls"].as_array().unwrap();
    assert_eq!(controls.len(), data.by_framework.len());
}

#[test]
fn no_cell_begins_with_a_formula() {
    for difference in [false, true] {
        let table = written(
            &small(ReportKind::Evidence, ScanType::Compliance, difference),
            ReportFormat::Csv,
        );
        let cells = cells(&table);
        assert!(cells.iter().any(|cell| cell.contains("=cmd")));
        for cell in cells {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

/// Parses the cells of a table, as in RFC 4180.
fn cells(table: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut cell, mut quoted, mut opened) = (String::new(), false, false);
    for c in table.chars() {
        match c {
            '"' => {
                // Two quotes in a row are an escaped quote: the second reopens the cell.
                if opened && !quoted {
                    cell.push('"');
                }
                quoted = !quoted;
                opened = true;
            }
            ',' | '\r' if !quoted => {
                out.push(std::mem::take(&mut cell));
                opened = false;
            }
            '\n' if !quoted => {}
            c => cell.push(c),
        }
    }
    out
}

#[test]
fn every_result_is_an_event_and_failed_exposure_checks_are_detections() {
    for scan_type in ScanType::ALL {
        let data = whole(ReportKind::Executive, *scan_type, false);
        let events = events(&data);
        assert_eq!(events.len(), data.results.len());
        for (event, detail) in events.iter().zip(&data.results) {
            let detection = *scan_type == ScanType::Exposure && detail.row.result == CheckResult::Failed;
            assert_eq!(event["class_uid"], if detection { 2004 } else { 2003 });
            assert_eq!(
                event["type_uid"].as_u64(),
                Some(event["class_uid"].as_u64().unwrap() * 100 + event["activity_id"].as_u64().unwrap())
            );
            assert_eq!(event["compliance"].is_object(), !detection);
            assert_eq!(event["category_uid"], 2);
            assert_eq!(event["metadata"]["version"], "1.8.0");
            assert!(
                event["time"].as_i64().unwrap() > 1_000_000_000_000,
                "milliseconds"
            );
        }
    }
}

#[test]
fn changes_are_create_update_and_close_events() {
    let events = events(&small(ReportKind::Evidence, ScanType::Compliance, true));
    let of = |check: &str| {
        events
            .iter()
            .find(|event| event["metadata"]["event_code"] == check)
            .unwrap_or_else(|| panic!("{check}"))
    };
    assert_eq!(of("entra.legacy_auth_blocked")["activity_name"], "Create");
    assert_eq!(of("spo.sharing_limited")["activity_name"], "Close");
    assert_eq!(of("spo.sharing_limited")["status"], "Resolved");
    assert_eq!(of("exo.no_auto_forward")["activity_name"], "Update");
    assert_eq!(
        of("exo.no_auto_forward")["unmapped"]["change"]["detected_before"],
        "partly"
    );
    assert_eq!(of("exo.no_auto_forward")["unmapped"]["detected"], true);
}

#[test]
fn foreign_text_is_escaped_in_markdown() {
    for kind in ReportKind::ALL {
        let text = written(&compliance(*kind), ReportFormat::Markdown);
        assert!(!text.contains(HOSTILE));
        assert!(text.contains("<img src"));
        for line in text.lines().filter(|line| !line.starts_with('"')) {
            let outside_code: String = line.split("``").step_by(2).collect();
            for (at, _) in outside_code
                .match_indices("<img")
                .chain(outside_code.match_indices("](https"))
            {
                assert!(outside_code[..at].ends_with('\\'), "{kind}: {line}");
            }
        }
    }
}

#[test]
fn a_comparison_is_limited_to_the_selection() {
    let written_as_json = |frameworks: &[Framework]| -> Value {
        let filter = ResultFilter {
            frameworks: frameworks.to_vec(),
            services: vec![Service::Exchange],
            ..ResultFilter::default()
        };
        let data = limited(ReportKind::Executive, ScanType::Compliance, false, filter);
        serde_json::from_str(&written(&data, ReportFormat::Json)).unwrap()
    };
    let json = written_as_json(&[]);
    let changes = json["comparison"]["changes"].as_array().unwrap();
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|change| change["service"] == "exchange"));
    assert_eq!(json["comparison"]["before"]["counts"]["failed"], 1);
    assert_eq!(json["comparison"]["compared_with"], "last_scan_of_another_day");
    // The counts of a framework within a service are computed for the two scans, but not stored for the trend.
    let both = written_as_json(&[Framework::Cis]);
    assert!(both["comparison"]["before"]["counts"].is_object());
    assert_eq!(both["trend"], serde_json::json!([]));
}

#[test]
fn every_format_of_a_limited_report_has_the_numbers_of_the_selection() {
    for difference in [false, true] {
        let filter = ResultFilter {
            services: vec![Service::Exchange],
            ..ResultFilter::default()
        };
        let whole = small(ReportKind::Evidence, ScanType::Compliance, difference);
        let data = limited(ReportKind::Evidence, ScanType::Compliance, difference, filter);
        let score = data.counts.score().unwrap().to_string();
        assert_ne!(score, whole.counts.score().unwrap().to_string());
        let comparison = data.comparison.as_ref().unwrap();
        let before = comparison.differences.score.0.unwrap().to_string();
        for format in [ReportFormat::Html, ReportFormat::Markdown] {
            let text = written(&data, format);
            assert!(
                text.contains(&score) && text.contains(&format!("then {before}")),
                "{format}"
            );
            assert!(text.contains("the last scan of another day"), "{format}");
        }
        let json: Value = serde_json::from_str(&written(&data, ReportFormat::Json)).unwrap();
        assert_eq!(json["score"].to_string(), score);
        assert_eq!(json["comparison"]["before"]["score"].to_string(), before);
        let csv = written(&data, ReportFormat::Csv);
        assert!(csv.lines().count() > 1 && csv.lines().skip(1).all(|line| line.contains("exchange")));
        for event in events(&data) {
            let check = event["metadata"]["event_code"].as_str();
            assert!(check.is_some_and(|check| check.starts_with("exo.")), "{event}");
        }
    }
}
