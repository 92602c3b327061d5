//! The way to the vault: identity types, the calls, and the frames they travel in.
//!
//! Everything that leaves a process with an identity in it leaves through here, so the rule of the types is strict:
//! [`Personal`] and [`SecretText`] have no `Debug`, no `Display` and no `Serialize`, they wipe their memory when
//! dropped, and the requests that carry them are as silent. They are turned into bytes in one private module
//! (`wire`) and nowhere else. This crate can seal nothing and open nothing; it asks.
//!
//! [`Client`] is what other crates use. [`protocol`] is the server's half: the vault reads frames with it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod client;
mod connection;
mod disclosure;
mod error;
pub mod protocol;
mod resolve;
mod secret;
mod staff;
mod wire;

pub use client::{Client, Hello, ProjectHello};
pub use disclosure::{Asker, IdentityKind, LookupRequest, Purpose, RevealRequest, Revealed};
pub use error::VaultError;
pub use model::PurposeCode;
pub use resolve::{FieldOp, FieldWrite, Reference, ResolveReply, ResolveRequest, ResolvedId, Tuple, WriteSubject};
pub use secret::{Personal, SecretText};
pub use staff::{Role, Session, SignedIn, Tier};
