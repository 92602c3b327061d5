//! The HTTP side: routes, sign-in, Mixpanel's shapes, the web app. The only crate that names axum.
//!
//! `router.rs` is the map. A handler takes a request apart, calls one function of a domain crate, and puts the answer
//! together; it decides nothing. Everything about persons comes to it as `ledger::Undisclosed` and leaves through
//! `ledger::Gate::release`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alarms;
mod app;
mod app_state;
mod assets;
mod auth;
mod connection;
pub mod credentials;
mod error;
mod http_metrics;
mod ingest;
mod integrity;
mod metrics_page;
mod mixpanel;
mod permits;
mod pseudonym;
mod router;

pub use app::openapi::document as openapi_document;
pub use app::setup::WRITE_TOKEN_SECRET;
pub use app_state::{App, ServerOptions};
pub use auth::{SCOPE_EXPORT, SCOPE_IMPORT, SCOPE_LOOKUP, SCOPE_PERSONS, SCOPE_REVEAL};
pub use connection::serve;
pub use router::router;
