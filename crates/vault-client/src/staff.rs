//! People who work with the product: roles, sign-in, sessions. And the tier, which they are shown.

use crate::SecretText;
use model::AccountNumber;
use serde::{Deserialize, Serialize};

/// What an account may do; the table of permissions is section 5.2 of the secrecy contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Analyst,
    Viewer,
    PrivacyOfficer,
    Auditor,
}

impl Role {
    pub const ALL: [Role; 6] = [
        Role::Owner,
        Role::Admin,
        Role::Analyst,
        Role::Viewer,
        Role::PrivacyOfficer,
        Role::Auditor,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Analyst => "analyst",
            Role::Viewer => "viewer",
            Role::PrivacyOfficer => "privacy_officer",
            Role::Auditor => "auditor",
        }
    }

    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// How well the root key is kept (secrecy contract 0.1). Printed at start and shown on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Root key in a file beside the data: trial only.
    T0,
    /// One host, root key not on its disk.
    T1,
    /// Vault on its own host.
    T2,
    /// Vault opened by a quorum.
    T3,
}

impl Tier {
    pub fn code(self) -> &'static str {
        match self {
            Tier::T0 => "T0",
            Tier::T1 => "T1",
            Tier::T2 => "T2",
            Tier::T3 => "T3",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Tier::T0 => "trial",
            Tier::T1 => "one host",
            Tier::T2 => "separate vault host",
            Tier::T3 => "quorum",
        }
    }

    /// What staff must know before they trust this installation with real people.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Tier::T0 => Some(
                "Trial: the root key lies in a file beside the data. Whoever copies this disk can read every identity.",
            ),
            Tier::T1 => Some("One user id for all processes: keys are off the disk, processes are not isolated."),
            Tier::T2 | Tier::T3 => None,
        }
    }
}

/// A sign-in that is valid now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub account: AccountNumber,
    pub role: Role,
    /// Salted digest of the session secret, for ledger entries: names the session without being able to use it.
    pub session_commit: [u8; 32],
    /// When it ends if nothing more is asked; milliseconds since 1970.
    pub expires_ms: i64,
}

pub struct SignedIn {
    pub secret: SecretText,
    pub session: Session,
}
