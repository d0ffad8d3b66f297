//! A sink that keeps everything, and a small catalog of checks.

use std::path::PathBuf;
use watchpost_connectors::import::read;
use watchpost_core::{
    check::{Check, CheckDocument, CheckOver, FrameworkId, ScanType, Service},
    import::{
        ImportBatchHeader, ImportCounts, ImportError, ImportLimits, ImportReport, ImportSink, ImportedRow,
    },
    value::word::{Category, Platform, Severity},
};

/// A sink that records its calls.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) headers: Vec<ImportBatchHeader>,
    pub(crate) rows: Vec<(usize, ImportedRow)>,
    pub(crate) settings: Vec<(usize, CheckDocument)>,
    pub(crate) ended: Vec<(usize, ImportCounts)>,
}

impl Recorder {
    /// Returns the row of a control.
    pub(crate) fn row(&self, control: &str) -> &ImportedRow {
        let found = self.rows.iter().find(|(_, row)| row.control == control);
        &found.unwrap_or_else(|| panic!("no row {control}")).1
    }
}

impl ImportSink for Recorder {
    fn begin_batch(&mut self, batch: usize, header: &ImportBatchHeader) -> Result<(), ImportError> {
        assert_eq!(batch, self.headers.len());
        self.headers.push(header.clone());
        Ok(())
    }
    fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError> {
        assert!(batch < self.headers.len() && self.ended.is_empty());
        self.rows.push((batch, row));
        Ok(())
    }
    fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError> {
        self.settings.push((batch, document));
        Ok(())
    }
    fn end_batch(&mut self, batch: usize, counts: &ImportCounts) -> Result<(), ImportError> {
        assert_eq!(
            counts.rows,
            counts.rows_ok + counts.rows_skipped + counts.rows_not_run
        );
        self.ended.push((batch, counts.clone()));
        Ok(())
    }
}

/// Imports a file with the default limits.
pub(crate) fn import(bytes: &[u8]) -> (Result<ImportReport, ImportError>, Recorder) {
    import_within(bytes, &ImportLimits::FILE)
}

/// Imports a file with the given limits.
pub(crate) fn import_within(
    bytes: &[u8],
    limits: &ImportLimits,
) -> (Result<ImportReport, ImportError>, Recorder) {
    let mut recorder = Recorder::default();
    let report = read(bytes, limits, &catalog(), &mut recorder);
    (report, recorder)
}

/// Reads an invented file.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/import/fixtures")
        .join(name);
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns a few checks.
pub(crate) fn catalog() -> Vec<Check> {
    let check = |id: &str, service, severity, frameworks: &[&str]| Check {
        id: id.into(),
        condition: id.into(),
        title: "A title".into(),
        description: "A description.".into(),
        scan: Some(ScanType::Compliance),
        severity,
        category: Category::IdentitySecurity,
        service,
        platforms: vec![Platform::M365],
        over: CheckOver::Settings,
        inputs: Vec::new(),
        optional_inputs: Vec::new(),
        manual: false,
        variant_of: None,
        frameworks: frameworks.iter().map(|id| FrameworkId::new(id)).collect(),
        remediation: Vec::new(),
        references: Vec::new(),
    };
    vec![
        check(
            "entra.legacy_auth_blocked",
            Service::Entra,
            Severity::Critical,
            &["MS.AAD.1.1v1", "CIS.M365.5.2.2.3"],
        ),
        check(
            "entra.mfa_all",
            Service::Entra,
            Severity::Critical,
            &["MS.AAD.3.2v2"],
        ),
        check(
            "entra.authenticator_context",
            Service::Entra,
            Severity::High,
            &["MS.AAD.3.3v2"],
        ),
        check("entra.users_mfa_capable", Service::Entra, Severity::High, &[]),
        check(
            "exo.smtp_auth_off",
            Service::Exchange,
            Severity::Medium,
            &["MS.EXO.5.1v1"],
        ),
        check("def.zap_teams", Service::Defender, Severity::Medium, &[]),
    ]
}
