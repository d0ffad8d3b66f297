//! Texts of `watchpost identity`.

use crate::{output::foreign, text::counted};
use watchpost_core::{identity::Account, integration::fact::LastActive, service::IdentityAnswer};

const TAKES_EFFECT: &str = "This takes effect at the next analysis.";

pub(crate) const TAG_REQUIRES_ADDRESS: &str = "a break-glass tag is set by the person's email address, not by the name; `watchpost identity NAME` shows the address";

/// A command tagged the person (`tagged`), or removed the tag.
pub(crate) fn tag_changed(tagged: bool) -> String {
    if tagged {
        format!("The person is now tagged as a break-glass account. {TAKES_EFFECT}")
    } else {
        format!("The break-glass tag is removed. {TAKES_EFFECT}")
    }
}

pub(crate) const fn tag_unchanged(tagged: bool) -> &'static str {
    if tagged {
        "Nothing changed: the person is already tagged as a break-glass account."
    } else {
        "Nothing changed: the person isn't tagged as a break-glass account."
    }
}

/// Everything about one person: accounts with roles and grants, and open findings.
pub(crate) fn details(answer: &IdentityAnswer) -> String {
    let person = &answer.identity;
    let mut text = format!(
        "{} <{}>",
        foreign(&person.display_name),
        person.email.as_deref().unwrap_or("no address")
    );
    if person.break_glass {
        text.push_str(", break-glass account");
    }
    for account in &person.accounts {
        text.push_str(&account_details(account));
    }
    text.push_str(&format!(
        "\n\n{}",
        counted(answer.total.value, "open finding", "open findings")
    ));
    for finding in &answer.findings {
        text.push_str(&format!(
            "\n  {:<8} {}",
            finding.severity.as_str(),
            foreign(&finding.title)
        ));
    }
    text
}

/// An account with its roles and grants, after an empty line.
fn account_details(account: &Account) -> String {
    let mut text = format!(
        "\n\n{} ({}): {}, MFA {}, last active {}",
        account.platform.title(),
        foreign(&account.login),
        account.status,
        account.mfa,
        last_active(account.last_active),
    );
    for role in &account.roles {
        text.push_str(&format!(
            "\n  role {}{}",
            foreign(&role.name),
            if role.privileged { " (privileged)" } else { "" }
        ));
    }
    for grant in &account.grants {
        let name = grant
            .app
            .as_ref()
            .map(|app| foreign(&app.name))
            .or_else(|| grant.name.as_ref().map(foreign))
            .unwrap_or_default();
        text.push_str(&format!(
            "\n  {} {name}, risk {}",
            grant.kind.spoken(),
            grant.risk
        ));
    }
    text
}

/// A time, `never` or `unknown`.
pub(crate) fn last_active(last: LastActive) -> String {
    match last {
        LastActive::At(at) => at.to_string(),
        LastActive::Never => "never".into(),
        LastActive::Unknown => "unknown".into(),
    }
}
