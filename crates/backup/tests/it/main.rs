//! Backup sets as their users see them, on a real file system.

#![allow(clippy::unwrap_used)]

mod damage;
mod runs;
mod support;
