//! Making a data folder: the first time, one workspace more, or from a backup.

use super::environment::Environment;
use crate::data_dir::{DataDir, make_folder, write_private};
use anyhow::Context as _;
use std::path::Path;
use watchpost_core::{
    job::{InstanceStore as _, WorkspaceRow},
    value::id::WorkspaceId,
};
use watchpost_sqlite::SqliteStore;

/// The workspace that `init` makes unless told another name.
pub const FIRST_WORKSPACE: &str = "default";
/// Longest name of a workspace, in characters.
const WORKSPACE_NAME_CHARS_MAX: usize = 100;

/// What `init` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initialized {
    /// The folder is new and has this workspace.
    Created {
        /// The workspace's name.
        workspace: String,
    },
    /// The folder was there; the workspace is new.
    Added {
        /// The workspace's name.
        workspace: String,
    },
    /// All was there already.
    Unchanged {
        /// The workspaces, by name.
        workspaces: Vec<String>,
    },
}

/// Makes the data folder with its first workspace, or, with `add`, one more workspace. Harmless when all is there.
///
/// # Errors
/// What is wrong with the folder, the file or the name; each says what to do.
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
        anyhow::bail!(
            "a workspace's name has 1 to {WORKSPACE_NAME_CHARS_MAX} characters without spaces around it"
        );
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
        .with_context(|| format!("the workspace `{name}` can't be made"))?;
    store.close();
    let workspace = row.name;
    Ok(if is_new {
        Initialized::Created { workspace }
    } else {
        Initialized::Added { workspace }
    })
}

/// Puts a backup into an empty data folder, and, if given, the master key that belongs to it.
///
/// # Errors
/// If the folder isn't empty or can't be made, or the backup can't be read.
pub fn restore(dir: &DataDir, backup: &Path, master_key: Option<&Path>) -> anyhow::Result<()> {
    if dir.is_initialized() {
        anyhow::bail!(
            "`{}` holds data already: name an empty folder",
            dir.path().display()
        );
    }
    make_folder(dir.path())?;
    if let Some(from) = master_key {
        let key = std::fs::read(from).with_context(|| format!("can't read `{}`", from.display()))?;
        write_private(dir.master_key_file(), &key)?;
    }
    watchpost_sqlite::restore(backup, &dir.database())?;
    // Says at once if key and database don't belong together.
    dir.open()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_init_changes_nothing_and_says_so() {
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
