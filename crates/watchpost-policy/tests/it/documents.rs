//! Documents as the store builds them, with every field set and no problems.

use std::{collections::BTreeMap, sync::Arc};
use watchpost_core::{
    integration::fact::{AppCredential, Dataset},
    rule::document::{
        AccountDocument, AppDocument, GrantDocument, IdentityDocument, IntegrationDocument, IntegrationRef,
        PrincipalDocument, RoleDocument,
    },
    value::{
        id::{AccountId, AppId, IdentityId, IntegrationId},
        text::ForeignText,
        word::{
            AccountKind, AccountStatus, AppPolicy, GrantKind, GrantRisk, IntegrationStatus, Mfa, Platform,
            RoleHold, TokenNetwork,
        },
    },
};
use watchpost_policy::cases::NOW_MS;

pub(crate) const DAY_MS: i64 = 86_400_000;

pub(crate) fn integration_ref(platform: Platform, unreadable: &[Dataset]) -> IntegrationRef {
    IntegrationRef {
        id: IntegrationId::from_bytes([platform.code() + 1; 16]),
        platform,
        name: ForeignText::name("Birchworks"),
        identity_provider: platform.is_identity_provider(),
        unreadable: unreadable.to_vec(),
    }
}

pub(crate) fn role() -> RoleDocument {
    RoleDocument {
        key: "62e90394-69f5-4237-9190-012177145e10".to_owned(),
        name: ForeignText::name("Global Administrator"),
        privileged: true,
        super_admin: true,
        hold: RoleHold::TimeBound,
        via_group: Some(ForeignText::name("Operators")),
        ends_at_ms: Some(NOW_MS + DAY_MS),
    }
}

pub(crate) fn grant() -> GrantDocument {
    GrantDocument {
        app_id: Some(AppId::from_bytes([9; 16])),
        app_name: Some(ForeignText::name("Ledgerly")),
        app_policy: Some(AppPolicy::None),
        name: Some(ForeignText::name("reader")),
        kind: GrantKind::Delegated,
        scopes: vec![ForeignText::name("User.Read")],
        risk: GrantRisk::Low,
        created_at_ms: Some(NOW_MS - 100 * DAY_MS),
        last_used_ms: Some(NOW_MS - DAY_MS),
        expires_at_ms: Some(NOW_MS + 20 * DAY_MS),
        never_expires: false,
        network: Some(TokenNetwork::Anywhere),
    }
}

pub(crate) fn account(platform: Platform) -> AccountDocument {
    AccountDocument {
        id: AccountId::from_bytes([platform.code() + 1; 16]),
        integration: integration_ref(platform, &[]),
        login: ForeignText::name("mara.holt@birchworks.example"),
        email: Some("mara.holt@birchworks.example".to_owned()),
        status: AccountStatus::Active,
        status_changed_at_ms: Some(NOW_MS - 400 * DAY_MS),
        kind: AccountKind::Member,
        mfa: Mfa::On,
        mfa_methods: vec![ForeignText::name("fido2SecurityKey")],
        phishing_resistant: Some(true),
        weak_mfa_only: Some(false),
        last_active_ms: Some(NOW_MS - DAY_MS),
        last_active_known: true,
        created_at_ms: Some(NOW_MS - 400 * DAY_MS),
        password_never_expires: Some(true),
        password_expiry_exempt: Some(true),
        password_changed_at_ms: Some(NOW_MS - 500 * DAY_MS),
        synced: Some(false),
        on_premises_id: Some(false),
        invitation_pending: Some(false),
        mailbox: Some(false),
        roles: vec![role()],
        grants: vec![grant()],
    }
}

/// An administrator with two accounts and no findings.
pub(crate) fn identity(number: u8) -> IdentityDocument {
    IdentityDocument {
        id: IdentityId::from_bytes([number; 16]),
        email: Some("mara.holt@birchworks.example".to_owned()),
        display_name: ForeignText::name("Mara Holt"),
        kind: AccountKind::Member,
        break_glass: false,
        accounts: vec![account(Platform::M365), account(Platform::Okta)],
        integrations: Arc::new(vec![
            integration_ref(Platform::M365, &[]),
            integration_ref(Platform::Okta, &[]),
        ]),
        company_domains: Arc::new(vec!["birchworks.example".to_owned()]),
    }
}

pub(crate) fn principal() -> PrincipalDocument {
    PrincipalDocument {
        identity_id: IdentityId::from_bytes([1; 16]),
        email: Some("mara.holt@birchworks.example".to_owned()),
        display_name: ForeignText::name("Mara Holt"),
        status: AccountStatus::Active,
    }
}

/// An app without findings.
pub(crate) fn app() -> AppDocument {
    AppDocument {
        id: AppId::from_bytes([9; 16]),
        integration: integration_ref(Platform::M365, &[]),
        name: ForeignText::name("Ledgerly"),
        publisher: Some(ForeignText::name("Ledgerly")),
        publisher_verified: Some(true),
        first_party: false,
        own_registration: Some(false),
        enabled: true,
        policy: AppPolicy::None,
        first_seen_ms: NOW_MS - 400 * DAY_MS,
        sign_on_mode: Some("SAML_2_0".to_owned()),
        deprovisioning: Some(true),
        credentials: vec![AppCredential {
            kind: "password".to_owned(),
            starts_at_ms: Some(NOW_MS - 100 * DAY_MS),
            ends_at_ms: Some(NOW_MS + 200 * DAY_MS),
        }],
        roles: vec![RoleDocument {
            privileged: false,
            super_admin: false,
            ..role()
        }],
        scopes: BTreeMap::from([(GrantKind::Delegated, vec![ForeignText::name("User.Read")])]),
        risks: BTreeMap::from([(GrantKind::Delegated, GrantRisk::Low)]),
        grant_counts: BTreeMap::from([(GrantKind::Delegated, 4), (GrantKind::SsoAssignment, 2)]),
        tenant_wide_risk: Some(GrantRisk::Low),
        consents: BTreeMap::from([(GrantRisk::Low, 6)]),
        accounts: 6,
        principals: vec![principal()],
        owners: vec![principal()],
    }
}

/// An integration without findings.
pub(crate) fn integration() -> IntegrationDocument {
    IntegrationDocument {
        id: IntegrationId::from_bytes([1; 16]),
        platform: Platform::M365,
        name: ForeignText::name("Birchworks"),
        status: IntegrationStatus::Connected,
        unreadable: Vec::new(),
        lost: Vec::new(),
        last_completed_ms: Some(NOW_MS - 3_600_000),
        settings: BTreeMap::from([("organization".to_owned(), serde_json::json!({"id": "x"}))]),
        super_admins: 3,
        break_glass_accounts: 2,
        active_members: 600,
    }
}
