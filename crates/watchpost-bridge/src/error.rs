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
    /// The server can't be reached, or the connection failed.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
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
