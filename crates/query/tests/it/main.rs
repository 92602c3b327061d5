//! The engine against a real store, and against the reference.

#![allow(clippy::unwrap_used)]

mod agree;
mod classes;
mod equal;
mod expressions;
mod members;
mod plans;
mod random;
mod rows;
mod world;
