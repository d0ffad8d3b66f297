//! How a command ends when it fails: a sentence on standard error and an exit code.

use watchpost_core::error::{Error, StoreError};

/// Exit codes; documented in docs/cli.md.
pub(crate) mod code {
    /// Something failed that repeating may not mend.
    pub(crate) const FAILED: u8 = 1;
    /// The command's words are wrong (clap uses it, too).
    pub(crate) const USAGE: u8 = 2;
    /// There is no such thing.
    pub(crate) const NOT_FOUND: u8 = 3;
    /// The state of things forbids it: a limit, a closed finding, a tenant that is connected already.
    pub(crate) const CONFLICT: u8 = 4;
    /// Right now impossible: repeat it.
    pub(crate) const UNAVAILABLE: u8 = 5;
    /// What was checked is not in order: a broken audit chain, a failing source, a missing permission.
    pub(crate) const NOT_IN_ORDER: u8 = 6;
}

/// A failure with its exit code; carried inside `anyhow` errors.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What to say.
    pub(crate) text: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// A failure of a code.
pub(crate) fn fail(code: u8, text: impl Into<String>) -> anyhow::Error {
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
    let mut text = error.to_string();
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

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
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
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(code::FAILED, |failure| failure.code)
}
