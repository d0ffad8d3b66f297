//! Identifiers. Each is a distinct type, so that a finding's id can't be passed where an app's id is expected.
//! All are UUIDs of version 7: they sort by creation time and don't reveal row counts.

use crate::port::{Clock, Random};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The error of a text that isn't an identifier. It doesn't reveal whether such a thing exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: ids look like 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Generates an identifier from the clock and the random source.
            pub fn generate(clock: &dyn Clock, random: &dyn Random) -> Self {
                Self(new_uuid(clock, random))
            }
            /// Creates an identifier from the 16 bytes that a store keeps.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
            /// Returns the 16 bytes that a store keeps.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.as_hyphenated())
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated form: one id has one spelling.
                if text.len() != 36 { return Err(InvalidId); }
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    )+};
}

ids! {
    /// A workspace: the tenant of Watchpost that everything belongs to.
    WorkspaceId,
    /// An API key. The id is not the key's secret.
    KeyId,
    /// One connected platform instance.
    IntegrationId,
    /// The person or machine behind one or more accounts.
    IdentityId,
    /// One login on one integration.
    AccountId,
    /// A third-party application seen in an integration.
    AppId,
    /// A finding.
    FindingId,
    /// One sync: a run of reading an integration.
    SyncId,
    /// One analysis: a run of the rules over a workspace.
    AnalysisId,
    /// A job in the queue.
    JobId,
    /// A requested remediation.
    RemediationId,
    /// One scan: a run of all checks of a type against one integration.
    ScanId,
    /// A schedule of scans.
    ScheduleId,
    /// An exemption from a check.
    ExemptionId,
    /// The part of an imported result file that is about one tenant.
    BatchId,
    /// One imported result file.
    ImportId,
}

fn new_uuid(clock: &dyn Clock, random: &dyn Random) -> Uuid {
    let mut bytes = [0_u8; 10];
    random.fill(&mut bytes);
    let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let text = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        let id: FindingId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for wrong in [
            "",
            "x",
            "018f3c1e7a2b7c3d8e4f5a6b7c8d9e0f",
            "{018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f}",
            "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0g",
        ] {
            assert_eq!(wrong.parse::<FindingId>(), Err(InvalidId), "{wrong}");
        }
    }
}
