//! Credentials in the file.

use crate::{conformance::options, upgrade::Exposed};
use rusqlite::Connection;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use watchpost_core::{
    integration::{
        ChangeIntegration, CredentialChange, IntegrationAction, OpenedTenant, SetCredential,
        connector::ConnectorConfig,
    },
    value::word::{IntegrationStatus, Platform},
};
use watchpost_sqlite::SqliteStore;
use watchpost_testkit::conformance::{World, run};

fn sealed(path: &Path) -> Vec<Vec<u8>> {
    let raw = Connection::open(path).unwrap();
    let mut statement = raw.prepare("SELECT sealed FROM integration_secrets").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Whether the database file contains these bytes, after everything in the log was moved into it.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let raw = Connection::open(path).unwrap();
    raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let file = std::fs::read(path).unwrap();
    file.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn replaced_and_removed_credentials_are_overwritten_in_the_file() {
    let harness = Exposed::default();
    run(async {
        let world = World::new(&harness).await;
        let tenant = world.tenant("one").await;
        let okta = world.integration(&tenant, Platform::Okta).await;
        let path = harness.path();
        let first = sealed(&path).pop().unwrap();
        assert!(holds(&path, &first));
        let command = SetCredential {
            id: okta,
            opened: OpenedTenant {
                key: "tenant".into(),
                label: "org.example".into(),
            },
            config: ConnectorConfig {
                values: BTreeMap::new(),
                secrets: BTreeMap::from([("token".into(), "another secret".into())]),
            },
            sync: world.job_id(),
            now: world.now(),
        };
        let write = world.write(&tenant.operator, command);
        let set = world.store.set_credential(write).await.unwrap().into_value();
        let replaced = CredentialChange::Replaced(Platform::Okta, IntegrationStatus::Pending);
        assert_eq!(set, replaced);
        let second = sealed(&path);
        assert_eq!(second.len(), 1);
        assert!(!holds(&path, &first) && holds(&path, &second[0]));

        let command = ChangeIntegration {
            id: okta,
            action: IntegrationAction::Remove,
            job: world.job_id(),
            now: world.now(),
        };
        let write = world.write(&tenant.operator, command);
        world.store.change_integration(write).await.unwrap().into_value();
        assert!(sealed(&path).is_empty());
        assert!(!holds(&path, &second[0]));
    });
}

#[test]
fn a_credential_that_was_moved_to_another_row_is_named() {
    let harness = Exposed::default();
    run(async {
        let world = World::new(&harness).await;
        let tenant = world.tenant("one").await;
        let okta = world.integration(&tenant, Platform::Okta).await;
        let m365 = world.integration(&tenant, Platform::M365).await;
        let path = harness.path();
        let options = options(path.clone(), Arc::clone(&world.clock), 1);
        let store = SqliteStore::open_unwritable(&options).unwrap();
        assert_eq!(
            store.unreadable_credentials().await.unwrap(),
            Vec::<String>::new()
        );
        let raw = Connection::open(&path).unwrap();
        // As an administrator's mistake, or somebody who can write the file, exchanges them.
        raw.execute_batch(
            "CREATE TEMP TABLE s AS SELECT integration, nonce, sealed FROM integration_secrets; \
             UPDATE integration_secrets SET (nonce, sealed) = \
             (SELECT nonce, sealed FROM s WHERE s.integration <> integration_secrets.integration)",
        )
        .unwrap();
        let found = store.unreadable_credentials().await.unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        for (problem, id) in found.iter().zip([okta, m365]) {
            assert!(
                problem.contains(&format!(
                    "`token` of the integration {id}: a credential can't be opened"
                )) && problem.contains(&format!("set-credential {id}")),
                "{problem}"
            );
        }
        let copy = path.with_file_name("copy.db");
        let refused = store.backup(&copy).await.unwrap_err();
        assert!(refused.is_of_credential() && !copy.exists(), "{refused:?}");
    });
}
