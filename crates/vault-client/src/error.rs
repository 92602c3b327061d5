//! What can go wrong between a caller and the vault, by what the caller can do about it.

use model::ErrorCode;
use thiserror::Error;

/// Never holds a personal value or a secret: messages are written by us, about shapes and states.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VaultError {
    /// No connection, a broken one, or no reply in time. A resolve may be repeated under the same batch id.
    #[error("the vault does not answer: {0}")]
    Unavailable(String),
    /// The vault lives and its queue is full, or the call waited longer than its deadline. Try later; do not spool.
    #[error("the vault is overloaded")]
    Overloaded,
    /// The vault says no. Repeating the call as it is will not help.
    #[error("{code}: {message}")]
    Refused { code: ErrorCode, message: String },
    /// The other side speaks another protocol, or a frame is damaged.
    #[error("vault protocol: {0}")]
    Protocol(String),
}

impl VaultError {
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> VaultError {
        VaultError::Refused {
            code,
            message: message.into(),
        }
    }
}
