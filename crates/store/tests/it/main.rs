//! The store as its users see it, against a plain model, on good and bad disks.
#![allow(clippy::unwrap_used)]

mod model_store;
mod random_histories;
mod support;
