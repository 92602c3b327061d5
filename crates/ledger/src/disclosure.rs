//! What handing out an answer would tell somebody about persons.

use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How closely an answer comes to single persons (secrecy contract 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Class {
    /// An aggregate whose every cell holds at least [`Class::CROWD_MIN`] persons.
    D0,
    /// An aggregate with an exact cell of fewer persons.
    D1,
    /// Rows or profiles of persons by number.
    D2,
    /// Identity strings or identifying fields.
    D3,
}

impl Class {
    /// Distinct persons from which on a cell is a crowd.
    pub const CROWD_MIN: usize = 10;

    pub fn as_str(self) -> &'static str {
        match self {
            Class::D0 => "D0",
            Class::D1 => "D1",
            Class::D2 => "D2",
            Class::D3 => "D3",
        }
    }
}

/// The persons and fields that an answer shows, exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Disclosure {
    pub class: Class,
    /// Canonical person numbers at the time of the answer. Empty for D0.
    pub persons: RoaringTreemap,
    /// Property, field or column names. Never values.
    pub fields: BTreeSet<String>,
    /// SHA-256 of the canonical form of the question ([`digest_of`]).
    pub question_digest: [u8; 32],
}

/// An answer that has not passed the gate. There is no way to its value but [`crate::Gate::release`].
#[must_use = "an answer that is neither released nor dropped on purpose is a mistake"]
pub struct Undisclosed<T> {
    value: T,
    disclosure: Disclosure,
}

impl<T> Undisclosed<T> {
    pub fn new(value: T, disclosure: Disclosure) -> Self {
        Undisclosed { value, disclosure }
    }

    pub fn disclosure(&self) -> &Disclosure {
        &self.disclosure
    }

    /// Reshapes the answer without opening it. `change` must not add anything about persons that the disclosure does
    /// not name; it is for encoding and sorting, which is why it is a plain function and cannot carry the value out.
    pub fn map<U>(self, change: fn(T) -> U) -> Undisclosed<U> {
        Undisclosed {
            value: change(self.value),
            disclosure: self.disclosure,
        }
    }

    pub(crate) fn open(self) -> T {
        self.value
    }
}

/// SHA-256 of the canonical JSON (RFC 8785) of a question.
///
/// Values that have no JSON form (a map with non-string keys) digest as JSON null; questions are plain structs.
pub fn digest_of(question: &impl Serialize) -> [u8; 32] {
    let canonical = serde_json_canonicalizer::to_vec(question).unwrap_or_else(|_| b"null".to_vec());
    Sha256::digest(&canonical).into()
}
