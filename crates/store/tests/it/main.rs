//! The store as its users see it, against a plain model, on good and bad disks.
#![allow(clippy::unwrap_used)]

mod backups;
mod catalog;
mod concurrency;
mod copies;
mod damage;
mod disk_faults;
mod full_disk;
mod locking;
mod log_files;
mod memory;
mod model_store;
mod profiles;
mod properties;
mod random_histories;
mod retention;
mod simulation;
mod support;
mod verification;
