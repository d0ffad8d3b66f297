//! Reports and importers together: what we export, we read back.

#[path = "../../../watchpost-report/tests/it/company.rs"]
mod company;

use watchpost_connectors::import::read;
use watchpost_core::{
    check::{Check, CheckDocument, ScanType},
    import::{
        ImportBatchHeader, ImportCounts, ImportError, ImportLimits, ImportSink, ImportTool, ImportedRow,
    },
    report::{ReportData, ReportFormat, ReportKind, ReportRenderer},
};
use watchpost_report::Reports;

#[derive(Default)]
struct Kept {
    headers: Vec<ImportBatchHeader>,
    rows: Vec<ImportedRow>,
}

impl ImportSink for Kept {
    fn begin_batch(&mut self, _: usize, header: &ImportBatchHeader) -> Result<(), ImportError> {
        self.headers.push(header.clone());
        Ok(())
    }
    fn row(&mut self, _: usize, row: ImportedRow) -> Result<(), ImportError> {
        self.rows.push(row);
        Ok(())
    }
    fn settings(&mut self, _: usize, _: CheckDocument) -> Result<(), ImportError> {
        panic!("an export of findings brings no settings");
    }
    fn end_batch(&mut self, _: usize, _: &ImportCounts) -> Result<(), ImportError> {
        Ok(())
    }
}

fn there_and_back(data: &ReportData) -> Kept {
    let file = Reports.render(data, ReportFormat::Ocsf).expect("a report");
    let checks: Vec<Check> = data.checks.values().cloned().collect();
    let mut kept = Kept::default();
    read(file.bytes.as_slice(), &ImportLimits::FILE, &checks, &mut kept).expect("it is read");
    kept
}

#[test]
fn an_export_comes_back_with_the_same_verdicts() {
    for scan_type in ScanType::ALL {
        for data in [
            company::small(ReportKind::Evidence, *scan_type, false),
            company::whole(ReportKind::Executive, *scan_type, false),
        ] {
            let kept = there_and_back(&data);
            assert_eq!(kept.headers.len(), 1);
            assert_eq!(kept.headers[0].tool, ImportTool::Watchpost);
            assert_eq!(kept.headers[0].tenant_key, data.tenant);
            assert_eq!(kept.headers[0].ran_at, data.scan.completed_at);
            assert_eq!(kept.headers[0].tenant_name, data.scan.integration_name);
            assert_eq!(kept.rows.len(), data.results.len());
            for (row, detail) in kept.rows.iter().zip(&data.results) {
                let id = &detail.row.check_id;
                assert_eq!(&row.control, id);
                assert_eq!(row.check.as_ref(), Some(id));
                assert_eq!(
                    (row.result, row.skip),
                    (detail.row.result, detail.row.skip),
                    "{id}"
                );
                assert_eq!(
                    (row.severity, row.service),
                    (detail.row.severity, detail.row.service),
                    "{id}"
                );
                // Importers take tags out of what they read.
                if !detail.row.reason.untrusted().contains('<') {
                    assert_eq!(row.details, detail.row.reason, "{id}");
                }
                if let (Some(entity), Some(ours)) = (&row.entity, detail.entities.first()) {
                    assert_eq!((&entity.kind, &entity.id), (&ours.kind, &ours.id), "{id}");
                }
                assert!(row.exception.is_none(), "{id}");
            }
        }
    }
}

#[test]
fn framework_ids_of_compliance_findings_come_back() {
    let data = company::whole(ReportKind::Evidence, ScanType::Compliance, false);
    let kept = there_and_back(&data);
    for (row, detail) in kept.rows.iter().zip(&data.results) {
        assert_eq!(row.frameworks, detail.row.frameworks, "{}", detail.row.check_id);
    }
}

#[test]
fn a_row_with_a_thousand_things_is_not_too_long_to_come_back() {
    let mut data = company::small(ReportKind::Evidence, ScanType::Compliance, false);
    let first = data.results.first_mut().expect("a result");
    let one = first.entities.first().expect("a thing").clone();
    first.entities = vec![one; 1_000];
    assert_eq!(there_and_back(&data).rows.len(), data.results.len());
}
