//! Ids of controls in published baselines, and their comparison without versions.

/// Returns an id for comparison: in upper case, without the version at the end of SCuBA ids (`MS.AAD.3.2v2`,
/// `GWS.GMAIL.1.1v0.6`).
pub(crate) fn stem(id: &str) -> String {
    let id = id.trim();
    let upper = id.to_ascii_uppercase();
    let is_scuba = upper.starts_with("MS.") || upper.starts_with("GWS.");
    match upper.rsplit_once('V') {
        Some((before, version))
            if is_scuba
                && before.ends_with(|c: char| c.is_ascii_digit())
                && version.starts_with(|c: char| c.is_ascii_digit())
                && version.chars().all(|c| c.is_ascii_digit() || c == '.') =>
        {
            before.to_owned()
        }
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_of_scuba_ids_are_removed() {
        let check = |id: &str, expected: &str| assert_eq!(stem(id), expected, "{id}");
        check("MS.AAD.3.2v2", "MS.AAD.3.2");
        check("ms.aad.3.2V1", "MS.AAD.3.2");
        check("MS.AAD.3.2", "MS.AAD.3.2");
        check("GWS.GMAIL.1.1v0.6", "GWS.GMAIL.1.1");
        check("MS.DRIVE.1", "MS.DRIVE.1");
        check("NIST.800-53.AC-6v1", "NIST.800-53.AC-6V1");
        check("spo.sharing_limited", "SPO.SHARING_LIMITED");
    }
}
