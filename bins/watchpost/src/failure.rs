//! Failures of commands: a message for standard error and an exit code.

use self::code::Code;
use crate::text;
use std::{error::Error as StdError, fmt, io};
use watchpost_bridge::BridgeError;
use watchpost_core::error::{Error, StoreError};
use watchpost_runtime::{
    data_dir::DataDirError,
    instance::{BackupError, is_damaged, is_temporary},
};

/// Exit codes of commands that fail.
pub(crate) mod code {
    /// One of the exit codes of this module, all of which docs/cli.md explains.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Code(u8);

    impl Code {
        /// The number that the process exits with.
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
        /// The command failed, and repeating it may not help.
        FAILED = 1;
        /// The arguments are wrong (clap uses this code too).
        USAGE = 2;
        /// The named object doesn't exist.
        NOT_FOUND = 3;
        /// The current state doesn't allow the command: a limit, a closed finding, a tenant that is already connected.
        CONFLICT = 4;
        /// The command is not possible at the moment: repeat it.
        UNAVAILABLE = 5;
        /// The command found a problem: a broken audit chain, a damaged database or backup, a failing source, a missing
        /// permission.
        PROBLEM_FOUND = 6;
    }
}

/// A failure with its exit code, for use inside `anyhow` errors.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Failure {}

/// Makes a failure with an exit code and a message.
pub(crate) fn fail(code: Code, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Failure {
        code,
        message: message.into(),
    })
}

/// Converts the error of a use case.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a function for `map_err` takes its error by value"
)]
pub(crate) fn from_core(error: Error) -> anyhow::Error {
    if let Error::Internal(source) | Error::Unknown(source) = &error
        && let Some(error) = source.downcast_ref::<StoreError>()
        && error.is_damage()
    {
        return damaged(error);
    }
    let code = match &error {
        Error::NotFound { .. } => code::NOT_FOUND,
        Error::Invalid { .. } => code::USAGE,
        Error::Conflict { .. } => code::CONFLICT,
        Error::Unavailable { .. } | Error::Unknown(_) => code::UNAVAILABLE,
        Error::WriteScopeRequired | Error::Denied | Error::Internal(_) => code::FAILED,
    };
    let message = match &error {
        // The person at the machine may see what a key may not.
        Error::Internal(source) => text::internal_error(&chain(source.as_ref())),
        Error::Unknown(source) => text::outcome_unknown(&error, &chain(source.as_ref())),
        Error::Unavailable { reason, source } => text::unavailable(reason, &chain(source.as_ref())),
        _ => text::next::error(&error),
    };
    fail(code, message)
}

/// Converts the error of a store.
pub(crate) fn from_store(error: StoreError) -> anyhow::Error {
    if error.is_damage() {
        return damaged(&error);
    }
    from_core(error.into())
}

fn damaged(error: &StoreError) -> anyhow::Error {
    let cause = chain(error);
    let message = if error.is_of_credential() {
        // It says what to do.
        cause
    } else {
        text::database_damaged(&cause)
    };
    fail(code::PROBLEM_FOUND, message)
}

/// Converts the error of a backup or a restore.
pub(crate) fn from_backup(error: BackupError) -> anyhow::Error {
    let code = match error {
        BackupError::Store(StoreError::Unavailable(cause)) => {
            let message = text::backup::unavailable(&chain(cause.as_ref()));
            return fail(code::UNAVAILABLE, message);
        }
        BackupError::Folder(DataDirError::Io { ref source, .. }) if is_no_space(source) => {
            return fail(code::UNAVAILABLE, text::backup::no_space(&chain(&error)));
        }
        BackupError::Store(error) => return from_store(error),
        BackupError::FileExists(_)
        | BackupError::Folder(DataDirError::InUse(_) | DataDirError::OtherMasterKey(_)) => code::CONFLICT,
        BackupError::NotAFile(_) => code::NOT_FOUND,
        BackupError::NoMasterKey(_)
        | BackupError::WrongMasterKey { .. }
        | BackupError::Folder(DataDirError::NoMasterKey(_) | DataDirError::InvalidMasterKey { .. }) => {
            code::USAGE
        }
        BackupError::DamagedStore { .. }
        | BackupError::Damaged { .. }
        | BackupError::Changed(_)
        | BackupError::InvalidManifest(_) => code::PROBLEM_FOUND,
        BackupError::Folder(DataDirError::Busy(_)) => code::UNAVAILABLE,
        BackupError::Folder(_) | BackupError::Open(_) => code::FAILED,
    };
    fail(code, chain(&error))
}

/// Whether a disk is full or read-only.
fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Converts the error of the bridge.
pub(crate) fn from_bridge(error: BridgeError) -> anyhow::Error {
    match error {
        BridgeError::InsecureUrl => fail(code::USAGE, error.to_string()),
        other => other.into(),
    }
}

/// The messages of an error and its sources, separated by colons. A source that only repeats a message is left out.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut last = error.to_string();
    let mut messages = last.clone();
    let mut source = error.source();
    while let Some(inner) = source {
        let message = inner.to_string();
        if !message.contains(&last) {
            messages.push_str(": ");
            messages.push_str(&message);
            last = message;
        }
        source = inner.source();
    }
    messages
}

/// Returns the exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> Code {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or_else(
            || {
                if is_damaged(error) {
                    code::PROBLEM_FOUND
                } else if is_temporary(error) {
                    code::UNAVAILABLE
                } else {
                    code::FAILED
                }
            },
            |failure| failure.code,
        )
}
