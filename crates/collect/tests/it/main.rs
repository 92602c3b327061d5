//! Ingestion as a client sees it: through `Collector::handle`, with a real store and the real vault behind it.

#![allow(clippy::unwrap_used)]

mod authorization;
mod faults;
mod people;
mod secrecy;
mod wire;
mod world;
