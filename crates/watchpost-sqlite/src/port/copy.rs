//! Checks of a copy of the store, before it is used as a backup or in place of a store.

use crate::{
    base::{
        fault::{Fault, Res},
        master::{MasterKey, Sealer},
        open::{integrity, open_copy},
        open_error::OpenError,
    },
    table::{audit, integrations, workspaces},
    text,
};
use rusqlite::Connection;
use std::path::Path;
use watchpost_core::audit::{ChainVerdict, ChainVerifier};

/// Number of audit entries per read.
const PAGE: usize = 2_000;

/// Checks a copy of a store that no process uses: its schema, its master key, its structure, the audit trail of each
/// workspace, and whether every sealed credential can be opened. A write-ahead log beside the copy is merged into it; its
/// content doesn't change.
///
/// # Errors
/// [`OpenError`] with the first problem.
pub fn check_copy(path: &Path, master: &MasterKey) -> Result<(), OpenError> {
    let conn = open_copy(path, master)?;
    check(&conn, &Sealer::new(master)).map_err(|fault| OpenError::InvalidFile {
        path: path.to_path_buf(),
        reason: reason(fault),
    })
}

fn reason(fault: Fault) -> String {
    match fault {
        Fault::Damaged(_, problem) | Fault::Value(problem) | Fault::Unknown(problem) => problem,
        Fault::Sql(error) => error.to_string(),
        other => other.into_store("store").to_string(),
    }
}

/// Checks the structure, the audit trails and the sealed credentials.
pub(super) fn check(conn: &Connection, sealer: &Sealer) -> Res<()> {
    if let Some(problem) = integrity(conn)?.into_iter().next() {
        return Err(Fault::Damaged("store", problem));
    }
    for (number, id, name) in workspaces::numbered(conn)? {
        let mut verifier = ChainVerifier::new(id);
        let mut after = 0;
        let verdict = loop {
            let page = audit::page(conn, number, after, PAGE)?;
            if let Some(broken) = page.iter().find_map(|row| verifier.check(row).err()) {
                break broken;
            }
            match page.last() {
                Some(last) => after = last.seq,
                None => break verifier.finish(),
            }
        };
        if let ChainVerdict::Broken { seq, problem } = verdict {
            let problem = text::broken_chain(&name, seq, problem);
            return Err(Fault::Damaged("audit_entries", problem));
        }
    }
    integrations::check_sealed(conn, sealer)
}
