//! Whether a person is asked before a change, and how the audit log says what they answered.

use watchpost_core::word::{AppPolicy, Severity};

/// When a person is asked before a tool changes something, where the client can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmPolicy {
    /// Never.
    Never,
    /// Before what is hard to take back: dismissing a critical or high finding, blocking an app, asking for a
    /// remediation.
    #[default]
    Risky,
    /// Before each of the five write tools.
    Always,
}

impl ConfirmPolicy {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Risky, Self::Always, Self::Never];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Risky => "risky",
            Self::Always => "always",
        }
    }

    /// From the word in the configuration.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|policy| policy.as_str() == word)
    }
}

/// What is known of a change before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// How bad the finding is that it is about.
    pub severity: Option<Severity>,
    /// The policy that an app is to get.
    pub policy: Option<AppPolicy>,
}

/// Whether a person is to be asked before `tool` does what is known of it. Other than the five write tools none
/// ever needs it.
pub fn needs_confirmation(policy: ConfirmPolicy, tool: &str, facts: Facts) -> bool {
    let risky = match tool {
        "dismiss_finding" => matches!(facts.severity, Some(Severity::Critical | Severity::High)),
        "set_app_policy" => facts.policy == Some(AppPolicy::Blocked),
        "remediate_finding" => true,
        "snooze_finding" | "trigger_sync" => false,
        _ => return false,
    };
    match policy {
        ConfirmPolicy::Never => false,
        ConfirmPolicy::Risky => risky,
        ConfirmPolicy::Always => true,
    }
}

/// How a change was confirmed: the word `confirmation` of its audit entry's arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// The policy doesn't ask for it.
    NotNeeded,
    /// The client can't ask, so nobody was asked.
    NobodyAsked,
}

impl Confirmation {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::NobodyAsked => "nobody_asked",
        }
    }
}

/// A change that may need a person's consent, as the tool describes it before it begins.
#[derive(Debug, Default)]
pub(crate) struct Stake {
    /// What the decision depends on.
    pub(crate) facts: Facts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_risky_is_asked_unless_the_policy_says_otherwise() {
        let severity = |severity| Facts {
            severity: Some(severity),
            policy: None,
        };
        let policy = |policy| Facts {
            severity: None,
            policy: Some(policy),
        };
        let cases = [
            ("dismiss_finding", severity(Severity::Critical), true),
            ("dismiss_finding", severity(Severity::High), true),
            ("dismiss_finding", severity(Severity::Medium), false),
            ("dismiss_finding", severity(Severity::Low), false),
            ("dismiss_finding", severity(Severity::Info), false),
            ("snooze_finding", severity(Severity::Critical), false),
            ("remediate_finding", severity(Severity::Low), true),
            ("set_app_policy", policy(AppPolicy::Blocked), true),
            ("set_app_policy", policy(AppPolicy::Unauthorized), false),
            ("set_app_policy", policy(AppPolicy::Sanctioned), false),
            ("set_app_policy", policy(AppPolicy::None), false),
            ("trigger_sync", Facts::default(), false),
        ];
        for (tool, facts, risky) in cases {
            assert_eq!(
                needs_confirmation(ConfirmPolicy::Risky, tool, facts),
                risky,
                "{tool}"
            );
            assert!(needs_confirmation(ConfirmPolicy::Always, tool, facts), "{tool}");
            assert!(!needs_confirmation(ConfirmPolicy::Never, tool, facts), "{tool}");
        }
        for policy in ConfirmPolicy::ALL {
            assert!(!needs_confirmation(*policy, "list_findings", Facts::default()));
            assert!(!needs_confirmation(*policy, "start_scan", Facts::default()));
            assert_eq!(ConfirmPolicy::from_word(policy.as_str()), Some(*policy));
        }
        assert_eq!(ConfirmPolicy::from_word("sometimes"), None);
        assert_eq!(ConfirmPolicy::default(), ConfirmPolicy::Risky);
    }
}
