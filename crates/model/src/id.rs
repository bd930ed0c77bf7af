//! Identifiers: UUID version 7, one type per noun, so that a device cannot be taken for a person.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Millis;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes an id from a time and ten random bytes, both given by the caller.
            pub fn from_parts(now: Millis, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.0).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The first and last characters, for tables where the whole id would not be read.
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                format!("{}…{}", &text[..4], &text[28..])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// One enrolled device. A device enrolled again is a new device.
    DeviceId
}
id! {
    /// One person, as the ledger names them: an id without meaning.
    PersonId
}
id! {
    /// One unit of the organisation.
    UnitId
}
id! {
    /// One session of somebody signed in.
    SessionId
}
id! {
    /// One passkey, token, look or channel: whatever a person has several of.
    RecordId
}

impl UnitId {
    /// The organisation itself: the unit above all others, there from the start.
    pub const ORGANISATION: Self = Self(Uuid::from_u128(0x7000_8000_0000_0000_0001));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisation_is_the_row_that_the_first_migration_writes() {
        assert_eq!(UnitId::ORGANISATION.to_string(), "00000000-0000-7000-8000-000000000001");
    }
}
