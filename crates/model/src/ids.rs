//! Newtypes for everything that is a number and must not be mixed up with another number.

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A project (tenant). Part of every key, index, number and budget.
    ProjectId(u32)
);
number!(
    /// A person as the event store knows them: dense per project, given by the vault in order of first sight.
    ///
    /// 0 is [`PersonNumber::NOBODY`]: the event counts, but no per-person analysis sees it. Never derived from an
    /// identity, never re-used (secrecy contract, ID-1).
    PersonNumber(u64)
);
number!(
    /// A group (company, workspace, …): dense per project and group key, given by the vault.
    GroupNumber(u64)
);
number!(
    /// A member of staff. Their name and address are in the vault's account database only.
    AccountNumber(u64)
);
number!(
    /// Instant of an event in milliseconds since 1970-01-01T00:00:00Z.
    EventTime(i64)
);
number!(
    /// Keyed digest of a client's `$insert_id`: 8 bytes of `BLAKE3-keyed(K_dedup[project], raw id)`.
    ///
    /// Enough for deduplication because event, person and time are in the key too; the raw id could hold an identity.
    InsertId(u64)
);

impl PersonNumber {
    /// The person number of an event that belongs to nobody.
    pub const NOBODY: PersonNumber = PersonNumber(0);
    /// First number of the range reserved for canary persons.
    pub const CANARY_MIN: PersonNumber = PersonNumber(1 << 47);

    pub fn is_nobody(self) -> bool {
        self == Self::NOBODY
    }
}

/// Names one ingestion batch across vault, spool and log, so that a lost reply can be retried without effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchId(pub [u8; 16]);
