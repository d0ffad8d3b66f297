//! Writes a sample report of every kind and format into a directory: `samples DIRECTORY`.

#[path = "../tests/it/company.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod company;

use std::{env, error::Error, fs, path::PathBuf};
use watchpost_core::{
    check::ScanType,
    report::{ReportFormat, ReportKind, ReportRenderer},
};
use watchpost_report::Reports;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args().nth(1).ok_or("usage: samples DIRECTORY")?);
    fs::create_dir_all(&directory)?;
    for scan_type in ScanType::ALL {
        for kind in ReportKind::ALL {
            for difference in [false, true] {
                let data = company::whole(*kind, *scan_type, difference);
                for format in ReportFormat::ALL {
                    let suffix = if difference { "-difference" } else { "" };
                    let name = format!("{scan_type}-{kind}{suffix}.{}", format.extension());
                    fs::write(directory.join(name), Reports.render(&data, *format)?.bytes)?;
                }
            }
        }
    }
    Ok(())
}
