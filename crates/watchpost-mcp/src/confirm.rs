//! Confirmation of changes by a person: when one is asked, and how the audit log records the answer.

use crate::text;
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

/// The calls of write tools before which a person is asked, if the client can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmMode {
    /// None.
    Never,
    /// Calls that are hard to undo: dismissing a critical or high finding, blocking an app, requesting a remediation.
    #[default]
    Risky,
    /// Every call of a write tool.
    Always,
}

impl ConfirmMode {
    /// All modes.
    pub const ALL: &'static [Self] = &[Self::Risky, Self::Always, Self::Never];

    /// Returns the mode's word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Risky => "risky",
            Self::Always => "always",
        }
    }

    /// Returns the mode of a word in the configuration; `None` if there is no such mode.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mode| mode.as_str() == word)
    }
}

/// The calls of a write tool that are hard to undo, which a person confirms in [`ConfirmMode::Risky`]. Part of the tool's
/// declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// No calls: every call is easy to undo.
    Low,
    /// Calls about a finding of this severity or worse.
    FindingFrom(Severity),
    /// Calls that set an app to this policy.
    SettingPolicy(AppPolicy),
    /// All calls.
    High,
}

/// The part of a call's effect on which its risk depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affected {
    /// The target does not exist. The tool itself reports that.
    Nothing,
    /// The call reads the platforms.
    Sources,
    /// The call changes a finding of this severity.
    Finding(Severity),
    /// The call sets an app to this policy.
    App(AppPolicy),
}

impl Risk {
    /// Whether a call with this effect is hard to undo.
    pub(crate) fn is_high(self, affected: Affected) -> bool {
        match (self, affected) {
            (Self::High, _) => true,
            (Self::Low, _) | (_, Affected::Nothing) => false,
            // Severities are ordered worst first.
            (Self::FindingFrom(least), Affected::Finding(severity)) => severity <= least,
            (Self::SettingPolicy(risky), Affected::App(policy)) => policy == risky,
            // The preview doesn't fit the tool's declared risk: asking once too often is the safe side.
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
                f.write_str(&text::confirm::if_severity(&named))
            }
            Self::SettingPolicy(policy) => f.write_str(&text::confirm::if_policy(*policy)),
            Self::High => f.write_str("always"),
        }
    }
}

impl ConfirmMode {
    /// Whether a person is asked before a call with this effect, of a tool with this risk.
    pub(crate) fn asks(self, risk: Risk, affected: Affected) -> bool {
        match self {
            Self::Never => false,
            Self::Risky => risk.is_high(affected),
            Self::Always => true,
        }
    }
}

/// The confirmation of a change: `confirmation` in the arguments of its audit entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// The mode does not require one.
    NotNeeded,
    /// The client can't ask, so nobody was asked.
    NobodyAsked,
    /// The question was sent; nothing has been changed yet.
    Awaited,
    /// A person agreed. The nonce identifies the consent, which is valid for one change.
    Asked(Nonce),
    /// A person declined.
    Declined,
    /// A person gave no answer, or the client returned none.
    Cancelled,
}

/// Random bytes that identify a person's consent, drawn when the person is asked.
pub(crate) type Nonce = [u8; 16];

impl Confirmation {
    /// Returns the word in the audit entry.
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

/// A tool's description of a change before it is made.
#[derive(Debug)]
pub(crate) struct Preview {
    /// The effect on which the risk depends.
    pub(crate) affected: Affected,
    /// The question for the person, in which names from outside are quoted. `None` if there is nothing to ask.
    pub(crate) question: Option<String>,
    /// The target, for the audit entry of a call that changes nothing.
    pub(crate) target: AuditTarget,
}

/// The maximum number of characters of a name in a question.
const NAME_CHARS_MAX: usize = 120;

/// Quotes a name from outside for a question. The name was cleaned when it was read; here its own quotation marks are
/// replaced, so that it can't end the quotes.
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

/// The name of the form's only field.
const FIELD: &str = "confirm";

fn form() -> Form {
    let field = Field::boolean()
        .title("Confirm")
        .description(text::confirm::FIELD)
        .required();
    Form::new().field(FIELD, field)
}

/// Returns the request for a confirmation, with a new nonce as the state that comes back with the answer.
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

/// Returns the person's answer; `None` if they haven't been asked yet or the client sent no valid answer to this question.
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
    fn the_mode_and_the_risk_decide_whether_a_person_is_asked() {
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
    fn a_mode_is_parsed_from_its_word() {
        for mode in ConfirmMode::ALL {
            assert_eq!(ConfirmMode::from_word(mode.as_str()), Some(*mode));
        }
        assert_eq!(ConfirmMode::from_word("sometimes"), None);
        assert_eq!(ConfirmMode::default(), ConfirmMode::Risky);
    }
}
