//! Checkpoints in the system's log, so that a copy of each is out of reach of a person who can change the files.

use std::path::Path;
use watchpost_core::audit::checkpoint::Checkpoint;

/// The socket of the system's log.
#[cfg(unix)]
pub(super) const SOCKET: &str = "/dev/log";
#[cfg(not(unix))]
pub(super) const SOCKET: &str = "";

/// The facility `authpriv` (10) and the severity `notice` (5), as RFC 3164 combines them.
#[cfg(unix)]
const PRIORITY: u32 = 10 * 8 + 5;

/// Sends one message for each checkpoint: the lines of its signed note, separated by spaces.
#[cfg(unix)]
pub(super) fn send(socket: &Path, checkpoints: &[(Checkpoint, String)]) -> std::io::Result<()> {
    let datagrams = std::os::unix::net::UnixDatagram::unbound()?;
    for (_, note) in checkpoints {
        let line: Vec<&str> = note.lines().filter(|line| !line.is_empty()).collect();
        let message = format!(
            "<{PRIORITY}>watchpost[{}]: checkpoint {}",
            std::process::id(),
            line.join(" ")
        );
        datagrams.send_to(message.as_bytes(), socket)?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn send(_socket: &Path, _checkpoints: &[(Checkpoint, String)]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use watchpost_core::{
        audit::tree::RowTree,
        value::{id::WorkspaceId, time::Timestamp},
    };

    #[test]
    fn a_message_is_one_line_with_the_whole_note() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("log");
        let log = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
        let checkpoint = Checkpoint {
            workspace: WorkspaceId::from_bytes([1; 16]),
            tree: RowTree::default(),
            tip: [0; 32],
            key_generation: 1,
            at: Timestamp::from_millis(0),
        };
        let note = "origin\n7\nroot\n\n\u{2014} origin signature\n".to_owned();
        send(&socket, &[(checkpoint, note)]).unwrap();
        let mut bytes = [0; 1_024];
        let length = log.recv(&mut bytes).unwrap();
        let message = std::str::from_utf8(&bytes[..length]).unwrap();
        let (head, text) = message.split_once(": ").unwrap();
        assert_eq!(head, format!("<85>watchpost[{}]", std::process::id()));
        assert_eq!(text, "checkpoint origin 7 root \u{2014} origin signature");
    }
}
