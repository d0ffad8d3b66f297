//! The master key, keys derived from it, and the sealing of credentials.

use crate::{
    base::fault::{Fault, Res},
    text,
};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit as _, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use watchpost_core::{
    error::CREDENTIALS,
    port::Random,
    value::id::{IntegrationId, WorkspaceId},
};
use zeroize::Zeroizing;

/// The instance's master key: 32 secret bytes. The caller reads and creates the key file; the store never writes the key.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Creates the key from the 32 bytes of the key file.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// Derives the key for one purpose: HMAC-SHA-256 over the purpose's name. One purpose's key reveals nothing about
    /// another's.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.0.as_slice())
            .expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The version of the sealing key. It is part of the associated data, so that a key rotation can tell old from new.
pub(crate) const KEY_VERSION: i64 = 1;

/// Seals credentials with XChaCha20-Poly1305.
pub(crate) struct Sealer(XChaCha20Poly1305);

/// The position of a credential. A sealed credential can be opened only with the associated data it was sealed with.
#[derive(Clone, Copy)]
pub(crate) struct AssociatedData<'a> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) integration: IntegrationId,
    pub(crate) field: &'a str,
    pub(crate) key_version: i64,
}

impl AssociatedData<'_> {
    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        for part in [
            b"integration_secrets".as_slice(),
            self.workspace.as_bytes(),
            self.integration.as_bytes(),
            self.field.as_bytes(),
            &self.key_version.to_le_bytes(),
        ] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}

impl Sealer {
    pub(crate) fn new(master: &MasterKey) -> Self {
        let key = Zeroizing::new(master.derive("seal credentials v1"));
        Self(XChaCha20Poly1305::new((&*key).into()))
    }

    /// Seals `clear` and returns the nonce and the sealed bytes.
    pub(crate) fn seal(
        &self,
        associated: AssociatedData<'_>,
        clear: &[u8],
        random: &dyn Random,
    ) -> Res<([u8; 24], Vec<u8>)> {
        let mut nonce = [0_u8; 24];
        random.fill(&mut nonce);
        let aad = associated.to_bytes();
        let payload = Payload {
            msg: clear,
            aad: &aad,
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Fault::Damaged(CREDENTIALS, text::CREDENTIAL_NOT_SEALED.into()))?;
        Ok((nonce, sealed))
    }

    /// Returns the clear bytes if they were sealed with the same key and associated data and haven't been changed.
    pub(crate) fn open(
        &self,
        associated: AssociatedData<'_>,
        nonce: [u8; 24],
        sealed: &[u8],
    ) -> Res<Zeroizing<Vec<u8>>> {
        let aad = associated.to_bytes();
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        self.0
            .decrypt(&XNonce::from(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| Fault::Damaged(CREDENTIALS, text::CREDENTIAL_NOT_OPENED.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct ConstantRandom;
    impl Random for ConstantRandom {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_credential_opens_only_where_it_was_sealed() {
        let sealer = Sealer::new(&MasterKey::new([1; 32]));
        let associated = AssociatedData {
            workspace: WorkspaceId::from_bytes([1; 16]),
            integration: IntegrationId::from_bytes([2; 16]),
            field: "api_token",
            key_version: 1,
        };
        let (nonce, sealed) = sealer.seal(associated, b"clear", &ConstantRandom).unwrap();
        assert_eq!(
            sealer.open(associated, nonce, &sealed).unwrap().as_slice(),
            b"clear"
        );
        let assert_rejected = |associated, nonce, sealed: &[u8], sealer: &Sealer| {
            assert!(sealer.open(associated, nonce, sealed).is_err());
        };
        let workspace = WorkspaceId::from_bytes([9; 16]);
        assert_rejected(
            AssociatedData {
                workspace,
                ..associated
            },
            nonce,
            &sealed,
            &sealer,
        );
        let integration = IntegrationId::from_bytes([9; 16]);
        assert_rejected(
            AssociatedData {
                integration,
                ..associated
            },
            nonce,
            &sealed,
            &sealer,
        );
        assert_rejected(
            AssociatedData {
                field: "other",
                ..associated
            },
            nonce,
            &sealed,
            &sealer,
        );
        assert_rejected(
            AssociatedData {
                key_version: 2,
                ..associated
            },
            nonce,
            &sealed,
            &sealer,
        );
        assert_rejected(associated, [8; 24], &sealed, &sealer);
        assert_rejected(associated, nonce, &sealed, &Sealer::new(&MasterKey::new([2; 32])));
        for i in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[i] ^= 1;
            assert_rejected(associated, nonce, &flipped, &sealer);
        }
    }

    #[test]
    fn each_purpose_has_its_own_key_and_debug_output_hides_the_master_key() {
        let master = MasterKey::new([3; 32]);
        assert_ne!(master.derive("cursor"), master.derive("session"));
        assert_eq!(format!("{master:?}"), "MasterKey(…)");
    }
}
