//! The posture in sentences.

use watchpost_core::{
    posture::{Coverage, Snapshot},
    service::{NotReady, Scored},
    value::word::Category,
};

/// The formula of the risk score, as part of its explanation.
pub(crate) const RISK_FORMULA: &str = "round(100 * raw / ceiling), at most 100; raw = 10*critical + 5*high + 2*medium + 1*low over findings that count and are open or in progress; ceiling = max(300, 5 * identities)";

/// `areas` are categories with their risk points; `blind_rules` is the number of rules that lack data.
pub(crate) fn summary(
    scored: &Scored,
    latest: Option<&Snapshot>,
    areas: &[(Category, u64)],
    blind_rules: u64,
) -> String {
    let [critical, high, medium, low, info] = scored.severity_counts;
    let mut text = format!(
        "Risk score {} of 100 (higher is worse): {}. Open findings: {critical} critical, {high} high, {medium} medium, {low} low, {info} info. Identities: {}.",
        scored.risk.score, scored.risk.rating, scored.identities,
    );
    if let Some(snapshot) = latest {
        text.push_str(&coverage("MFA coverage", &snapshot.mfa));
        text.push_str(&coverage("MFA coverage of admins", &snapshot.admin_mfa));
        text.push_str(&coverage("Single sign-on coverage", &snapshot.sso));
        text.push_str(&format!(
            " Admins: {}. People without a sign-in for 30 days: {}. Apps without a policy: {}.",
            snapshot.admins, snapshot.stale_accounts, snapshot.unreviewed_apps,
        ));
    }
    let named: Vec<String> = areas
        .iter()
        .map(|(category, points)| format!("{} ({points})", category.spoken()))
        .collect();
    if !named.is_empty() {
        text.push_str(&format!(" Risk points by area: {}.", named.join(", ")));
    }
    if blind_rules > 0 {
        text.push_str(&format!(
            " Rules that can't judge everything because data is missing: {blind_rules}."
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
