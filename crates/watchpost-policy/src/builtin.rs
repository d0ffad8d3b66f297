//! The rules and checks that come with Watchpost, embedded.

include!(concat!(env!("OUT_DIR"), "/checks.rs"));

/// The rules' library: file name and text.
pub(crate) const LIB: (&str, &str) = ("lib.rego", include_str!("../rules/lib.rego"));

macro_rules! rules {
    ($($id:literal),+ $(,)?) => {
        /// File name and text of each rule, sorted.
        pub(crate) const RULES: &[(&str, &str)] =
            &[$((concat!($id, ".rego"), include_str!(concat!("../rules/", $id, ".rego")))),+];
        /// File name and text of each rule's cases.
        pub(crate) const RULE_CASES: &[(&str, &str)] =
            &[$((concat!($id, ".cases.json"), include_str!(concat!("../rules/", $id, ".cases.json")))),+];
    };
}

rules! {
    "app.blocked_in_use",
    "app.many_credentials",
    "app.privileged_principal",
    "app.risky_scopes",
    "app.secret_expired_or_old",
    "app.shadow_ai",
    "app.tenant_wide_consent",
    "app.unauthorized_in_use",
    "app.unreviewed",
    "app.unverified_publisher",
    "id.admin_daily_driver",
    "id.admin_no_mfa",
    "id.admin_no_phish_resistant",
    "id.admin_weak_mfa",
    "id.breakglass_missing",
    "id.guest_admin",
    "id.guest_pending",
    "id.guest_personal_mail",
    "id.guest_stale",
    "id.offboarded_active",
    "id.offboarded_grants",
    "id.offboarded_owner",
    "id.orphan_account",
    "id.password_never_expires",
    "id.password_old",
    "id.permanent_privilege",
    "id.shared_account",
    "id.stale_account",
    "id.stale_admin",
    "id.synced_admin",
    "id.too_many_admins",
    "id.user_no_mfa",
    "okta.no_deprovisioning",
    "okta.password_app",
    "sync.denied",
    "sync.stale",
    "tok.admin_token",
    "tok.no_expiry",
}

/// The JSON documents that the documents of cases are merged over.
pub(crate) const CASE_BASE: &str = include_str!("../rules/cases.base.json");
