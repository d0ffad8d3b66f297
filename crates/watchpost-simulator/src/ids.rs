//! Vendor identifiers, which are computed from a kind and an index, so that an object can be found without a table.

/// The kind of object that an identifier names. The number is part of the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Person = 1,
    ServicePrincipal = 2,
    Registration = 3,
    Client = 4,
    Group = 5,
    RoleAssignment = 6,
    Schedule = 7,
    Grant = 8,
    AppRole = 9,
    Credential = 10,
    OktaApp = 11,
    OktaRole = 12,
    OktaFactor = 13,
    OktaGroup = 14,
    OktaToken = 15,
    OktaGrant = 16,
    Event = 17,
    Request = 18,
    Tenant = 19,
    OktaUserGrant = 20,
    Snapshot = 21,
    RolePolicy = 22,
    Federated = 23,
    Assignment = 24,
}

/// Mixes a seed, a kind and an index into a 64-bit number (the SplitMix64 finalizer).
pub(crate) const fn mix(seed: u64, kind: u64, index: u64) -> u64 {
    let mut z = seed
        .wrapping_add(kind.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(index.wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns a GUID as Microsoft writes it. The last twelve digits are the index.
pub(crate) fn guid(seed: u64, kind: Kind, index: u64) -> String {
    let noise = mix(seed, kind as u64, index) >> 32;
    format!("{noise:08x}-{:04x}-4000-8000-{index:012x}", kind as u64)
}

/// Returns the index in a GUID made by [`guid`] with the same seed and kind.
pub(crate) fn guid_index(seed: u64, kind: Kind, text: &str) -> Option<u64> {
    let index = u64::from_str_radix(text.get(24..36)?, 16).ok()?;
    (guid(seed, kind, index) == text).then_some(index)
}

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Returns a 20-character Okta id with the given three-character prefix. The last eight characters are the index.
pub(crate) fn okta(seed: u64, prefix: &str, kind: Kind, index: u64) -> String {
    let mut text = String::with_capacity(20);
    text.push_str(prefix);
    push_base36(&mut text, mix(seed, kind as u64, index), 9);
    push_base36(&mut text, index, 8);
    text
}

/// Returns the index in an id made by [`okta`] with the same arguments.
pub(crate) fn okta_index(seed: u64, prefix: &str, kind: Kind, text: &str) -> Option<u64> {
    let index = u64::from_str_radix(text.get(12..20)?, 36).ok()?;
    (okta(seed, prefix, kind, index) == text).then_some(index)
}

fn push_base36(text: &mut String, mut number: u64, width: u32) {
    let mut digits = [b'0'; 16];
    for slot in digits.iter_mut().take(width as usize).rev() {
        *slot = BASE36[(number % 36) as usize];
        number /= 36;
    }
    text.extend(digits.iter().take(width as usize).map(|&b| char::from(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_an_identifier_can_be_recovered() {
        for index in [0, 1, 599, 99_999] {
            let id = guid(7, Kind::Person, index);
            assert_eq!(id.len(), 36);
            assert_eq!(guid_index(7, Kind::Person, &id), Some(index));
            assert_eq!(guid_index(7, Kind::Group, &id), None, "another kind");
            let id = okta(7, "00u", Kind::Person, index);
            assert_eq!(id.len(), 20);
            assert_eq!(okta_index(7, "00u", Kind::Person, &id), Some(index));
            assert_eq!(okta_index(8, "00u", Kind::Person, &id), None, "another seed");
        }
        for foreign in [
            "",
            "é",
            "me",
            "00000000-0000-0000-0000-0000000000zz",
            "日本語日本語日本語日本語日本語",
        ] {
            assert_eq!(guid_index(7, Kind::Person, foreign), None);
            assert_eq!(okta_index(7, "00u", Kind::Person, foreign), None);
        }
    }
}
