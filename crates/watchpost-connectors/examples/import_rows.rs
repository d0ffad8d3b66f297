//! Writes OCSF findings to a temporary file, imports it, and prints the time and the peak memory use.
//!
//! `cargo run --release -p watchpost-connectors --example import_rows -- [ROWS]` (200,000 by default)
#![expect(clippy::print_stdout, reason = "the output is the purpose")]

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Seek, Write},
    time::Instant,
};
use watchpost_connectors::import::read;
use watchpost_core::{
    check::CheckDocument,
    import::{ImportBatchHeader, ImportCounts, ImportError, ImportLimits, ImportSink, ImportedRow},
};

#[derive(Default)]
struct Counter {
    rows: u64,
    bytes: u64,
}

impl ImportSink for Counter {
    fn begin_batch(&mut self, _: usize, _: &ImportBatchHeader) -> Result<(), ImportError> {
        Ok(())
    }
    fn row(&mut self, _: usize, row: ImportedRow) -> Result<(), ImportError> {
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(row.details.untrusted().len() as u64);
        Ok(())
    }
    fn settings(&mut self, _: usize, _: CheckDocument) -> Result<(), ImportError> {
        Ok(())
    }
    fn end_batch(&mut self, _: usize, _: &ImportCounts) -> Result<(), ImportError> {
        Ok(())
    }
}

fn write_rows(file: &mut File, rows: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(b"[")?;
    let prose =
        "An invented sentence that stands for the risk or the remedy that a tool explains at length. ";
    for row in 0..rows {
        if row > 0 {
            out.write_all(b",\n")?;
        }
        let status = if row % 3 == 0 { "FAIL" } else { "PASS" };
        write!(
            out,
            r#"{{"message":"User number {row} of Birchworks: {status}","metadata":{{"event_code":"entra_users_mfa_capable","product":{{"name":"Prowler","uid":"prowler","vendor_name":"Prowler","version":"5.38.0"}},"profiles":["cloud","datetime"],"tenant_uid":"c0ffee00-1111-4222-8333-444444444444","version":"1.5.0"}},"severity_id":4,"severity":"High","status":"New","status_code":"{status}","status_detail":"User number {row} is <b>not</b> capable.","status_id":1,"unmapped":{{"related_url":"","categories":["e3"],"depends_on":[],"related_to":[],"additional_urls":[],"notes":"","compliance":{{"CIS-7.0":["5.2.3.4"],"Other-1":["a","b","c"]}},"provider_uid":"birchworks.onmicrosoft.com","provider":"m365"}},"activity_name":"Create","activity_id":1,"finding_info":{{"created_time":1772442000,"desc":"{prose}{prose}","title":"Users are MFA capable","uid":"prowler-m365-{row}","types":[]}},"resources":[{{"cloud_partition":"","region":"global","data":{{"details":"","metadata":{{"id":{row}}}}},"group":{{"name":"entra"}},"labels":[],"name":"User {row}","type":"NotDefined","uid":"5b1c0f0a-1111-4222-8333-{row:012}"}}],"category_name":"Findings","category_uid":2,"class_name":"Detection Finding","class_uid":2004,"cloud":{{"account":{{"name":"","type":"Other","type_id":99,"uid":"c0ffee00-1111-4222-8333-444444444444","labels":[]}},"org":{{"name":"","uid":""}},"provider":"m365","region":"global"}},"remediation":{{"desc":"{prose}","references":["https://docs.example"]}},"risk_details":"{prose}{prose}","time":1772442000,"time_dt":"2026-03-02T09:00:00.000000","type_uid":200401,"type_name":"Detection Finding: Create"}}"#
        )?;
    }
    out.write_all(b"]")?;
    out.flush()
}

/// Returns the peak memory use of the process, in MiB; `None` if the system doesn't report it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()?
        .checked_div(1024)
}

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(200_000), |text| text.parse())?;
    let mut file = tempfile::tempfile()?;
    write_rows(&mut file, rows)?;
    file.rewind()?;
    let megabytes = file.metadata()?.len() / 1_000_000;
    let mut counter = Counter::default();
    let began = Instant::now();
    let report = read(&file, &ImportLimits::FILE, &[], &mut counter)?;
    let took = began.elapsed();
    println!(
        "{} rows, {megabytes} MB: {:.1} s, peak {} MiB, sha256 {}",
        counter.rows,
        took.as_secs_f64(),
        peak_mib().map_or_else(|| "?".to_owned(), |mib| mib.to_string()),
        report.sha256
    );
    Ok(())
}
