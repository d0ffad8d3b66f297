//! Tests of the files of one run of ScubaGear, alone and together.

use crate::import::{
    bad_input::{utf16, zip},
    recorder::{Recorder, fixture, import},
};
use std::fs;
use watchpost_connectors::import::folder;
use watchpost_core::{
    check::{CheckResult, SkipReason},
    import::{ImportFormat, ImportLimits, ImportTool},
};

const TENANT: &str = "c0ffee00-1111-4222-8333-444444444444";

/// A report on another product, of the same run.
fn report(product: &str, control: &str) -> Vec<u8> {
    let text = String::from_utf8(fixture("aad_report.json")).unwrap();
    text.replace("MS.AAD.", &format!("MS.{product}."))
        .replace("1.1v1", control)
        .into_bytes()
}

/// The header's name, key and version, and the numbers of rows.
fn batches(got: &Recorder) -> Vec<(&str, &str, &str, u64)> {
    got.headers
        .iter()
        .zip(&got.ended)
        .map(|(header, (_, counts))| {
            (
                header.tenant_name.untrusted(),
                header.tenant_key.as_str(),
                header.tool_version.untrusted(),
                counts.rows_ok,
            )
        })
        .collect()
}

#[test]
fn the_report_on_one_product_is_read_alone() {
    let plain = fixture("aad_report.json");
    for bytes in [plain.clone(), utf16(&plain)] {
        let (report, got) = import(&bytes);
        report.unwrap();
        assert_eq!(batches(&got), [("Birchworks", "", "1.8.0", 3)]);
        let header = &got.headers[0];
        assert_eq!(
            (header.tool, header.format),
            (ImportTool::Scubagear, ImportFormat::ScubaResults)
        );
        assert_eq!(header.ran_at.unwrap().to_string(), "2026-05-04T17:15:48Z");
        assert_eq!(got.row("MS.AAD.1.1v1").result, CheckResult::Passed);
        assert_eq!(
            got.row("MS.AAD.1.1v1").title.untrusted(),
            "Old sign-ins SHALL be blocked."
        );
        assert_eq!(got.row("MS.AAD.3.2v1").check.as_deref(), Some("entra.mfa_all"));
        assert_eq!(got.row("MS.AAD.3.9v1").skip, Some(SkipReason::NotApplicable));
    }
}

#[test]
fn the_reports_of_a_run_are_one_batch_of_the_tenant_that_its_settings_name() {
    let names = [
        "AAD",
        "DEFENDER",
        "EXO",
        "POWERPLATFORM",
        "POWERBI",
        "SHAREPOINT",
        "TEAMS",
        "SECURITYSUITE",
    ];
    let reports: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| {
            (
                format!("IndividualReports/{name}Report.json"),
                utf16(&report(name, "1.1v1")),
            )
        })
        .collect();
    let (tests, settings) = (fixture("test_results.json"), fixture("provider_settings.json"));
    let mut files: Vec<(&str, &[u8])> = reports
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let (_, got) = import(&zip(&files));
    assert_eq!(batches(&got), [("Birchworks", "", "1.8.0", 24)]);
    files.insert(3, ("TestResults.json", &tests));
    files.insert(2, ("ProviderSettingsExport.json", &settings));
    let (answer, got) = import(&zip(&files));
    assert_eq!(
        batches(&got),
        [
            ("Birchworks", TENANT, "1.8.0", 0),
            ("Birchworks", TENANT, "1.8.0", 24)
        ]
    );
    assert_eq!(got.settings.len(), 1);
    let ignored: Vec<String> = answer
        .unwrap()
        .ignored
        .into_iter()
        .map(|(name, _)| name.untrusted().to_owned())
        .collect();
    assert_eq!(
        ignored,
        ["TestResults.json"],
        "the reports have the same verdicts"
    );
    // Without the reports, the raw tests belong to the tenant of the settings.
    let (_, got) = import(&zip(&[
        ("TestResults.json", &tests),
        ("ProviderSettingsExport.json", &settings),
    ]));
    assert_eq!(
        batches(&got),
        [
            ("Birchworks", TENANT, "1.8.0", 3),
            ("Birchworks", TENANT, "1.8.0", 0)
        ]
    );
    // A report on another tenant doesn't.
    let other = String::from_utf8(fixture("aad_report.json"))
        .unwrap()
        .replace("Birchworks", "Fernhill");
    let (_, got) = import(&zip(&[("a.json", other.as_bytes()), ("b.json", &settings)]));
    assert_eq!(batches(&got)[1], ("Fernhill", "", "1.8.0", 3));
}

#[test]
fn results_and_reports_of_one_run_are_counted_once() {
    let (results, aad) = (fixture("scuba_results.json"), fixture("aad_report.json"));
    let (report, got) = import(&zip(&[
        ("IndividualReports/AADReport.json", &aad),
        ("ScubaResults_1.json", &results),
        ("TestResults.json", &fixture("test_results.json")),
        ("ProviderSettingsExport.json", &fixture("provider_settings.json")),
    ]));
    assert_eq!((got.headers.len(), got.rows.len()), (1, 9));
    assert_eq!(report.unwrap().ignored.len(), 3);
}

#[test]
fn a_damaged_file_costs_no_other_file() {
    let (results, aad) = (fixture("scuba_results.json"), fixture("aad_report.json"));
    let cut = &results[..results.len() / 2];
    let (report, got) = import(&zip(&[("AADReport.json", &aad), ("ScubaResults_1.json", cut)]));
    let report = report.unwrap();
    assert_eq!(got.rows.len(), 3, "the report stands in for the results");
    assert!(report.batches[0].counts.partial);
    assert_eq!(report.ignored.len(), 1);
    assert!(
        report.ignored[0].1.contains("ends too early"),
        "{}",
        report.ignored[0].1
    );
    let (report, _) = import(&zip(&[("a.json", cut), ("b.html", b"<html>")]));
    assert!(report.unwrap_err().to_string().contains("ends too early"));
}

#[test]
fn a_folder_is_read_like_an_archive() {
    let folder_of = |files: &[(&str, &[u8])]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    };
    let (aad, settings) = (fixture("aad_report.json"), fixture("provider_settings.json"));
    let run = folder_of(&[
        ("IndividualReports/AADReport.json", &aad),
        ("ProviderSettingsExport.json", &settings),
        ("BaselineReports.html", b"<html>"),
    ]);
    let packed = folder(run.path(), &ImportLimits::FILE).unwrap().expect("files");
    assert_eq!(
        Some(&packed),
        folder(run.path(), &ImportLimits::FILE).unwrap().as_ref()
    );
    let (_, got) = import(&packed);
    assert_eq!(batches(&got)[1], ("Birchworks", TENANT, "1.8.0", 3));
    let small = ImportLimits {
        archive_bytes: 100,
        ..ImportLimits::FILE
    };
    assert!(folder(run.path(), &small).is_err());
    assert_eq!(
        folder(folder_of(&[("a.html", b"")]).path(), &small).unwrap(),
        None
    );
}
