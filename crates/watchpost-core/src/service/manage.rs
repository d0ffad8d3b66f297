//! Operations that only the operator may do: managing keys and integrations, rejecting remediations, tagging
//! identities.

use super::{Unrecorded, Watchpost};
use crate::{
    access::{
        CreateKey, Expiry, KeyCreation, KeyRevocation, KeyRow, KeyScope, NewKey, RevokeKey, WorkspaceScope,
    },
    audit::CallRecord,
    error::{Error, NextStep},
    identity::{TagBreakGlass, TagOutcome},
    integration::{
        AddIntegration, ChangeIntegration, ConfirmShrink, CredentialChange, IntegrationAction,
        IntegrationChange, OpenedTenant, SetCredential, Shrink, ShrinkConfirmation, VerifyIntegration,
        connector::{Connector, ConnectorConfig, ConnectorError, Verification},
        fact::Dataset,
        sync::connector_for,
        takes_part,
    },
    remediation::{RejectOutcome, RejectRemediation, Remediation},
    text,
    value::{
        id::{IdentityId, IntegrationId, JobId, KeyId, RemediationId},
        text::ForeignText,
        word::{IntegrationStatus, Platform, RemediationState},
    },
};

/// Default maximum number of active keys in a workspace.
pub const ACTIVE_KEYS_MAX: u32 = 10;

/// A newly created key.
#[derive(Debug)]
pub struct KeyIssued {
    /// The key's id.
    pub id: KeyId,
    /// The key with its secret, to show once.
    pub key: NewKey,
}

/// A confirmed shrink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedShrink {
    /// The shrink.
    pub shrink: Shrink,
    /// Whether it was confirmed by this call, and not before.
    pub changed: bool,
}

/// A newly added integration.
#[derive(Debug)]
pub struct IntegrationAdded {
    /// The integration's id.
    pub id: IntegrationId,
    /// The result of the verification.
    pub verification: Verification,
    /// The id of the first sync's job.
    pub first_sync: JobId,
}

/// The replaced credentials of an integration.
#[derive(Debug)]
pub struct CredentialSet {
    /// The platform.
    pub platform: Platform,
    /// The status that the integration has now.
    pub status: IntegrationStatus,
    /// The result of the verification of the new credentials.
    pub verification: Verification,
    /// The id of the job of the next sync; `None` if the integration is paused.
    pub sync: Option<JobId>,
}

impl Watchpost {
    /// Returns all keys, including revoked ones, without the secrets.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn keys(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<KeyRow>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_keys(scope).await?) }).await
    }

    /// Returns at most `limit` remediations, newest first; only those in `state`, if given.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn remediations(
        &self,
        scope: &WorkspaceScope,
        state: Option<RemediationState>,
        limit: usize,
    ) -> Unrecorded<Result<Vec<Remediation>, Error>> {
        Unrecorded::of(async { Ok(self.store().list_remediations(scope, state, limit).await?) }).await
    }

    /// Returns one remediation.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
    pub async fn remediation(
        &self,
        scope: &WorkspaceScope,
        id: RemediationId,
    ) -> Unrecorded<Result<Remediation, Error>> {
        Unrecorded::of(async {
            let found = self.store().remediation(scope, id).await?;
            found.ok_or_else(|| Error::not_found("remediation", NextStep::ListRemediations))
        })
        .await
    }

    /// Creates a key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a label outside 1 to 100 characters; [`Error::Conflict`] if the limit of active
    /// keys is reached, with the limit in the text; [`Error::Denied`]; or the store's error.
    pub async fn create_key(
        &self,
        scope: &WorkspaceScope,
        label: &str,
        key_scope: KeyScope,
        expiry: Expiry,
        active_max: u32,
        call: CallRecord,
    ) -> Result<KeyIssued, Error> {
        let label = ForeignText::clean(label, 200);
        if label.is_empty() || label.untrusted().chars().count() > 100 {
            return Err(Error::invalid("label", text::LABEL_LENGTH));
        }
        let key = NewKey::generate(self.random());
        let id = KeyId::generate(self.clock(), self.random());
        let expires_at = expiry.ends_at(self.clock().now());
        let command = CreateKey {
            id,
            hash: key.hash,
            prefix: key.prefix.clone(),
            label,
            scope: key_scope,
            expires_at,
            active_max,
        };
        let write = scope.authorize(command, call)?;
        match self.store().create_key(write).await?.into_value() {
            KeyCreation::Created => Ok(KeyIssued { id, key }),
            KeyCreation::LimitReached { active_max } => {
                Err(Error::conflict(text::active_keys_limit(active_max)).with_next_step(NextStep::RevokeKey))
            }
        }
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], or the store's error.
    pub async fn revoke_key(
        &self,
        scope: &WorkspaceScope,
        id: KeyId,
        call: CallRecord,
    ) -> Result<KeyRevocation, Error> {
        let write = scope.authorize(RevokeKey { id }, call)?;
        match self.store().revoke_key(write).await?.into_value() {
            KeyRevocation::NotFound => Err(Error::not_found("key", NextStep::ListKeys)),
            done => Ok(done),
        }
    }

    /// Verifies the credentials with the vendor, then adds the integration and queues its first sync.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the connector rejects the configuration or the credentials; [`Error::Conflict`] if
    /// the tenant is connected already; [`Error::Denied`]; or the store's error.
    pub async fn add_integration(
        &self,
        scope: &WorkspaceScope,
        platform: Platform,
        name: Option<&str>,
        config: ConnectorConfig,
        call: CallRecord,
    ) -> Result<IntegrationAdded, Error> {
        let connector = self.connector(platform)?;
        let verification = connector
            .verify(&config)
            .await
            .map_err(|error| Error::invalid("credentials", error.to_string()))?;
        let existing = self.store().list_integrations(scope).await?;
        if let Some(known) = existing.iter().find(|row| {
            row.platform == platform && row.tenant_key.as_deref() == Some(verification.tenant_key.as_str())
        }) {
            return Err(Error::conflict(text::integration::already_connected(
                platform.title(),
                known.id,
            )));
        }
        let id = IntegrationId::generate(self.clock(), self.random());
        let first_sync = JobId::generate(self.clock(), self.random());
        let name = match name {
            Some(name) => ForeignText::name(name),
            None => verification.tenant_name.clone(),
        };
        let tenant_key = Some(verification.tenant_key.clone());
        let command = AddIntegration {
            id,
            platform,
            name,
            tenant_key,
            config,
            first_sync,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        self.store().add_integration(write).await?.into_value();
        Ok(IntegrationAdded {
            id,
            verification,
            first_sync,
        })
    }

    /// Verifies the stored credentials of an integration with the vendor.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] if the connector rejects the configuration or the credentials;
    /// [`Error::Denied`]; or the store's error.
    pub async fn verify_integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
        call: CallRecord,
    ) -> Result<Verification, Error> {
        let missing = || Error::not_found("integration", NextStep::ListIntegrations);
        let row = self.store().integration(scope, id).await?.ok_or_else(missing)?;
        let connector = self.connector(row.platform)?;
        let write = scope.authorize(VerifyIntegration { id }, call)?;
        let config = self
            .store()
            .open_config_for_verify(write)
            .await?
            .into_value()
            .ok_or_else(missing)?;
        connector.verify(&config).await.map_err(|error| {
            let rejected = Error::invalid("credentials", error.to_string());
            if error.needs_credential() {
                rejected.with_next_step(NextStep::SetCredential(row.platform))
            } else {
                rejected
            }
        })
    }

    /// Returns the connector for a platform.
    fn connector(&self, platform: Platform) -> Result<&dyn Connector, Error> {
        connector_for(self.connectors(), platform)
            .map(AsRef::as_ref)
            .ok_or_else(|| {
                Error::invalid(
                    "platform",
                    text::integration::unconnectable_platform(platform.title()),
                )
            })
    }

    /// Replaces the credentials of an integration, after the vendor has accepted them and named the same tenant. Its ids,
    /// findings and the decisions about them stay. The current credentials are kept if anything is wrong with the new
    /// ones.
    ///
    /// `changes` are all new credentials, and the plain values that differ from the current ones.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] if there is no new credential, or the connector or the vendor rejects it;
    /// [`Error::Conflict`] if it opens another tenant; [`Error::Denied`]; or the store's error.
    pub async fn set_credential(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
        changes: ConnectorConfig,
        call: CallRecord,
    ) -> Result<CredentialSet, Error> {
        let missing = || Error::not_found("integration", NextStep::ListIntegrations);
        let row = self.store().integration(scope, id).await?.ok_or_else(missing)?;
        let connector = self.connector(row.platform)?;
        if changes.secrets.is_empty() {
            return Err(Error::invalid(
                "credentials",
                text::integration::NO_NEW_CREDENTIAL,
            ));
        }
        let mut values = row.config;
        values.extend(changes.values);
        let config = ConnectorConfig {
            values,
            secrets: changes.secrets,
        };
        let verification = connector.verify(&config).await.map_err(credential_kept)?;
        let sync = JobId::generate(self.clock(), self.random());
        let command = SetCredential {
            id,
            opened: OpenedTenant {
                key: verification.tenant_key.clone(),
                label: verification.tenant_label.clone(),
            },
            config,
            sync,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let title = row.platform.title();
        match self.store().set_credential(write).await?.into_value() {
            CredentialChange::Replaced(platform, status) => Ok(CredentialSet {
                platform,
                status,
                verification,
                sync: takes_part(status).then_some(sync),
            }),
            CredentialChange::OtherTenant => Err(Error::conflict(text::integration::other_tenant(title))),
            CredentialChange::TenantUnknown => Err(Error::conflict(text::integration::tenant_unknown(title))),
            CredentialChange::NotFound => Err(missing()),
        }
    }

    /// Pauses, resumes or removes an integration.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], or the store's error.
    pub async fn change_integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
        action: IntegrationAction,
        call: CallRecord,
    ) -> Result<IntegrationChange, Error> {
        let command = ChangeIntegration {
            id,
            action,
            job: JobId::generate(self.clock(), self.random()),
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        match self.store().change_integration(write).await?.into_value() {
            IntegrationChange::NotFound => Err(Error::not_found("integration", NextStep::ListIntegrations)),
            done => Ok(done),
        }
    }

    /// Confirms that a dataset has as few rows as it was last read, so that the next sync completes it and retires the
    /// rest. `rows` is the number that the person has seen. A confirmation is used up by the next complete read.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the dataset didn't shrink, or has another number of rows by now;
    /// [`Error::Denied`]; or the store's error.
    pub async fn confirm_shrink(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
        dataset: Dataset,
        rows: u64,
        call: CallRecord,
    ) -> Result<ConfirmedShrink, Error> {
        let command = ConfirmShrink {
            id,
            dataset,
            rows,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let problem = match self.store().confirm_shrink(write).await?.into_value() {
            ShrinkConfirmation::Confirmed(shrink) => {
                return Ok(ConfirmedShrink {
                    shrink,
                    changed: true,
                });
            }
            ShrinkConfirmation::Unchanged(shrink) => {
                return Ok(ConfirmedShrink {
                    shrink,
                    changed: false,
                });
            }
            ShrinkConfirmation::NotFound => {
                return Err(Error::not_found("integration", NextStep::ListIntegrations));
            }
            ShrinkConfirmation::Changed(shrink) => text::integration::read_again(dataset, shrink.to),
            ShrinkConfirmation::NothingToConfirm => text::integration::nothing_to_confirm(dataset),
            ShrinkConfirmation::NotRead => text::integration::never_read(dataset),
        };
        Err(Error::conflict(problem))
    }

    /// Rejects a remediation that waits for approval.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it no longer waits for approval; [`Error::Denied`]; or the
    /// store's error.
    pub async fn reject_remediation(
        &self,
        scope: &WorkspaceScope,
        id: RemediationId,
        call: CallRecord,
    ) -> Result<RejectOutcome, Error> {
        let write = scope.authorize(
            RejectRemediation {
                id,
                now: self.clock().now(),
            },
            call,
        )?;
        match self.store().reject_remediation(write).await?.into_value() {
            RejectOutcome::NotFound => Err(Error::not_found("remediation", NextStep::ListRemediations)),
            RejectOutcome::NotPossible(state) => {
                Err(Error::conflict(text::remediation_decided(state.spoken())))
            }
            done => Ok(done),
        }
    }

    /// Tags or untags an identity as a break-glass account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], or the store's error.
    pub async fn tag_break_glass(
        &self,
        scope: &WorkspaceScope,
        id: IdentityId,
        tagged: bool,
        call: CallRecord,
    ) -> Result<TagOutcome, Error> {
        let command = TagBreakGlass {
            id,
            tagged,
            analysis: JobId::generate(self.clock(), self.random()),
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        match self.store().tag_break_glass(write).await?.into_value() {
            TagOutcome::NotFound => Err(Error::not_found("identity", NextStep::FindIdentity)),
            done => Ok(done),
        }
    }
}

/// Converts the error of a connector that can't use new credentials.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a function for `map_err` takes its error by value"
)]
fn credential_kept(error: ConnectorError) -> Error {
    Error::invalid("credentials", text::integration::credential_kept(&error))
}
