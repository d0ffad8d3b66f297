//! How a command ends when it fails: a sentence on standard error and an exit code.

use self::code::Code;
use crate::next;
use std::{error::Error as StdError, fmt};
use watchpost_core::error::{Error, StoreError};

/// Exit codes of commands that fail.
pub(crate) mod code {
    /// An exit code: one of this module's, all of which docs/cli.md explains.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Code(u8);

    impl Code {
        /// As the process ends with it.
        pub(crate) const fn number(self) -> u8 {
            self.0
        }
    }

    macro_rules! codes {
        ($($(#[$doc:meta])+ $name:ident = $number:literal;)+) => {
            $($(#[$doc])+ pub(crate) const $name: Code = Code($number);)+
            #[cfg(test)]
            pub(crate) const ALL: &[Code] = &[$($name),+];
        };
    }

    codes! {
        /// Something failed that repeating may not mend.
        FAILED = 1;
        /// The command's words are wrong (clap uses it, too).
        USAGE = 2;
        /// There is no such thing.
        NOT_FOUND = 3;
        /// The state of things forbids it: a limit, a closed finding, a tenant that is connected already.
        CONFLICT = 4;
        /// Right now impossible: repeat it.
        UNAVAILABLE = 5;
        /// What was checked is not in order: a broken audit chain, a failing source, a missing permission.
        NOT_IN_ORDER = 6;
    }
}

/// A failure with its exit code; carried inside `anyhow` errors.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    code: Code,
    /// What to say.
    text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Failure {}

/// A failure of a code.
pub(crate) fn fail(code: Code, text: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Failure {
        code,
        text: text.into(),
    })
}

/// A use case's failure.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in `map_err`, which gives values"
)]
pub(crate) fn from_core(error: Error) -> anyhow::Error {
    let code = match &error {
        Error::NotFound { .. } => code::NOT_FOUND,
        Error::Invalid { .. } => code::USAGE,
        Error::Conflict { .. } => code::CONFLICT,
        Error::Unavailable { .. } | Error::Unknown(_) => code::UNAVAILABLE,
        Error::WriteScopeRequired | Error::Denied | Error::Internal(_) => code::FAILED,
    };
    let mut text = next::explained(&error);
    if let Error::Internal(source) = &error {
        // The person at the machine may see what a key may not.
        text = format!("internal error: {}", chain(source.as_ref()));
    }
    if let Error::Unknown(source) = &error {
        text = format!("{error}: {}; look before you repeat it", chain(source.as_ref()));
    }
    fail(code, text)
}

/// A store's failure.
pub(crate) fn from_store(error: StoreError) -> anyhow::Error {
    from_core(error.into())
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> Code {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(code::FAILED, |failure| failure.code)
}
