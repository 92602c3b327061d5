//! One line of the ledger, and who is asking.

use crate::disclosure::Class;
use model::{AccountNumber, ProjectId, PurposeCode};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};

/// Who is asking, as numbers and given names of credentials; a person's name is never an actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    Account(AccountNumber),
    /// A service account by its username.
    ServiceAccount(String),
    /// The project's API secret, which anybody in the company may hold.
    ApiSecret(ProjectId),
    /// Frostpane itself, for entries that no request caused.
    System,
}

impl Display for Actor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::Account(number) => write!(f, "account:{number}"),
            Actor::ServiceAccount(username) => write!(f, "service_account:{username}"),
            Actor::ApiSecret(project) => write!(f, "api_secret:{project}"),
            Actor::System => f.write_str("system"),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Actor, Self::Error> {
        const UNKNOWN: &str = "not an actor";
        match text.split_once(':') {
            Some(("account", number)) => number
                .parse()
                .map(|n| Actor::Account(AccountNumber(n)))
                .map_err(|_| UNKNOWN),
            Some(("service_account", username)) => Ok(Actor::ServiceAccount(username.to_owned())),
            Some(("api_secret", project)) => project
                .parse()
                .map(|n| Actor::ApiSecret(ProjectId(n)))
                .map_err(|_| UNKNOWN),
            None if text == "system" => Ok(Actor::System),
            _ => Err(UNKNOWN),
        }
    }
}

/// A purpose with its text. The text can name people, so it has no `Debug` and never reaches the ledger; the vault
/// seals it and the ledger holds a salted commitment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Purpose {
    pub code: PurposeCode,
    pub text: String,
}

/// The purpose's text is too short to mean anything, or too long to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("say in {TEXT_MIN} to {TEXT_MAX} characters why you need to know", TEXT_MIN = Purpose::TEXT_MIN, TEXT_MAX = Purpose::TEXT_MAX)]
pub struct PurposeError;

impl Purpose {
    /// Fewest characters of a text.
    pub const TEXT_MIN: usize = 10;
    /// Most characters of a text.
    pub const TEXT_MAX: usize = 500;

    pub fn check(&self) -> Result<(), PurposeError> {
        match self.text.trim().chars().count() {
            Self::TEXT_MIN..=Self::TEXT_MAX => Ok(()),
            _ => Err(PurposeError),
        }
    }
}

/// Who asks for an answer, for what, through which route.
pub struct Asker {
    pub actor: Actor,
    /// The closest answer the actor's role or scopes allow.
    pub clearance: Class,
    /// SHA-256 of the sign-in session, where there is one.
    pub session_commit: Option<[u8; 32]>,
    pub project: ProjectId,
    /// The act in one word: `report`, `live`, `people`, `export`, `reveal`.
    pub action: &'static str,
    pub purpose: Option<PurposeCode>,
    /// Salted commitment to the purpose's text, made by the vault.
    pub purpose_commit: Option<[u8; 32]>,
}

/// Whether the answer went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Released,
    Refused,
}

/// The set of persons of an entry: how many, and the name of their bitmap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonsRef {
    pub count: u64,
    /// SHA-256 of the bitmap's portable form, hexadecimal.
    pub sha256: String,
}

/// One entry of the ledger. Canonical JSON of this is what lies on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this form; 1.
    pub v: u32,
    /// Place in the ledger, from 1 without gaps.
    pub seq: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub t: i64,
    pub actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_commit: Option<String>,
    pub project: ProjectId,
    pub action: String,
    pub decision: Decision,
    pub class: Class,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_code: Option<PurposeCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_commit: Option<String>,
    /// Absent for D0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persons: Option<PersonsRef>,
    pub fields: Vec<String>,
    pub question_digest: String,
}
