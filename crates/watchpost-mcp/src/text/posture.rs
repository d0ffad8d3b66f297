//! Answers about scores, coverage, integrations, rules and identities.

use super::{count, matching};
use watchpost_core::{
    identity::MfaReports,
    posture::{Coverage, Freshness, Snapshot},
    service::{NotReady, Scored},
    value::word::{Category, Mfa, Platform},
};

/// The formula of the risk score, as part of its explanation.
pub(crate) const RISK_FORMULA: &str = "round(100 * raw / ceiling), at most 100; raw = 10*critical + 5*high + 2*medium + 1*low over findings that count and are open or in progress; ceiling = max(300, 5 * identities)";

pub(crate) fn risk_score(scored: &Scored) -> String {
    format!(
        "The risk score is {} of 100 (higher is worse): {}; open findings: {}.",
        scored.risk.score,
        scored.risk.rating,
        by_severity(scored.severity_counts),
    )
}

/// The sentence after a score, if the people of some platforms have never been read.
pub(crate) fn without_people(freshness: &Freshness) -> String {
    let titles: Vec<&str> = freshness
        .without_people()
        .map(|source| source.platform.title())
        .collect();
    if titles.is_empty() {
        return String::new();
    }
    format!(
        " It says nothing about the people of {}, who could not be read.",
        titles.join(" and ")
    )
}

/// `2 critical, 1 high, 0 medium, 1 low, 0 info`.
fn by_severity([critical, high, medium, low, info]: [u64; 5]) -> String {
    format!("{critical} critical, {high} high, {medium} medium, {low} low, {info} info")
}

pub(crate) fn no_risk_score(why: NotReady, next_step: &str) -> String {
    format!("There is no risk score ({}). {next_step}.", why.state.spoken())
}

/// `areas` are categories with their risk points; `blind_rules` is the number of rules that lack data.
pub(crate) fn summary(
    scored: &Scored,
    latest: Option<&Snapshot>,
    areas: &[(Category, u64)],
    blind_rules: u64,
) -> String {
    let mut text = format!(
        "Risk score {} of 100 (higher is worse): {}. {}: {}. {}.",
        scored.risk.score,
        scored.risk.rating,
        count(scored.severity_counts.iter().sum(), "open finding"),
        by_severity(scored.severity_counts),
        count(scored.identities, "identity"),
    );
    if let Some(snapshot) = latest {
        text.push_str(&coverage("MFA coverage", &snapshot.mfa));
        text.push_str(&coverage("MFA coverage of admins", &snapshot.admin_mfa));
        text.push_str(&coverage("Single sign-on coverage", &snapshot.sso));
        let people = if snapshot.stale_accounts == 1 {
            "1 person".to_owned()
        } else {
            format!("{} people", snapshot.stale_accounts)
        };
        text.push_str(&format!(
            " {}, {people} without a sign-in for 30 days, {} without a policy.",
            count(snapshot.admins, "admin"),
            count(snapshot.unreviewed_apps, "app"),
        ));
    }
    if areas.is_empty() {
        text.push_str(" No area has risk points.");
    } else {
        let named: Vec<String> = areas
            .iter()
            .map(|(category, points)| format!("{} ({})", category.spoken(), count(*points, "point")))
            .collect();
        text.push_str(&format!(" Top risk areas: {}.", named.join(", ")));
    }
    if blind_rules > 0 {
        text.push_str(&format!(
            " {} can't judge everything because data is missing.",
            count(blind_rules, "rule"),
        ));
    }
    text
}

fn coverage(name: &str, coverage: &Coverage) -> String {
    match coverage.tenths_of_percent() {
        Some(_) if coverage.unknown > 0 => {
            format!(" {name}: {coverage} ({} more unknown).", coverage.unknown)
        }
        Some(_) => format!(" {name}: {coverage}."),
        None => format!(" {name}: unknown."),
    }
}

pub(crate) fn no_summary(why: NotReady, next_step: &str) -> String {
    format!(
        "There is no data to judge yet ({}), so there is no score and no grade. {next_step}.",
        why.state.spoken()
    )
}

pub(crate) fn no_integrations(next_step: &str) -> String {
    format!("No platform is connected. {next_step}.")
}

pub(crate) fn integrations(total: u64, connected: usize, failing: usize, stale: usize) -> String {
    format!(
        "{}: {connected} connected, {failing} failing, {stale} stale.",
        count(total, "integration")
    )
}

pub(crate) fn rules(total: u64, blind: usize) -> String {
    let matching = matching(total, "active rule");
    if blind == 0 {
        format!("{matching}.")
    } else {
        format!("{matching}; {blind} of them can't judge everything because data is missing.")
    }
}

/// The sentence after the number of rules, before any data was analyzed.
pub(crate) fn nothing_judged(why: NotReady, next_step: &str) -> String {
    format!(
        " There is no data to judge yet ({}). {next_step}.",
        why.state.spoken()
    )
}

/// `MFA off according to Okta, but on according to Microsoft 365`.
fn mfa_reported(reports: &MfaReports) -> String {
    let (value, sources) = (reports.value(), titles(reports.sources()));
    if value == Mfa::Unknown {
        return "MFA unknown, because no platform reports it".to_owned();
    }
    let others: Vec<Platform> = reports
        .on
        .iter()
        .copied()
        .filter(|one| !reports.off.contains(one))
        .collect();
    let disagreement = if value == Mfa::On || reports.on.is_empty() {
        String::new()
    } else if others.is_empty() {
        ", though not for every account".to_owned()
    } else {
        format!(", but on according to {}", titles(&others))
    };
    format!("MFA {value} according to {sources}{disagreement}")
}

pub(crate) fn identity_found(
    accounts: u64,
    platforms: &[Platform],
    mfa: &MfaReports,
    open_findings: u64,
) -> String {
    let on = if platforms.is_empty() {
        "no platform".to_owned()
    } else {
        titles(platforms)
    };
    format!(
        "Found: {} on {on}; {}; {}.",
        count(accounts, "account"),
        mfa_reported(mfa),
        count(open_findings, "open finding"),
    )
}

fn titles(platforms: &[Platform]) -> String {
    let titles: Vec<&str> = platforms.iter().map(|platform| platform.title()).collect();
    match titles.as_slice() {
        [others @ .., last] if others.len() > 1 => format!("{} and {last}", others.join(", ")),
        _ => titles.join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_is_named_with_what_it_says_about_mfa() {
        use Platform::{M365, Okta};
        let check = |off: &[Platform], on: &[Platform], expected| {
            let reports = MfaReports {
                off: off.to_vec(),
                on: on.to_vec(),
            };
            assert_eq!(mfa_reported(&reports), expected);
        };
        check(&[], &[], "MFA unknown, because no platform reports it");
        check(&[], &[M365, Okta], "MFA on according to Microsoft 365 and Okta");
        check(&[M365, Okta], &[], "MFA off according to Microsoft 365 and Okta");
        check(
            &[Okta],
            &[M365],
            "MFA off according to Okta, but on according to Microsoft 365",
        );
        check(
            &[Okta],
            &[Okta],
            "MFA off according to Okta, though not for every account",
        );
        check(
            &[M365, Okta],
            &[Okta],
            "MFA off according to Microsoft 365 and Okta, though not for every account",
        );
    }
}
