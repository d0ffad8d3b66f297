//! The length of DKIM keys.

use base64::{Engine, prelude::BASE64_STANDARD};

/// Returns the value of a tag in a `name=value; …` record, without surrounding whitespace.
pub(super) fn tag<'r>(record: &'r str, wanted: &str) -> Option<&'r str> {
    record.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
    })
}

/// Returns the length of the RSA modulus in a DKIM record, in bits; `None` for a key of another type, a revoked key and a
/// malformed record.
pub(super) fn rsa_bits(record: &str) -> Option<usize> {
    if tag(record, "k").is_some_and(|kind| !kind.eq_ignore_ascii_case("rsa")) {
        return None;
    }
    let text: String = tag(record, "p")?
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    let (0x30, content, _) = element(&der)? else {
        return None;
    };
    // The value is either an `RSAPublicKey`, or a `SubjectPublicKeyInfo` that contains one in a bit string.
    let key = match element(content)? {
        (0x02, _, _) => content,
        (0x30, _, rest) => {
            let (0x03, bits, _) = element(rest)? else {
                return None;
            };
            let (0x30, key, _) = element(bits.get(1..)?)? else {
                return None;
            };
            key
        }
        _ => return None,
    };
    let (0x02, modulus, _) = element(key)? else {
        return None;
    };
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let lead = modulus.get(first)?.leading_zeros();
    let bytes = modulus.len().checked_sub(first)?;
    bytes.checked_mul(8)?.checked_sub(usize::try_from(lead).ok()?)
}

/// Splits off a DER element. Returns its tag, its content and the rest of the input.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 0x82, length[0], length[1]], content].concat()
    }

    /// Returns a DKIM record with a public key whose modulus has this many bytes.
    fn record(modulus_bytes: usize, first: u8) -> String {
        let mut modulus = vec![0, first];
        modulus.resize(modulus_bytes + 1, 0x55);
        let key = long(0x30, &[long(0x02, &modulus), vec![0x02, 3, 1, 0, 1]].concat());
        let bits = long(0x03, &[vec![0], key].concat());
        let spki = long(0x30, &[vec![0x30, 2, 0x05, 0], bits].concat());
        format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(spki))
    }

    #[test]
    fn the_length_is_that_of_the_modulus() {
        for bits in [512, 1024, 2048, 4096] {
            assert_eq!(rsa_bits(&record(bits / 8, 0x80)), Some(bits));
        }
        assert_eq!(rsa_bits(&record(128, 0x01)), Some(1017));
    }

    #[test]
    fn records_without_an_rsa_key_have_no_length() {
        for text in [
            "",
            "v=DKIM1; p=",
            "v=DKIM1; p=!!",
            "v=DKIM1; p=AAAA",
            "v=DKIM1; k=ed25519; p=AAAA",
        ] {
            assert_eq!(rsa_bits(text), None, "{text}");
        }
    }

    #[test]
    fn truncated_keys_have_no_length_and_cause_no_panic() {
        let whole = record(64, 0x80);
        for end in 0..whole.len() {
            assert_eq!(rsa_bits(&whole[..end]), None, "{end}");
        }
    }
}
