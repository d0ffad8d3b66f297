//! Tests of reports and importers together: an exported report can be imported.

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
struct Imported {
    headers: Vec<ImportBatchHeader>,
    rows: Vec<ImportedRow>,
}

impl ImportSink for Imported {
    fn begin_batch(&mut self, _: usize, header: &ImportBatchHeader) -> Result<(), ImportError> {
        self.headers.push(header.clone());
        Ok(())
    }
    fn row(&mut self, _: usize, row: ImportedRow) -> Result<(), ImportError> {
        self.rows.push(row);
        Ok(())
    }
    fn settings(&mut self, _: usize, _: CheckDocument) -> Result<(), ImportError> {
        panic!("an export of findings has no settings");
    }
    fn end_batch(&mut self, _: usize, _: &ImportCounts) -> Result<(), ImportError> {
        Ok(())
    }
}

fn round_trip(data: &ReportData) -> Imported {
    let file = Reports.render(data, ReportFormat::Ocsf).expect("a report");
    let checks: Vec<Check> = data.checks.values().cloned().collect();
    let mut imported = Imported::default();
    read(file.bytes.as_slice(), &ImportLimits::FILE, &checks, &mut imported).expect("a valid file");
    imported
}

#[test]
fn an_imported_export_has_the_same_verdicts() {
    for scan_type in ScanType::ALL {
        for data in [
            company::small(ReportKind::Evidence, *scan_type, false),
            company::whole(ReportKind::Executive, *scan_type, false),
        ] {
            let imported = round_trip(&data);
            assert_eq!(imported.headers.len(), 1);
            assert_eq!(imported.headers[0].tool, ImportTool::Watchpost);
            assert_eq!(imported.headers[0].tenant_key, data.tenant);
            assert_eq!(imported.headers[0].ran_at, data.scan.completed_at);
            assert_eq!(imported.headers[0].tenant_name, data.scan.integration_name);
            assert_eq!(imported.rows.len(), data.results.len());
            for (row, detail) in imported.rows.iter().zip(&data.results) {
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
                // Importers remove tags from the text.
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
fn framework_ids_of_compliance_findings_are_imported() {
    let data = company::whole(ReportKind::Evidence, ScanType::Compliance, false);
    let imported = round_trip(&data);
    for (row, detail) in imported.rows.iter().zip(&data.results) {
        assert_eq!(row.frameworks, detail.row.frameworks, "{}", detail.row.check_id);
    }
}

#[test]
fn a_row_with_a_thousand_entities_can_be_imported() {
    let mut data = company::small(ReportKind::Evidence, ScanType::Compliance, false);
    let first = data.results.first_mut().expect("a result");
    let one = first.entities.first().expect("an entity").clone();
    first.entities = vec![one; 1_000];
    assert_eq!(round_trip(&data).rows.len(), data.results.len());
}
