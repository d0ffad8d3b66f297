//! The decision whether new credentials may take the place of an integration's current ones. Pure: stores call it inside
//! their transaction.

use super::{Integration, takes_part};
use crate::{
    audit::AuditOutcome,
    value::word::{IntegrationStatus, Platform},
};
use std::collections::BTreeMap;

/// The tenant that credentials open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedTenant {
    /// The vendor's id of the tenant; if the credentials may not read it, the same as `label`.
    pub key: String,
    /// The tenant as the configuration names it.
    pub label: String,
}

/// The effect of new credentials on an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStep {
    /// They replace the current ones. The failure ends, and the status is this one.
    Replace(IntegrationStatus),
    /// They open another tenant. Its data would be mixed with that of this integration.
    OtherTenant,
    /// They may not read which tenant they open, and the configuration isn't the one that names this tenant.
    TenantUnknown,
}

/// The outcome of a store's change of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialChange {
    /// The credentials were replaced. The integration has this platform and status now.
    Replaced(Platform, IntegrationStatus),
    /// Nothing changed: see [`CredentialStep::OtherTenant`].
    OtherTenant,
    /// Nothing changed: see [`CredentialStep::TenantUnknown`].
    TenantUnknown,
    /// The workspace has no such integration.
    NotFound,
}

impl CredentialChange {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Replaced(..) => AuditOutcome::Ok,
            Self::OtherTenant | Self::TenantUnknown => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Decides whether credentials that open `opened` and are used with the plain values `config` may take the place of an
/// integration's current ones.
pub fn decide_credential(
    current: &Integration,
    opened: &OpenedTenant,
    config: &BTreeMap<String, String>,
) -> CredentialStep {
    let unnamed = opened.key == opened.label;
    let is_known = |name: &str| {
        current
            .tenant_key
            .as_deref()
            .is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    // The earlier credentials may have been unable to read the id, so that the stored one is the label.
    if is_known(&opened.key) || is_known(&opened.label) {
        return CredentialStep::Replace(status_after(current));
    }
    if !unnamed {
        return CredentialStep::OtherTenant;
    }
    // The vendor issues tokens only for the tenant that the configuration names.
    if current.config == *config {
        CredentialStep::Replace(status_after(current))
    } else {
        CredentialStep::TenantUnknown
    }
}

/// Returns the status of an integration whose new credentials the vendor has accepted. A paused one stays paused.
const fn status_after(current: &Integration) -> IntegrationStatus {
    if !takes_part(current.status) {
        return current.status;
    }
    match current.last_completed_at {
        Some(_) => IntegrationStatus::Connected,
        None => IntegrationStatus::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        integration::Failure,
        value::{id::IntegrationId, text::ForeignText, time::Timestamp},
    };

    fn failing(tenant_key: &str) -> Integration {
        Integration {
            id: IntegrationId::from_bytes([1; 16]),
            platform: Platform::Okta,
            name: ForeignText::name("Birchworks"),
            tenant_key: Some(tenant_key.to_owned()),
            status: IntegrationStatus::Error,
            config: BTreeMap::from([("org_url".to_owned(), "https://birchworks.example".to_owned())]),
            created_at: Timestamp::default(),
            last_completed_at: Some(Timestamp::from_millis(1_000)),
            last_started_at: None,
            failure: Some(Failure {
                reason: "authentication failed: the token is revoked".to_owned(),
                since: Timestamp::from_millis(2_000),
                needs_credential: true,
            }),
            running: None,
            collections: Vec::new(),
        }
    }

    fn opened(key: &str, label: &str) -> OpenedTenant {
        OpenedTenant {
            key: key.to_owned(),
            label: label.to_owned(),
        }
    }

    #[test]
    fn credentials_are_replaced_only_within_a_tenant() {
        const CONNECTED: CredentialStep = CredentialStep::Replace(IntegrationStatus::Connected);
        let same = failing("").config;
        let moved = BTreeMap::from([("org_url".to_owned(), "https://alder.example".to_owned())]);
        for (stored, new, config, expected) in [
            ("00o1", opened("00o1", "birchworks.example"), &same, CONNECTED),
            ("00O1", opened("00o1", "birchworks.example"), &same, CONNECTED),
            // The address of the org changed, the org didn't.
            ("00o1", opened("00o1", "alder.example"), &moved, CONNECTED),
            // The earlier credentials could not read the id.
            (
                "birchworks.example",
                opened("00o1", "birchworks.example"),
                &same,
                CONNECTED,
            ),
            // The new credentials can't read the id.
            (
                "00o1",
                opened("birchworks.example", "birchworks.example"),
                &same,
                CONNECTED,
            ),
            (
                "00o1",
                opened("alder.example", "alder.example"),
                &moved,
                CredentialStep::TenantUnknown,
            ),
            (
                "00o1",
                opened("00o2", "birchworks.example"),
                &same,
                CredentialStep::OtherTenant,
            ),
            (
                "00o1",
                opened("00o2", "alder.example"),
                &moved,
                CredentialStep::OtherTenant,
            ),
            (
                "birchworks.example",
                opened("00o2", "alder.example"),
                &moved,
                CredentialStep::OtherTenant,
            ),
        ] {
            assert_eq!(
                decide_credential(&failing(stored), &new, config),
                expected,
                "{stored} {new:?} {config:?}"
            );
        }
    }

    #[test]
    fn an_integration_whose_credentials_failed_is_active_again_and_a_paused_one_stays_paused() {
        let new = opened("00o1", "birchworks.example");
        let after = |integration: &Integration| decide_credential(integration, &new, &integration.config);
        let mut integration = failing("00o1");
        integration.last_completed_at = None;
        assert_eq!(
            after(&integration),
            CredentialStep::Replace(IntegrationStatus::Pending)
        );
        integration.status = IntegrationStatus::Paused;
        assert_eq!(
            after(&integration),
            CredentialStep::Replace(IntegrationStatus::Paused)
        );
    }
}
