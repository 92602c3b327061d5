//! The engine against a real store, and against the reference.

#![allow(clippy::unwrap_used)]

mod agree;
mod case;
mod classes;
mod cohorts;
mod equal;
mod explained;
mod expressions;
mod flows;
mod golden;
mod life;
mod limits;
mod members;
mod metamorphic;
mod plans;
mod random;
mod rows;
mod sql;
mod world;
