//! Calls whose answer names somebody. The vault records each in its own ledger before it answers.

use crate::{Personal, SecretText};
use model::{PersonNumber, ProjectId, PurposeCode};
use serde::{Deserialize, Serialize};

/// Code and reason. The text (10 to 500 scalars) may well name the person, so it is sealed like an identity.
#[derive(Clone)]
pub struct Purpose {
    pub code: PurposeCode,
    pub text: Personal,
}

/// Who asks. A session is proved by its secret, which the vault checks itself; a service account is vouched for by
/// the query side, which the vault accepts in tier T0 with approvals off only.
#[derive(Clone)]
pub enum Asker {
    Session(SecretText),
    ServiceAccount(String),
}

/// Which of the two namespaces an identifier lives in (ID-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    Device,
    User,
}

impl IdentityKind {
    pub fn as_str(self) -> &'static str {
        match self {
            IdentityKind::User => "user",
            IdentityKind::Device => "device",
        }
    }
}

#[derive(Clone)]
pub struct RevealRequest {
    pub project: ProjectId,
    pub person: PersonNumber,
    /// `None`: every identifying field there is.
    pub fields: Option<Vec<String>>,
    pub asker: Asker,
    pub purpose: Purpose,
}

/// The answer to a reveal: fields of the whole cluster (the canonical person's win) and every identifier of it.
pub struct Revealed {
    /// Field name and value as JSON text, by name.
    pub fields: Vec<(String, Personal)>,
    pub identifiers: Vec<(IdentityKind, Personal)>,
    /// Number of the ledger entry that recorded this answer.
    pub ledger_seq: u64,
}

/// "Is alice here": by exact identifier, or by e-mail address or phone number in any spelling.
#[derive(Clone)]
pub struct LookupRequest {
    pub project: ProjectId,
    pub identifier: Personal,
    pub asker: Asker,
    pub purpose: Purpose,
}
