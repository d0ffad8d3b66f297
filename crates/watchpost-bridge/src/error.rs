//! The bridge's errors.

use std::{io, path::PathBuf};

/// The reason why the bridge can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// The key would travel unencrypted over a network.
    #[error("`--url`: a key travels only over https, or over http to this machine")]
    InsecureUrl,
    /// The key's file can't be read.
    #[error("can't read {}", path.display())]
    KeyFile {
        /// The file, as given.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The HTTP client can't be built.
    #[error("can't prepare the HTTP client")]
    Client(#[source] reqwest::Error),
    /// Standard input failed.
    #[error("can't read from standard input")]
    Input(#[source] io::Error),
    /// Standard output failed: the client is gone.
    #[error("can't write to standard output")]
    Output(#[source] io::Error),
}

/// The reason why one message could not be forwarded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// The server can't be reached, or the connection broke.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// The server's answer is longer than a message may be.
    #[error("its answer is longer than 8 MiB")]
    AnswerTooLong,
    /// One event of the server's stream is longer than a message may be.
    #[error("an event is longer than 8 MiB")]
    EventTooLong,
    /// The client can't be written to.
    #[error("can't write to standard output: {0}")]
    Output(#[from] io::Error),
}
