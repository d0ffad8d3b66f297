//! Creation of a data folder, and of further workspaces in it.

use super::environment::Environment;
use crate::{
    data_dir::{AfterStep, DataDir, MasterKey, Step},
    text,
};
use anyhow::Context as _;
use watchpost_core::{
    job::{InstanceStore as _, WorkspaceRow},
    value::id::WorkspaceId,
};
use watchpost_sqlite::{SqliteStore, check_copy};

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
/// workspace already exists. A new folder is complete; after an error, or if the process is killed, it has no database.
///
/// # Errors
/// If the folder, the database or the name is invalid. Each message says what to do.
pub async fn init(
    dir: &DataDir,
    add: Option<&str>,
    environment: &Environment,
) -> anyhow::Result<Initialized> {
    init_in_steps(dir, add, environment, &|_| Ok(())).await
}

async fn init_in_steps(
    dir: &DataDir,
    add: Option<&str>,
    environment: &Environment,
    after: AfterStep<'_>,
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
    if dir.is_initialized() {
        let master = dir.open()?;
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
        create_workspace(store, name, environment).await?;
        let workspace = name.to_owned();
        return Ok(Initialized::Added { workspace });
    }
    let new = dir.build()?;
    let master = match dir.existing_master_key()? {
        Some(key) => key,
        None => MasterKey::generate(environment.random.as_ref()),
    };
    after(Step::Started)?;
    let staged = new.staged();
    let store = SqliteStore::open(environment.store(&staged, &master, true))?;
    create_workspace(store, name, environment).await?;
    after(Step::Written)?;
    // Also merges a write-ahead log that couldn't be merged when the store was closed.
    check_copy(&staged.database(), &master.for_store())?;
    after(Step::Checked)?;
    new.finish(&master, after)?;
    let workspace = name.to_owned();
    Ok(Initialized::Created { workspace })
}

/// Creates a workspace and closes the store.
async fn create_workspace(store: SqliteStore, name: &str, environment: &Environment) -> anyhow::Result<()> {
    let row = WorkspaceRow {
        id: WorkspaceId::generate(environment.clock.as_ref(), environment.random.as_ref()),
        name: name.to_owned(),
        created_at: environment.clock.now(),
    };
    let created = store.create_workspace(&row).await;
    store.close();
    created.with_context(|| text::workspace_not_created(name))
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

    #[tokio::test]
    async fn an_init_that_fails_at_any_step_leaves_nothing_that_keeps_the_next_one_from_its_work() {
        let environment = Environment::system();
        for exists in [false, true] {
            for failing in [Step::Started, Step::Written, Step::Checked, Step::KeyWritten] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("data");
                if exists {
                    std::fs::create_dir(&path).unwrap();
                }
                let dir = DataDir::locate(Some(&path), &|_| None).unwrap();
                let fail = |step| match step {
                    _ if step == failing => Err(std::io::ErrorKind::StorageFull.into()),
                    _ => Ok(()),
                };
                let failed = init_in_steps(&dir, None, &environment, &fail).await;
                assert!(failed.is_err(), "{failing:?}");
                assert!(!dir.is_initialized(), "{failing:?}");
                assert_eq!(path.exists(), exists, "{failing:?}");
                let left = std::fs::read_dir(folder.path()).unwrap().count();
                assert_eq!(left, usize::from(exists), "{failing:?}");
                let done = init(&dir, None, &environment).await.unwrap();
                assert!(matches!(done, Initialized::Created { .. }), "{done:?}");
                dir.open().unwrap();
            }
        }
    }
}
