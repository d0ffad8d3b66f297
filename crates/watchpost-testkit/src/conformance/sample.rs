//! Sample facts and observations.

use watchpost_core::{
    finding::{Marks, Observation, fingerprint},
    integration::fact::{
        AccountFacts, AppFacts, Fact, GrantFacts, LastActive, MfaFacts, RoleFacts, SettingFacts,
    },
    rule::document::EntityRef,
    value::{
        text::ForeignText,
        word::{AccountKind, AccountStatus, Category, GrantKind, GrantRisk, Mfa, RoleHold, Severity},
    },
};

/// Returns the facts of an active member's account.
pub fn account(vendor_id: &str, email: Option<&str>) -> AccountFacts {
    AccountFacts {
        vendor_id: vendor_id.into(),
        login: ForeignText::name(email.unwrap_or(vendor_id)),
        email: email.map(str::to_owned),
        aliases: Vec::new(),
        display_name: ForeignText::name(&format!("Name of {vendor_id}")),
        status: AccountStatus::Active,
        status_changed_at: None,
        kind: AccountKind::Member,
        last_active: LastActive::Unknown,
        created_at: None,
        department: None,
        title: None,
        manager_email: None,
        password_never_expires: None,
        password_expiry_exempt: None,
        password_changed_at: None,
        synced: None,
        on_premises_id: None,
        invitation_pending: None,
        mailbox: None,
    }
}

/// Returns a fact for an active member's account.
pub fn account_fact(vendor_id: &str, email: &str) -> Fact {
    Fact::Account(Box::new(account(vendor_id, Some(email))))
}

/// Returns a fact about the multi-factor authentication of an account.
pub fn mfa_fact(account: &str, mfa: Mfa) -> Fact {
    Fact::Mfa(MfaFacts {
        account_vendor_id: account.into(),
        mfa,
        methods: vec![ForeignText::name("push")],
        phishing_resistant: Some(false),
        weak_only: Some(false),
    })
}

/// Returns a fact for the platform's highest role.
pub fn role_fact(id: &str, principal: &str) -> Fact {
    Fact::Role(RoleFacts {
        vendor_id: id.into(),
        principal_vendor_id: principal.into(),
        role_key: "super_admin".into(),
        role_name: ForeignText::name("Super Administrator"),
        privileged: true,
        super_admin: true,
        hold: RoleHold::Permanent,
        via_group: None,
        ends_at: None,
    })
}

/// Returns a fact for an app.
pub fn app_fact(vendor_id: &str, name: &str) -> Fact {
    Fact::App(Box::new(AppFacts {
        vendor_id: vendor_id.into(),
        client_id: Some(format!("client-{vendor_id}")),
        name: ForeignText::name(name),
        publisher: None,
        publisher_verified: None,
        first_party: false,
        own_registration: None,
        enabled: true,
        created_at: None,
        sign_on_mode: None,
        deprovisioning: None,
        credentials: Vec::new(),
    }))
}

/// Returns a fact for a permission that an account granted to an app.
pub fn grant_fact(id: &str, app: &str, account: Option<&str>, risk: GrantRisk) -> Fact {
    Fact::Grant(Box::new(GrantFacts {
        vendor_id: id.into(),
        app_vendor_id: Some(app.into()),
        account_vendor_id: account.map(str::to_owned),
        kind: GrantKind::Delegated,
        name: None,
        scopes: vec![ForeignText::name("Mail.Read")],
        risk,
        created_at: None,
        last_used: LastActive::Unknown,
        expires_at: None,
        never_expires: false,
        network: None,
    }))
}

/// Returns a fact for a setting.
pub fn setting_fact(path: &str, document: &str) -> Fact {
    Fact::Setting(SettingFacts {
        path: path.into(),
        document: document.into(),
    })
}

/// Returns an observation of a rule.
pub fn observation(rule: &str, entity: EntityRef, severity: Severity, marks: Marks) -> Observation {
    Observation {
        fingerprint: fingerprint(rule, entity),
        condition: rule.into(),
        rule_id: rule.into(),
        severity,
        category: Category::AccessRisk,
        scored: severity != Severity::Info,
        entity,
        subject_name: ForeignText::name("Mara Holt"),
        subject_email: Some("mara.holt@birch.example".into()),
        title: ForeignText::sentence(&format!("Mara Holt breaks the rule {rule}, which is bad")),
        evidence: "[]".into(),
        apps: Vec::new(),
        marks,
        service: None,
        frameworks: Vec::new(),
    }
}
