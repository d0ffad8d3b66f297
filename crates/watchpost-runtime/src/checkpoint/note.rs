//! Checkpoints as signed notes: the formats `tlog-checkpoint` and `signed-note` of C2SP, with Ed25519.
//!
//! The lines of a note are the origin, the number of rows and the root of the tree, as the format defines them, then lines
//! of our own: the generation of the keys, the hash of the last row, the peaks of the tree, the time, and the key that
//! verifies the signature. A file holds one note for each workspace, separated by empty lines, so the file of a single
//! workspace is a note as other programs read it.

use crate::text;
use aws_lc_rs::{
    hkdf,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use watchpost_core::{
    audit::{checkpoint::Checkpoint, tree::RowTree},
    value::{id::WorkspaceId, time::Timestamp},
};
use zeroize::Zeroizing;

/// The byte that stands for Ed25519 in key ids and verification keys.
const ED25519_TYPE: u8 = 1;
/// The beginning of a signature line.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// Separates this use of the master key from all others.
const KEY_SALT: &[u8] = b"watchpost checkpoint";
const KEY_INFO: &[u8] = b"ed25519 seed 1";

/// Reasons for which a note isn't accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is not a checkpoint.
    #[error("it is not a checkpoint: {0}")]
    Format(&'static str),
    /// The signature doesn't match the text or was made with another key.
    #[error("its signature is not valid for this instance's key")]
    Signature,
}

/// The public key that verifies the checkpoints of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// The name of the instance: the first 16 hexadecimal digits of the SHA-256 of its public key.
    pub fn instance(&self) -> String {
        hex(&Sha256::digest(self.0)[..8])
    }

    fn id(&self, name: &str) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(name.as_bytes())
            .chain_update([b'\n', ED25519_TYPE])
            .chain_update(self.0)
            .finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The key in the text form of C2SP: name, key id and public key, separated by `+`.
    fn to_text(self, name: &str) -> String {
        let mut encoded = vec![ED25519_TYPE];
        encoded.extend_from_slice(&self.0);
        format!("{name}+{}+{}", hex(&self.id(name)), STANDARD.encode(encoded))
    }

    /// Reads the text form of a key. Returns the key and its name.
    ///
    /// # Errors
    /// [`NoteError::Format`].
    pub fn parse(text: &str) -> Result<(Self, String), NoteError> {
        let wrong = || NoteError::Format(text::checkpoint::INVALID_KEY);
        // Base64 may contain a plus sign, a name and a key id may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| wrong())?;
        let key = match bytes.split_first() {
            Some((&ED25519_TYPE, key)) => Self(key.try_into().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        };
        if name.is_empty() || id != hex(&key.id(name)) {
            return Err(wrong());
        }
        Ok((key, name.to_owned()))
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(text.as_bytes(), signature)
            .map_err(|_| NoteError::Signature)
    }
}

/// Signs the checkpoints of an instance.
pub struct Signer {
    pair: Ed25519KeyPair,
    key: VerifyingKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Derives the signing key from the master key with HKDF-SHA-256, for this purpose only.
    pub(crate) fn derive(master: &[u8; 32]) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, KEY_SALT)
            .extract(master)
            .expand(&[KEY_INFO], hkdf::HKDF_SHA256)
            .and_then(|material| material.fill(seed.as_mut_slice()))
            .expect("HKDF-SHA-256 yields 32 bytes");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("a seed has 32 bytes");
        let mut key = [0; 32];
        key.copy_from_slice(pair.public_key().as_ref());
        Self {
            pair,
            key: VerifyingKey(key),
        }
    }

    /// The key that verifies the signatures.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Writes a checkpoint as a signed note.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> String {
        let origin = origin(&self.key, checkpoint.workspace);
        let mut note = String::with_capacity(1_024);
        let peaks: Vec<u8> = checkpoint.tree.peaks().concat();
        let mut line = |prefix: &str, value: &str| {
            note.push_str(prefix);
            note.push_str(value);
            note.push('\n');
        };
        line("", &origin);
        line("", &checkpoint.rows().to_string());
        line("", &STANDARD.encode(checkpoint.tree.root()));
        line("keys ", &checkpoint.key_generation.to_string());
        line("tip ", &STANDARD.encode(checkpoint.tip));
        line("peaks ", &STANDARD.encode(peaks));
        line("at ", &checkpoint.at.to_string());
        line("vkey ", &self.key.to_text(&origin));
        let mut signature = self.key.id(&origin).to_vec();
        signature.extend_from_slice(self.pair.sign(note.as_bytes()).as_ref());
        let _ = write!(
            note,
            "\n{SIGNATURE_MARK}{origin} {}\n",
            STANDARD.encode(signature)
        );
        note
    }
}

fn origin(key: &VerifyingKey, workspace: WorkspaceId) -> String {
    format!("watchpost/{}/{workspace}", key.instance())
}

/// A checkpoint whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VerifiedCheckpoint {
    /// The checkpoint.
    pub(super) checkpoint: Checkpoint,
    /// The key that verified it.
    pub(super) key: VerifyingKey,
}

/// Reads the notes of a file and verifies their signatures, with `trusted` or, without it, with the key that each note
/// names. The latter shows only that the note was not damaged: anyone can sign with a key of their own.
///
/// # Errors
/// [`NoteError`] for the first note that is not a valid checkpoint.
pub(super) fn read_notes(
    file: &str,
    trusted: Option<&VerifyingKey>,
) -> Result<Vec<VerifiedCheckpoint>, NoteError> {
    let format = |problem| Err(NoteError::Format(problem));
    let mut rest = file;
    let mut notes = Vec::new();
    while !rest.is_empty() {
        let Some((lines, after)) = rest.split_once("\n\n") else {
            return format(text::checkpoint::NO_SIGNATURE);
        };
        let signed = &rest[..=lines.len()];
        let (signatures, after) = after
            .split_once("\n\n")
            .map_or((after, ""), |(lines, after)| (lines, after));
        notes.push(read_note(signed, signatures.trim_end_matches('\n'), trusted)?);
        rest = after;
    }
    if notes.is_empty() {
        return format(text::checkpoint::EMPTY);
    }
    Ok(notes)
}

fn read_note(
    signed: &str,
    signatures: &str,
    trusted: Option<&VerifyingKey>,
) -> Result<VerifiedCheckpoint, NoteError> {
    let wrong = || NoteError::Format(text::checkpoint::INVALID_LINE);
    let mut lines = signed.lines();
    let mut next = |prefix: &str| {
        lines
            .next()
            .and_then(|line| line.strip_prefix(prefix))
            .ok_or_else(wrong)
    };
    let name = next("")?;
    let rows: u64 = number(next("")?).ok_or_else(wrong)?;
    let root = hash(next("")?).ok_or_else(wrong)?;
    let key_generation = number(next("keys ")?).ok_or_else(wrong)?;
    let tip = hash(next("tip ")?).ok_or_else(wrong)?;
    let peaks = STANDARD.decode(next("peaks ")?).map_err(|_| wrong())?;
    let at: Timestamp = next("at ")?.parse().map_err(|_| wrong())?;
    let (named, key_name) = VerifyingKey::parse(next("vkey ")?)?;
    let key = trusted.copied().unwrap_or(named);
    // Signatures of other keys, such as those of witnesses, are ignored.
    let signature = signatures
        .lines()
        .filter_map(|line| {
            line.strip_prefix(SIGNATURE_MARK)?
                .strip_prefix(name)?
                .strip_prefix(' ')
        })
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .find(|bytes| bytes.starts_with(&key.id(name)))
        .ok_or(NoteError::Signature)?;
    key.verify(signed, &signature[4..])?;
    let workspace: WorkspaceId = name
        .strip_prefix(&format!("watchpost/{}/", key.instance()))
        .and_then(|id| id.parse().ok())
        .ok_or_else(wrong)?;
    let peaks: Vec<[u8; 32]> = peaks
        .chunks(32)
        .map(|peak| peak.try_into().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    let tree = RowTree::from_peaks(rows, peaks).ok_or_else(wrong)?;
    if tree.root() != root || key_name != name || named != key {
        return Err(wrong());
    }
    Ok(VerifiedCheckpoint {
        checkpoint: Checkpoint {
            workspace,
            tree,
            tip,
            key_generation,
            at,
        },
        key,
    })
}

/// A decimal number without leading zeros.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn hash(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(workspace: u8, rows: u8) -> Checkpoint {
        let mut tree = RowTree::default();
        for row in 0..rows {
            tree.append(&[row; 32]);
        }
        Checkpoint {
            workspace: WorkspaceId::from_bytes([workspace; 16]),
            tree,
            tip: [rows; 32],
            key_generation: 3,
            at: "2026-03-01T07:01:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn notes_are_read_back_and_any_change_is_found() {
        let signer = Signer::derive(&[7; 32]);
        let one = checkpoint(1, 5);
        let two = checkpoint(2, 64);
        let file = [signer.sign(&one), signer.sign(&two)].join("\n");
        let read: Vec<_> = read_notes(&file, Some(signer.key()))
            .unwrap()
            .into_iter()
            .map(|note| note.checkpoint)
            .collect();
        assert_eq!(read, [one, two]);
        assert!(read_notes(&file, None).is_ok(), "the key in the note verifies it");
        let note = signer.sign(&checkpoint(1, 5));
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(edited) = String::from_utf8(bytes) {
                let accepted = read_notes(&edited, Some(signer.key()));
                // The last bits of the Base64 text of a signature may have no meaning.
                assert!(accepted.is_err(), "byte {at}: {edited}");
            }
            let cut = note.get(..at).map(|cut| read_notes(cut, Some(signer.key())));
            assert!(
                cut.is_none_or(|read| read.is_err()) || at == note.len() - 1,
                "cut at {at}"
            );
        }
        let other = Signer::derive(&[8; 32]);
        assert_eq!(
            read_notes(&note, Some(other.key())),
            Err(NoteError::Signature),
            "another instance"
        );
        assert!(read_notes(&other.sign(&checkpoint(1, 5)), None).is_ok());
    }

    #[test]
    fn the_signing_key_and_the_form_of_a_note_do_not_change() {
        insta::assert_snapshot!(Signer::derive(&[7; 32]).sign(&checkpoint(1, 5)));
    }

    /// The key and the note of the documentation of Go's `sumdb/note`.
    #[test]
    fn keys_and_signatures_are_those_of_other_implementations() {
        let (key, name) =
            VerifyingKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
                .unwrap();
        assert_eq!(name, "PeterNeumann");
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let signature = STANDARD
            .decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=")
            .unwrap();
        assert_eq!(signature[..4], key.id(&name));
        assert_eq!(key.verify(text, &signature[4..]), Ok(()));
        assert!(key.verify("another text\n", &signature[4..]).is_err());
    }
}
