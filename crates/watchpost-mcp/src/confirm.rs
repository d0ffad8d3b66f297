//! Whether a person is asked before a change, and how the audit log says what they answered.

use std::fmt;
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
pub enum ConfirmMode {
    /// Never.
    Never,
    /// Before what is hard to take back: dismissing a critical or high finding, blocking an app, asking for a
    /// remediation.
    #[default]
    Risky,
    /// Before each call of a write tool.
    Always,
}

impl ConfirmMode {
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

/// Which calls of a write tool are hard to take back, so that a person confirms them under [`ConfirmMode::Risky`].
/// Part of the tool's declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// None: each is easily taken back.
    Low,
    /// Those about a finding of this severity or a worse one.
    FindingFrom(Severity),
    /// Those that give an app this policy.
    SettingPolicy(AppPolicy),
    /// All.
    High,
}

/// What a call would change, as far as its risk depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affected {
    /// What it is about isn't there: then the tool says so.
    Nothing,
    /// Reading the platforms.
    Sources,
    /// A finding of this severity.
    Finding(Severity),
    /// An app, which is to get this policy.
    App(AppPolicy),
}

impl Risk {
    /// Whether a call that would change this is hard to take back.
    pub(crate) fn is_high(self, affected: Affected) -> bool {
        match (self, affected) {
            (Self::High, _) => true,
            (Self::Low, _) | (_, Affected::Nothing) => false,
            // Severities are declared worst first.
            (Self::FindingFrom(least), Affected::Finding(severity)) => severity <= least,
            (Self::SettingPolicy(risky), Affected::App(policy)) => policy == risky,
            // A tool that doesn't say what its own risk depends on: better one question too many.
            (Self::FindingFrom(_), Affected::App(_) | Affected::Sources)
            | (Self::SettingPolicy(_), Affected::Finding(_) | Affected::Sources) => true,
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Low => f.write_str("never"),
            Self::FindingFrom(least) => {
                let named: Vec<&str> = Severity::ALL
                    .iter()
                    .filter(|severity| *severity <= least)
                    .map(|severity| severity.as_str())
                    .collect();
                write!(f, "if the finding is {}", named.join(" or "))
            }
            Self::SettingPolicy(policy) => write!(f, "if the policy is to be `{policy}`"),
            Self::High => f.write_str("always"),
        }
    }
}

impl ConfirmMode {
    /// Whether a person is to be asked before a call of a tool of this risk.
    pub(crate) fn asks(self, risk: Risk, affected: Affected) -> bool {
        match self {
            Self::Never => false,
            Self::Risky => risk.is_high(affected),
            Self::Always => true,
        }
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
#[derive(Debug)]
pub(crate) struct Preview {
    /// What the decision depends on.
    pub(crate) affected: Affected,
    /// What the person is asked: our own words, and names from outside in quotes. `None` if there is nothing to ask.
    pub(crate) question: Option<String>,
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

/// A question, with a fresh nonce as the state that comes back with the answer.
pub(crate) fn ask(question: String, random: &dyn Random) -> InputRequired {
    let mut nonce = Nonce::default();
    random.fill(&mut nonce);
    let request = InputRequest::Form {
        message: question,
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
        let from_high = Risk::FindingFrom(Severity::High);
        let blocking = Risk::SettingPolicy(AppPolicy::Blocked);
        let cases = [
            (from_high, Affected::Finding(Severity::Critical), true),
            (from_high, Affected::Finding(Severity::High), true),
            (from_high, Affected::Finding(Severity::Medium), false),
            (from_high, Affected::Finding(Severity::Low), false),
            (from_high, Affected::Finding(Severity::Info), false),
            (from_high, Affected::Nothing, false),
            (from_high, Affected::Sources, true),
            (from_high, Affected::App(AppPolicy::None), true),
            (blocking, Affected::App(AppPolicy::Blocked), true),
            (blocking, Affected::App(AppPolicy::Unauthorized), false),
            (blocking, Affected::App(AppPolicy::Sanctioned), false),
            (blocking, Affected::App(AppPolicy::None), false),
            (blocking, Affected::Nothing, false),
            (blocking, Affected::Sources, true),
            (blocking, Affected::Finding(Severity::Info), true),
            (Risk::High, Affected::Finding(Severity::Low), true),
            (Risk::High, Affected::Nothing, true),
            (Risk::Low, Affected::Finding(Severity::Critical), false),
            (Risk::Low, Affected::Sources, false),
        ];
        for (risk, affected, asked) in cases {
            assert_eq!(
                ConfirmMode::Risky.asks(risk, affected),
                asked,
                "{risk:?} {affected:?}"
            );
            assert!(ConfirmMode::Always.asks(risk, affected));
            assert!(!ConfirmMode::Never.asks(risk, affected));
        }
    }

    #[test]
    fn a_policy_is_known_by_its_word() {
        for policy in ConfirmMode::ALL {
            assert_eq!(ConfirmMode::from_word(policy.as_str()), Some(*policy));
        }
        assert_eq!(ConfirmMode::from_word("sometimes"), None);
        assert_eq!(ConfirmMode::default(), ConfirmMode::Risky);
    }
}
