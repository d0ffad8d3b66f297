//! Whether a person is asked before a change, and how the audit log says what they answered.

use watchpost_core::{
    audit::AuditTarget,
    port::Random,
    value::{
        text::ForeignText,
        word::{AppPolicy, Severity},
    },
};
use watchpost_protocol::{Field, Form, FormAnswer, InputRequest, InputRequired, Inputs};

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
    /// The question went out; nothing was done yet.
    Awaited,
    /// A person agreed. The bytes are what their consent is known by: it is good for one change.
    Asked(Nonce),
    /// A person said no.
    Declined,
    /// A person went away without an answer, or the client had none.
    Cancelled,
}

/// What a person's consent is known by, drawn when they are asked.
pub(crate) type Nonce = [u8; 16];

impl Confirmation {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::NobodyAsked => "nobody_asked",
            Self::Awaited => "awaited",
            Self::Asked(_) => "asked",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A change that may need a person's consent, as the tool describes it before it begins.
#[derive(Debug, Default)]
pub(crate) struct Stake {
    /// What the decision depends on.
    pub(crate) facts: Facts,
    /// What the person is asked: our own words, and names from outside in quotes.
    pub(crate) question: String,
    /// What it is about, for the audit entry of a call that comes to nothing.
    pub(crate) target: AuditTarget,
}

/// Characters of a name in a question.
const NAME_CHARS_MAX: usize = 120;

/// A name from outside, for a person's eyes, as part of a question. It was cleaned when it was read; here it loses
/// what could end the quotes.
pub(crate) fn quoted(name: &ForeignText) -> String {
    let name: String = name
        .untrusted()
        .chars()
        .map(|c| {
            if matches!(c, '"' | '“' | '”' | '„') {
                '\''
            } else {
                c
            }
        })
        .take(NAME_CHARS_MAX)
        .collect();
    format!("\"{name}\"")
}

/// The field of the form.
const FIELD: &str = "confirm";

fn form() -> Form {
    let field = Field::boolean()
        .title("Confirm")
        .description("Yes: make this change. No: leave everything as it is.")
        .required();
    Form::new().field(FIELD, field)
}

/// The question for a stake, with a fresh nonce as the state that comes back with the answer.
pub(crate) fn ask(stake: &Stake, random: &dyn Random) -> InputRequired {
    let mut nonce = Nonce::default();
    random.fill(&mut nonce);
    let request = InputRequest::Form {
        message: stake.question.clone(),
        form: form(),
    };
    InputRequired {
        requests: vec![(FIELD.to_owned(), request)],
        state: Some(nonce.to_vec()),
    }
}

/// What a person answered; `None` if they weren't asked yet, or gave no answer to this question.
pub(crate) fn answer(inputs: &Inputs) -> Option<Confirmation> {
    let nonce = Nonce::try_from(inputs.state()?).ok()?;
    Some(match inputs.form(FIELD, &form())? {
        FormAnswer::Accepted(content) if content.boolean(FIELD) == Some(true) => Confirmation::Asked(nonce),
        FormAnswer::Accepted(_) | FormAnswer::Declined => Confirmation::Declined,
        FormAnswer::Cancelled | FormAnswer::Failed => Confirmation::Cancelled,
    })
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
