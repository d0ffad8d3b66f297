//! Joins accounts to identities, merges identities, and counts the identities that have an account.

use super::{
    table::{ACCOUNTS, FactContext, Written},
    values::{account_values, blob},
};
use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        writer::Tx,
    },
    table::findings,
};
use rusqlite::{OptionalExtension as _, params};
use watchpost_core::{
    identity::{BreakGlassTag, Join, NameKey, join, join_addresses, merge_tags, naming_rank},
    integration::fact::AccountFacts,
    value::{
        id::{AccountId, IdentityId},
        time::Timestamp,
    },
};

/// Stores an account and joins it to its identity. Returns whether anything changed.
pub(super) fn store_account(
    tx: &Tx<'_>,
    context: FactContext,
    facts: &AccountFacts,
    now: Timestamp,
) -> Res<bool> {
    let mut fresh = None;
    let addresses = || join_addresses(facts.email.as_deref(), &facts.aliases, facts.login.untrusted());
    let written = ACCOUNTS.write(tx, context, &facts.vendor_id, account_values(facts), || {
        let addresses = addresses();
        let identity = resolve_identity(tx, context.workspace, None, &addresses, facts, now)?;
        fresh = Some(identity);
        let id = AccountId::generate(tx.clock, tx.random);
        Ok(vec![blob(id.as_bytes()), blob(identity.as_bytes())])
    })?;
    match written {
        Written::Same => return Ok(false),
        Written::New => {
            if let Some(identity) = fresh {
                increment_accounts(tx, context.workspace, identity)?;
                update_profile(tx, context.workspace, identity)?;
            }
        }
        Written::Changed { rowid, was_retired } => {
            let current = identity_of(tx, rowid)?;
            let identity = resolve_identity(tx, context.workspace, Some(current), &addresses(), facts, now)?;
            if identity != current {
                // If `current` was absorbed by a merge, the row has been moved already.
                tx.conn
                    .prepare_cached("UPDATE accounts SET identity_id = ?2 WHERE rowid = ?1")?
                    .execute(params![rowid, identity.as_bytes()])?;
            }
            if was_retired {
                increment_accounts(tx, context.workspace, identity)?;
            }
            update_profile(tx, context.workspace, identity)?;
        }
    }
    Ok(true)
}

fn identity_of(tx: &Tx<'_>, rowid: i64) -> Res<IdentityId> {
    let mut statement = tx
        .conn
        .prepare_cached("SELECT identity_id FROM accounts WHERE rowid = ?1")?;
    let mut rows = statement.query([rowid])?;
    match rows.next()? {
        Some(row) => row.id(0, IdentityId::from_bytes),
        None => Err(rusqlite::Error::QueryReturnedNoRows.into()),
    }
}

/// Finds, creates or merges the identity of an account with these addresses, and stores the addresses for it.
fn resolve_identity(
    tx: &Tx<'_>,
    workspace: i64,
    current: Option<IdentityId>,
    addresses: &[String],
    facts: &AccountFacts,
    now: Timestamp,
) -> Res<IdentityId> {
    let mut known = Vec::with_capacity(addresses.len());
    for address in addresses {
        let found: Option<[u8; 16]> = tx
            .conn
            .prepare_cached(
                "SELECT identity_id FROM identity_addresses WHERE workspace_id = ?1 AND address = ?2",
            )?
            .query_row(params![workspace, address], |row| row.get(0))
            .optional()?;
        known.push(found.map(IdentityId::from_bytes));
    }
    let by_address: Vec<IdentityId> = known.iter().flatten().copied().collect();
    let identity = match join(current, &by_address) {
        Join::New => {
            let id = IdentityId::generate(tx.clock, tx.random);
            let key = NameKey::of(facts.display_name.untrusted());
            tx.conn
                .prepare_cached(
                    "INSERT INTO identities (workspace_id, id, email, display_name, kind, name_key, name_words) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    workspace,
                    id.as_bytes(),
                    addresses.first(),
                    facts.display_name.untrusted(),
                    facts.kind.position(),
                    key.whole,
                    key.words
                ])?;
            id
        }
        Join::Existing(id) => id,
        Join::Merge { keep, absorb } => {
            for other in absorb {
                merge(tx, workspace, keep, other, now)?;
            }
            keep
        }
    };
    for (address, known) in addresses.iter().zip(known) {
        if known.is_none() {
            tx.conn
                .prepare_cached(
                    "INSERT INTO identity_addresses (workspace_id, address, identity_id) VALUES (?1, ?2, ?3) \
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![workspace, address, identity.as_bytes()])?;
        }
    }
    Ok(identity)
}

/// Merges two identities: accounts, addresses, tag and findings of `gone` move to `keep`.
fn merge(tx: &Tx<'_>, workspace: i64, keep: IdentityId, gone: IdentityId, now: Timestamp) -> Res<()> {
    let both = params![workspace, gone.as_bytes(), keep.as_bytes()];
    tx.conn
        .prepare_cached("UPDATE accounts SET identity_id = ?3 WHERE workspace_id = ?1 AND identity_id = ?2")?
        .execute(both)?;
    tx.conn
        .prepare_cached(
            "UPDATE identity_addresses SET identity_id = ?3 WHERE workspace_id = ?1 AND identity_id = ?2",
        )?
        .execute(both)?;
    let (accounts, tag) = tag_of(tx, workspace, gone)?;
    let (kept, kept_tag) = tag_of(tx, workspace, keep)?;
    let tag = merge_tags(kept_tag, tag);
    tx.conn.execute(
        "UPDATE identities SET accounts = accounts + ?3, break_glass = ?4, tagged_at = ?5 \
         WHERE workspace_id = ?1 AND id = ?2",
        params![
            workspace,
            keep.as_bytes(),
            accounts,
            tag.tagged,
            tag.at.map(Timestamp::as_millis)
        ],
    )?;
    let before = i64::from(accounts > 0) + i64::from(kept > 0);
    count_identities(tx, workspace, i64::from(accounts + kept > 0) - before)?;
    findings::move_subject(tx, workspace, gone, keep, now)?;
    tx.conn
        .prepare_cached("DELETE FROM identities WHERE workspace_id = ?1 AND id = ?2")?
        .execute(params![workspace, gone.as_bytes()])?;
    update_profile(tx, workspace, keep)
}

/// Returns the number of accounts of an identity that aren't retired, and its break-glass tag.
fn tag_of(tx: &Tx<'_>, workspace: i64, id: IdentityId) -> Res<(i64, BreakGlassTag)> {
    let (accounts, tagged, at): (i64, bool, Option<i64>) = tx
        .conn
        .prepare_cached(
            "SELECT accounts, break_glass, tagged_at FROM identities WHERE workspace_id = ?1 AND id = ?2",
        )?
        .query_row(params![workspace, id.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let at = at.map(Timestamp::from_millis);
    Ok((accounts, BreakGlassTag { tagged, at }))
}

fn count_identities(tx: &Tx<'_>, workspace: i64, change: i64) -> Res<()> {
    if change != 0 {
        tx.conn
            .prepare_cached("UPDATE workspaces SET identities = identities + ?2 WHERE workspace_id = ?1")?
            .execute([workspace, change])?;
    }
    Ok(())
}

/// Increments the count of the identity's accounts that aren't retired.
fn increment_accounts(tx: &Tx<'_>, workspace: i64, identity: IdentityId) -> Res<()> {
    let now: i64 = tx
        .conn
        .prepare_cached(
            "UPDATE identities SET accounts = accounts + 1 WHERE workspace_id = ?1 AND id = ?2 RETURNING accounts",
        )?
        .query_row(params![workspace, identity.as_bytes()], |row| row.get(0))?;
    count_identities(tx, workspace, i64::from(now == 1))
}

/// Decrements the count of the identity's accounts that aren't retired.
pub(super) fn decrement_accounts(tx: &Tx<'_>, workspace: i64, identity: IdentityId) -> Res<()> {
    let now: i64 = tx
        .conn
        .prepare_cached(
            "UPDATE identities SET accounts = accounts - 1 WHERE workspace_id = ?1 AND id = ?2 RETURNING accounts",
        )?
        .query_row(params![workspace, identity.as_bytes()], |row| row.get(0))?;
    count_identities(tx, workspace, -i64::from(now == 0))
}

/// Sets the name, main address and kind of an identity from its best account: accounts that aren't retired come before
/// retired ones, those of identity providers before those of other platforms, then the oldest account.
pub(super) fn update_profile(tx: &Tx<'_>, workspace: i64, identity: IdentityId) -> Res<()> {
    // The rank, the name, the address, the kind.
    type Best = ((bool, bool, i64), String, Option<String>, i64);
    let mut best: Option<Best> = None;
    {
        let mut statement = tx.conn.prepare_cached(
            "SELECT a.retired, i.platform, a.rowid, a.display_name, a.email, a.kind FROM accounts a \
             JOIN integrations i USING (workspace_id, integration) \
             WHERE a.workspace_id = ?1 AND a.identity_id = ?2",
        )?;
        let mut rows = statement.query(params![workspace, identity.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let rank = naming_rank(row.get(0)?, row.word_opt(1)?, row.get(2)?);
            if best.as_ref().is_none_or(|(first, ..)| rank < *first) {
                best = Some((rank, row.get(3)?, row.get(4)?, row.get(5)?));
            }
        }
    }
    let Some((_, name, email, kind)) = best else {
        return Ok(());
    };
    let key = NameKey::of(&name);
    let email = email
        .as_deref()
        .and_then(watchpost_core::identity::normalize_address);
    tx.conn
        .prepare_cached(
            "UPDATE identities SET display_name = ?3, email = coalesce(?4, email), kind = ?5, name_key = ?6, \
             name_words = ?7 \
             WHERE workspace_id = ?1 AND id = ?2 \
             AND (display_name IS NOT ?3 OR email IS NOT coalesce(?4, email) OR kind IS NOT ?5)",
        )?
        .execute(params![
            workspace,
            identity.as_bytes(),
            name,
            email,
            kind,
            key.whole,
            key.words
        ])?;
    Ok(())
}
