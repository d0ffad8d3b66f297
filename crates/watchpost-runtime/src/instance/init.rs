//! Creation of a data folder, of further workspaces in it, and of a data folder from a backup.

use super::environment::Environment;
use crate::{
    data_dir::{DataDir, make_folder, write_private},
    text,
};
use anyhow::Context as _;
use std::path::Path;
use watchpost_core::{
    job::{InstanceStore as _, WorkspaceRow},
    value::id::WorkspaceId,
};
use watchpost_sqlite::SqliteStore;

/// The name of the first workspace, unless `init` gets another name.
pub const FIRST_WORKSPACE: &str = "default";
/// Maximum length of a workspace's name in characters.
const WORKSPACE_NAME_CHARS_MAX: usize = 100;

/// Result of [`init`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initialized {
    /// The folder and its first workspace were created.
    Created {
        /// The workspace's name.
        workspace: String,
    },
    /// A workspace was added to an existing folder.
    Added {
        /// The workspace's name.
        workspace: String,
    },
    /// The folder and the workspace already existed.
    Unchanged {
        /// The names of all workspaces in the folder.
        workspaces: Vec<String>,
    },
}

/// Creates the data folder with its first workspace. With `add`, adds a workspace to the folder. Changes nothing if the
/// workspace already exists.
///
/// # Errors
/// If the folder, the database or the name is invalid. Each message says what to do.
pub async fn init(
    dir: &DataDir,
    add: Option<&str>,
    environment: &Environment,
) -> anyhow::Result<Initialized> {
    let name = add.unwrap_or(FIRST_WORKSPACE);
    let plain = |c: char| !c.is_control();
    if name.trim() != name
        || name.is_empty()
        || name.chars().count() > WORKSPACE_NAME_CHARS_MAX
        || !name.chars().all(plain)
    {
        anyhow::bail!(text::invalid_workspace_name(WORKSPACE_NAME_CHARS_MAX));
    }
    let is_new = !dir.is_initialized();
    let master = dir.create(environment.random.as_ref())?;
    let store = SqliteStore::open(environment.store(dir, &master, true))?;
    let known: Vec<String> = store
        .workspaces()
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect();
    if known.iter().any(|known| known == name) || (add.is_none() && !known.is_empty()) {
        store.close();
        return Ok(Initialized::Unchanged { workspaces: known });
    }
    let row = WorkspaceRow {
        id: WorkspaceId::generate(environment.clock.as_ref(), environment.random.as_ref()),
        name: name.to_owned(),
        created_at: environment.clock.now(),
    };
    store
        .create_workspace(&row)
        .await
        .with_context(|| text::workspace_not_created(name))?;
    store.close();
    let workspace = row.name;
    Ok(if is_new {
        Initialized::Created { workspace }
    } else {
        Initialized::Added { workspace }
    })
}

/// Restores a backup into an empty data folder. With `master_key`, copies the backup's master key from there.
///
/// # Errors
/// If the folder already has a database or can't be created, or if the backup can't be read.
pub fn restore(dir: &DataDir, backup: &Path, master_key: Option<&Path>) -> anyhow::Result<()> {
    if dir.is_initialized() {
        anyhow::bail!(text::folder_in_use(dir.path()));
    }
    make_folder(dir.path())?;
    if let Some(from) = master_key {
        let key = std::fs::read(from).with_context(|| text::unreadable(from))?;
        write_private(dir.master_key_file(), &key)?;
    }
    watchpost_sqlite::restore(backup, &dir.database())?;
    // Reports a missing or invalid master key now rather than at the next command.
    dir.open()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_init_changes_nothing_and_reports_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::locate(Some(&folder.path().join("data")), &|_| None).unwrap();
        let environment = Environment::system();
        let first = init(&dir, None, &environment).await.unwrap();
        assert_eq!(
            first,
            Initialized::Created {
                workspace: "default".into()
            }
        );
        let unchanged = Initialized::Unchanged {
            workspaces: vec!["default".into()],
        };
        assert_eq!(init(&dir, None, &environment).await.unwrap(), unchanged);
        assert_eq!(
            init(&dir, Some("default"), &environment).await.unwrap(),
            unchanged
        );
        let added = init(&dir, Some("Second one"), &environment).await.unwrap();
        assert_eq!(
            added,
            Initialized::Added {
                workspace: "Second one".into()
            }
        );
        for wrong in ["", " x", "x\n"] {
            assert!(init(&dir, Some(wrong), &environment).await.is_err(), "{wrong:?}");
        }
    }
}
