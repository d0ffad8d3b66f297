//! The bridge's errors.

use std::{io, path::PathBuf};

/// The reason why the bridge can't start or can't continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// The key would travel unencrypted over a network.
    #[error(
        "`--url` must begin with https://, or with http:// for a server on this machine: the key must not travel unencrypted"
    )]
    InsecureUrl,
    /// The key's file can't be read.
    #[error("can't read `{}`", path.display())]
    KeyFile {
        /// The file's path.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The text of the key isn't a key. Its value isn't repeated.
    #[error(
        "the API key in `{origin}` contains a line break, a space or another character that no key has: it must be the key alone"
    )]
    InvalidKey {
        /// The file or environment variable.
        origin: String,
    },
    /// A header isn't valid. Its value isn't repeated, since it may be a key.
    #[error(
        "`{header}` is not a header: write `--header 'NAME: VALUE'`, or MCP_HEADERS as a JSON object of strings"
    )]
    InvalidHeader {
        /// The header's name, or the text without a name.
        header: String,
    },
    /// A header refers to an environment variable that isn't set.
    #[error("the environment variable `{name}`, which a header refers to, is not set")]
    MissingVariable {
        /// The variable's name.
        name: String,
    },
    /// The HTTP client can't be built.
    #[error("can't set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Standard input failed.
    #[error("can't read from standard input")]
    Input(#[source] io::Error),
    /// Standard output failed, since the client has closed it.
    #[error("can't write to standard output")]
    Output(#[source] io::Error),
}

/// The reason why one message could not be forwarded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// The server sent nothing for too long.
    #[error(
        "the server sent nothing for a minute; if the call changes something, check whether it did before you repeat it"
    )]
    Silent,
    /// There is no connection to the server, so it has not seen the message.
    #[error(
        "no connection to {host} ({reason}); check that the server is running and that `--url` names it. The server has not seen the call, so it is safe to repeat"
    )]
    Unreachable {
        /// The host and port of `--url`.
        host: String,
        /// The innermost error.
        reason: String,
    },
    /// The connection failed after it was established.
    #[error(
        "the connection failed ({reason}); if the call changes something, check whether it did before you repeat it"
    )]
    Broken {
        /// The innermost error.
        reason: String,
    },
    /// The stream of the answer ended before the answer.
    #[error(
        "the connection ended before the answer; if the call changes something, check whether it did before you repeat it"
    )]
    EndedEarly,
    /// The server's answer is longer than a message can be.
    #[error("its answer is longer than 8 MiB")]
    AnswerTooLong,
    /// One event of the server's stream is longer than a message can be.
    #[error("an event of its answer is longer than 8 MiB")]
    EventTooLong,
    /// The client can't be written to.
    #[error("can't write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl From<reqwest::Error> for ForwardError {
    fn from(error: reqwest::Error) -> Self {
        let reason = innermost(&error);
        if error.is_connect() {
            let host = error
                .url()
                .map_or_else(|| "the server".to_owned(), |url| url.authority().to_owned());
            Self::Unreachable { host, reason }
        } else if error.is_timeout() {
            Self::Silent
        } else {
            Self::Broken { reason }
        }
    }
}

/// The message of the innermost error, as `Connection refused`. The outer ones only say that a request failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
