//! Frameworks, their ids, and the services by which checks are grouped.

use crate::{
    text,
    value::word::{Category, words},
};
use std::fmt;

words! {
    /// A framework to which checks are mapped.
    Framework {
        /// CISA's Secure Cloud Business Applications baselines.
        Scuba = "scuba",
        /// CIS Microsoft 365 Foundations Benchmark, version 7.0.0. Only its numbers are used.
        Cis = "cis",
        /// NIST SP 800-53 revision 5.
        Nist80053 = "nist_800_53",
        /// NIST Cybersecurity Framework 2.0.
        NistCsf = "nist_csf",
        /// Entra ID Security Config Analyzer. Only in imported results.
        Eidsca = "eidsca",
        /// Any other framework, named by a customer's pack or an import.
        Other = "other",
    }
    /// The service, a part of a platform, whose settings a check evaluates.
    Service {
        /// Entra ID.
        Entra = "entra",
        /// Exchange Online and mail domains.
        Exchange = "exchange",
        /// Defender for Office 365 and Purview.
        Defender = "defender",
        /// SharePoint and OneDrive.
        Sharepoint = "sharepoint",
        /// Teams.
        Teams = "teams",
        /// Power Platform.
        Powerplatform = "powerplatform",
        /// Power BI and Fabric.
        Powerbi = "powerbi",
        /// Public DNS of mail domains.
        Dns = "dns",
        /// Okta.
        Okta = "okta",
        /// Google Workspace.
        Google = "google",
        /// GitHub.
        Github = "github",
        /// Slack.
        Slack = "slack",
        /// A service in imported results that none of Watchpost's checks cover.
        Other = "other",
    }
}

impl Framework {
    /// Returns the framework's name, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Scuba => "CISA SCuBA",
            Self::Cis => text::CIS_BENCHMARK,
            Self::Nist80053 => "NIST SP 800-53 r5",
            Self::NistCsf => "NIST CSF 2.0",
            Self::Eidsca => "EIDSCA",
            Self::Other => "Other",
        }
    }

    /// Returns the framework of an id such as `MS.AAD.1.1v1` or `CIS.M365.5.2.2.3`.
    pub fn of_id(id: &str) -> Self {
        let upper = |prefix: &str| {
            id.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if upper("MS.") || upper("GWS.") {
            Self::Scuba
        } else if upper("CIS.") {
            Self::Cis
        } else if upper("NIST.800-53.") {
            Self::Nist80053
        } else if upper("NIST.CSF.") {
            Self::NistCsf
        } else if upper("EIDSCA.") {
            Self::Eidsca
        } else {
            Self::Other
        }
    }

    /// Parses the framework's word or another common name for it (`CISA`, `NIST 800-53`, `CSF`), ignoring case,
    /// spaces and punctuation.
    pub fn from_name(name: &str) -> Option<Self> {
        let key = folded(name);
        Some(match key.as_str() {
            "scuba" | "cisa" | "cisascuba" | "scubagear" => Self::Scuba,
            "cis"
            | "cism365"
            | "cisbenchmark"
            | "cismicrosoft365"
            | "cismicrosoft365foundationsbenchmark" => Self::Cis,
            "nist" | "nist80053" | "nistsp80053" | "80053" | "nist80053r5" | "nistsp80053r5" => {
                Self::Nist80053
            }
            "nistcsf" | "csf" | "nistcsf20" | "csf20" => Self::NistCsf,
            "eidsca" => Self::Eidsca,
            "other" => Self::Other,
            _ => return None,
        })
    }
}

impl Service {
    /// Returns the product's name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Entra => "Entra ID",
            Self::Exchange => "Exchange Online",
            Self::Defender => "Defender and Purview",
            Self::Sharepoint => "SharePoint and OneDrive",
            Self::Teams => "Microsoft Teams",
            Self::Powerplatform => "Power Platform",
            Self::Powerbi => "Power BI",
            Self::Dns => "DNS",
            Self::Okta => "Okta",
            Self::Google => "Google Workspace",
            Self::Github => "GitHub",
            Self::Slack => "Slack",
            Self::Other => "Other",
        }
    }

    /// Parses the service's word or a product name (`Exchange Online`, `Azure AD`, `OneDrive`), ignoring case,
    /// spaces and punctuation.
    pub fn from_name(name: &str) -> Option<Self> {
        let key = folded(name);
        let key = key.strip_prefix("microsoft").unwrap_or(&key);
        Some(match key {
            "entra" | "entraid" | "aad" | "azuread" | "azureactivedirectory" => Self::Entra,
            "exchange" | "exchangeonline" | "exo" | "outlook" | "email" | "mail" => Self::Exchange,
            "defender"
            | "defenderforoffice365"
            | "defenderoffice365"
            | "defenderandpurview"
            | "purview"
            | "securitysuite"
            | "365defender"
            | "securityandcompliance" => Self::Defender,
            "sharepoint"
            | "sharepointonline"
            | "spo"
            | "onedrive"
            | "onedriveforbusiness"
            | "sharepointandonedrive"
            | "sharepointonlineandonedrive" => Self::Sharepoint,
            "teams" | "365teams" => Self::Teams,
            "powerplatform" | "powerapps" | "powerautomate" => Self::Powerplatform,
            "powerbi" | "fabric" => Self::Powerbi,
            "dns" | "maildomains" | "domains" => Self::Dns,
            "okta" => Self::Okta,
            "google" | "googleworkspace" | "gsuite" => Self::Google,
            "github" => Self::Github,
            "slack" => Self::Slack,
            "other" => Self::Other,
            _ => return None,
        })
    }

    /// Returns the category of the findings of the service's checks, used unless a check defines another one.
    pub const fn default_category(self) -> Category {
        match self {
            Self::Entra | Self::Okta | Self::Google => Category::IdentitySecurity,
            _ => Category::DriftSignal,
        }
    }
}

/// Returns the ASCII letters and digits of a name in lower case.
fn folded(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(64)
        .collect()
}

/// An id in a framework, e.g. `MS.AAD.1.1v1`, `CIS.M365.5.2.2.3`, `NIST.800-53.CM-7`, `NIST.CSF.PR.AA`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameworkId {
    framework: Framework,
    text: String,
}

impl FrameworkId {
    /// Creates an id from its text, of which at most 64 characters are kept.
    pub fn new(text: &str) -> Self {
        let text: String = text.chars().take(64).collect();
        Self {
            framework: Framework::of_id(&text),
            text,
        }
    }
    /// Returns the framework.
    pub const fn framework(&self) -> Framework {
        self.framework
    }
    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether a text names this id: in any case, with or without the framework's prefix (`6.2.1`, `CIS 6.2.1`,
    /// `nist ac-3`), and for a SCuBA policy with or without its version.
    pub fn is_named(&self, text: &str) -> bool {
        let (wanted, own) = (key(text), key(&self.text));
        let (prefix, aliases) = prefixes(self.framework, &own);
        let bare = own.strip_prefix(prefix).unwrap_or(&own);
        let unversioned = match self.framework {
            Framework::Scuba => without_version(bare),
            _ => bare,
        };
        let same = |rest: &str| !rest.is_empty() && (rest == bare || rest == unversioned);
        same(&wanted)
            || [prefix]
                .iter()
                .chain(aliases)
                .any(|start| !start.is_empty() && wanted.strip_prefix(start).is_some_and(same))
    }
}

/// Returns an id in upper case, with one dot for each run of dots, spaces, underscores, colons and slashes.
fn key(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    let parts = upper.split(['.', ' ', '_', ':', '/']);
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// Returns the prefix of a framework's ids that people leave out, and others that they write instead, as in [`key`].
/// `id` is the id with the prefix.
fn prefixes(framework: Framework, id: &str) -> (&'static str, &'static [&'static str]) {
    match framework {
        Framework::Scuba if id.starts_with("GWS.") => ("GWS.", &["SCUBA.GWS.", "CISA.GWS."]),
        Framework::Scuba => ("MS.", &["SCUBA.", "SCUBA.MS.", "CISA.", "CISA.MS."]),
        Framework::Cis if id.starts_with("CIS.M365.") => {
            ("CIS.M365.", &["CIS.", "M365.", "CIS.MICROSOFT.365."])
        }
        Framework::Cis => ("CIS.", &[]),
        Framework::Nist80053 => (
            "NIST.800-53.",
            &["NIST.", "800-53.", "NIST.SP.800-53.", "SP.800-53."],
        ),
        Framework::NistCsf => ("NIST.CSF.", &["CSF.", "NIST.CSF.2.0.", "CSF.2.0."]),
        Framework::Eidsca => ("EIDSCA.", &[]),
        Framework::Other => ("", &[]),
    }
}

/// Returns the id of a SCuBA policy, as in [`key`], without its version.
fn without_version(id: &str) -> &str {
    match id.rsplit_once('V') {
        Some((start, version))
            if start.ends_with(|c: char| c.is_ascii_digit())
                && !version.is_empty()
                && version.chars().all(|c| c.is_ascii_digit() || c == '.') =>
        {
            start
        }
        _ => id,
    }
}

impl fmt::Display for FrameworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_parsed_from_product_names() {
        let check =
            |name: &str, expected: Option<Service>| assert_eq!(Service::from_name(name), expected, "{name}");
        check("Exchange Online", Some(Service::Exchange));
        check("exchange", Some(Service::Exchange));
        check("Microsoft Teams", Some(Service::Teams));
        check("Azure Active Directory", Some(Service::Entra));
        check("Entra ID", Some(Service::Entra));
        check("OneDrive", Some(Service::Sharepoint));
        check("Power BI", Some(Service::Powerbi));
        check("Microsoft Defender for Office 365", Some(Service::Defender));
        check("fax", None);
        for service in Service::ALL {
            check(service.as_str(), Some(*service));
            check(service.title(), Some(*service));
        }
    }

    #[test]
    fn an_id_is_recognized_in_any_case_and_without_its_prefix() {
        let check = |id: &str, names: &[&str], others: &[&str]| {
            let id = FrameworkId::new(id);
            for name in names {
                assert!(id.is_named(name), "{id} {name}");
            }
            for name in others {
                assert!(!id.is_named(name), "{id} {name}");
            }
        };
        check(
            "CIS.M365.6.2.1",
            &[
                "CIS.M365.6.2.1",
                "cis.m365.6.2.1",
                " 6.2.1 ",
                "CIS 6.2.1",
                "M365 6.2.1",
                "CIS_M365_6.2.1",
            ],
            &["6.2", "6.2.10", "CIS.M365.6.2.1.1", "NIST 6.2.1", "CIS", "", "."],
        );
        check(
            "NIST.800-53.AC-2(1)",
            &[
                "nist.800-53.ac-2(1)",
                "AC-2(1)",
                "NIST AC-2(1)",
                "NIST SP 800-53 AC-2(1)",
            ],
            &["AC-2", "CSF AC-2(1)"],
        );
        check(
            "NIST.CSF.PR.AA",
            &["PR.AA", "csf pr.aa", "NIST CSF 2.0 PR.AA"],
            &["AA", "PR"],
        );
        check(
            "MS.AAD.1.1v1",
            &[
                "MS.AAD.1.1v1",
                "ms.aad.1.1",
                "AAD.1.1V1",
                "CISA MS.AAD.1.1v1",
                "aad.1.1",
            ],
            &["1.1", "MS.AAD.1.1v2", "MS.AAD.1", "GWS.AAD.1.1"],
        );
        check(
            "GWS.GMAIL.1.1v0.6",
            &["GMAIL.1.1", "gws.gmail.1.1v0.6"],
            &["MS.GMAIL.1.1"],
        );
        check("ACME.1", &["acme.1", "acme 1"], &["1"]);
    }

    #[test]
    fn the_framework_is_determined_from_the_id() {
        let check =
            |id: &str, expected: Framework| assert_eq!(FrameworkId::new(id).framework(), expected, "{id}");
        check("MS.AAD.1.1v1", Framework::Scuba);
        check("GWS.GMAIL.1.1v0.6", Framework::Scuba);
        check("CIS.M365.5.2.2.3", Framework::Cis);
        check("NIST.800-53.CM-7", Framework::Nist80053);
        check("NIST.CSF.PR.AA", Framework::NistCsf);
        check("EIDSCA.AP01", Framework::Eidsca);
        check("ACME.1", Framework::Other);
        for framework in Framework::ALL {
            assert_eq!(Framework::from_name(framework.as_str()), Some(*framework));
        }
        assert_eq!(Framework::from_name("CISA"), Some(Framework::Scuba));
    }
}
