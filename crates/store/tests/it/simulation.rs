//! Lives of a store on a simulated disk: appends in groups, flushes, compactions, merges, erasures, readers, and a disk
//! that fails, fills up and loses power anywhere, recovery included.
//!
//! After every step, every acknowledged record counts once, refused ones not at all, and snapshots answer for their
//! moment; after a crash, of a group that nobody was told about, the first records may be there, whole. A life is drawn
//! from its seed and from nothing else: no clock, no thread and no address decides anything, which a test of its own holds.
//!
//! `STORE_SEEDS=100000` lives longer, `STORE_SEED=4711` repeats one life and tells its story.

#![allow(clippy::print_stdout, reason = "a life that fails is told")]

mod content;
mod disk;
mod world;

use crate::support::{NOW_MS, create, event, in_memory, options, record};
use disk::{Fault, SimDisk};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Store, StoreError, StoreOptions};
use world::World;

/// Lives of an ordinary run.
const SEEDS: u64 = 1_500;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn live(seed: u64) -> World {
    // The simulated disk is in memory; the catalog is not.
    let directory = in_memory();
    // Always the same name: it is part of what is written.
    let mut world = World::new(seed, &directory.path().join("store"));
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    if let Err(panic) = lived {
        println!("STORE_SEED={seed} {}", world.story.join("\n  "));
        resume_unwind(panic);
    }
    world
}

#[test]
fn no_life_loses_doubles_or_invents_anything() {
    if let Some(seed) = setting("STORE_SEED") {
        println!("{}", live(seed).story.join("\n"));
        return;
    }
    let seeds = setting("STORE_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let (acknowledged, crashes) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let lived = catch_unwind(|| live(seed));
                    let world = lived.unwrap_or_else(|panic| {
                        // One story is enough.
                        next.store(seeds, Ordering::Relaxed);
                        resume_unwind(panic)
                    });
                    acknowledged.fetch_add(world.acknowledged, Ordering::Relaxed);
                    crashes.fetch_add(world.crashes, Ordering::Relaxed);
                }
            });
        }
    });
    // The battery must not go flat unnoticed, because every append is refused, say.
    let (acknowledged, crashes) = (acknowledged.into_inner(), crashes.into_inner());
    println!("{seeds} lives, {acknowledged} acknowledged records, {crashes} crashes");
    assert!(acknowledged > seeds * 5 && crashes > seeds, "{acknowledged} {crashes}");
}

#[test]
fn a_seed_is_a_life() {
    for seed in 0..40 {
        let (one, other) = (live(seed), live(seed));
        assert_eq!(one.story, other.story);
        assert_eq!(one.digest(), other.digest(), "seed {seed} wrote something else");
    }
}

/// After a failed sync the kernel takes its pages for written. A process that starts again and syncs the file is told that
/// all is well, so what recovery found must be written once more before anything is built on it.
#[test]
fn what_a_failed_sync_left_in_memory_is_written_again() {
    for seed in 0..30 {
        let directory = in_memory();
        let disk = SimDisk::new(seed);
        let options = StoreOptions {
            disk: Arc::new(disk.clone()),
            ..options(directory.path())
        };
        let store = create(options.clone());
        let append = |store: &Store, time_ms| store.append(record(vec![event("open", 1, time_ms, None)]));
        if seed % 2 == 0 {
            append(&store, NOW_MS).unwrap();
        }
        let before = store.metrics().log_position;
        disk.fail_after(if before == 0 { 6 } else { 2 }, Fault::Failed);
        assert!(matches!(append(&store, NOW_MS + 1), Err(StoreError::Unknown { .. })));
        store.close();
        let store = Store::open(options.clone()).unwrap();
        assert_eq!(store.metrics().log_position, before + 1, "the page cache still has it");
        append(&store, NOW_MS + 2).unwrap();
        store.close();
        disk.crash();
        assert_eq!(Store::open(options).unwrap().metrics().log_position, before + 2);
    }
}

/// What a failed write stored all the same may become durable by itself. It was refused, so it is cut off, durably, before anybody is told.
#[test]
fn what_was_refused_does_not_come_back() {
    for seed in 0..60 {
        let directory = in_memory();
        let disk = SimDisk::new(seed);
        let options = StoreOptions {
            disk: Arc::new(disk.clone()),
            ..options(directory.path())
        };
        let store = create(options.clone());
        let append = |time_ms| store.append(record(vec![event("open", 1, time_ms, None)]));
        append(NOW_MS).unwrap();
        disk.fail_after(1, Fault::FailedButStored);
        assert!(matches!(append(NOW_MS + 1), Err(StoreError::Unavailable { .. })));
        store.close();
        disk.crash();
        assert_eq!(Store::open(options).unwrap().metrics().log_position, 1, "seed {seed}");
    }
}
