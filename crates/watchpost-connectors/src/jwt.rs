//! Signed client assertions (RFC 7515, RFC 7523), with which a connector authenticates without sending its private key.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::{KeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use watchpost_core::{port::Random, value::time::Timestamp};

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

/// The reason why a key can't be used. The messages don't quote the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the private key is encrypted; provide it without a passphrase")]
    Encrypted,
    #[error("no private key found; provide a PEM block (`BEGIN PRIVATE KEY`) or a JWK")]
    Missing,
    #[error("only RSA keys of at least 2048 bits are accepted")]
    Unfit,
    #[error("the JWK is not a complete RSA private key (n, e, d, p, q, dp, dq and qi are required)")]
    PartialJwk,
    #[error(
        "no certificate found; provide the PEM blocks of the certificate and of its private key together"
    )]
    NoCertificate,
    #[error("signing failed")]
    Signing,
}

/// An RSA private key.
pub(crate) struct SigningKey {
    pair: KeyPair,
    /// The vendor's id of the public key, if the private key names one.
    pub(crate) kid: Option<String>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// An RSA private key as a JWK (RFC 7518, section 6.3.2).
#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl SigningKey {
    /// Parses a key in PEM (PKCS#8 or PKCS#1) or JWK format.
    pub(crate) fn read(text: &str) -> Result<Self, KeyError> {
        if text.trim_start().starts_with('{') {
            return Self::from_jwk(text);
        }
        if text.contains("ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| KeyError::Missing)?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(KeyError::Unfit),
        }
        .map_err(|_| KeyError::Unfit)?;
        Ok(Self { pair, kid: None })
    }

    fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::PartialJwk)?;
        let part = |field: &Option<String>| {
            let text = field.as_deref().ok_or(KeyError::PartialJwk)?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::PartialJwk)
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: part(&jwk.n)?,
                e: part(&jwk.e)?,
            },
            d: part(&jwk.d)?,
            p: part(&jwk.p)?,
            q: part(&jwk.q)?,
            dP: part(&jwk.dp)?,
            dQ: part(&jwk.dq)?,
            qInv: part(&jwk.qi)?,
        };
        let pair = KeyPair::from_components(&components).map_err(|_| KeyError::Unfit)?;
        Ok(Self { pair, kid: jwk.kid })
    }

    /// Signs the claims. Returns a JWS in compact serialization (RFC 7515, section 7.1).
    pub(crate) fn sign(
        &self,
        algorithm: Algorithm,
        mut header: Map<String, Value>,
        claims: &Value,
    ) -> Result<String, KeyError> {
        let (alg, padding) = match algorithm {
            Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
            Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
        };
        header.insert("alg".to_owned(), alg.into());
        header.insert("typ".to_owned(), "JWT".into());
        let mut text = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
        let mut signature = vec![0_u8; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Signing)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
        Ok(text)
    }
}

/// Returns the thumbprint by which Entra identifies a certificate (`x5t#S256`): SHA-256 of its DER encoding, in base64url.
pub(crate) fn certificate_thumbprint(pem: &str) -> Result<String, KeyError> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NoCertificate)?;
    Ok(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &certificate)))
}

/// Returns the claims of a client assertion (RFC 7523, section 3) for one audience, valid from one minute ago for the next
/// five minutes.
pub(crate) fn client_claims(client_id: &str, audience: &str, now: Timestamp, random: &dyn Random) -> Value {
    let seconds = now.as_millis().div_euclid(1_000);
    let mut id = [0_u8; 16];
    random.fill(&mut id);
    json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": URL_SAFE_NO_PAD.encode(id),
        "iat": seconds,
        "nbf": seconds.saturating_sub(60),
        "exp": seconds.saturating_add(300),
    })
}
