//! Profile updates that were applied already (contract P2).
//!
//! Mobile SDKs send an update again when the reply was lost, with the same `$mp_event_id`. `$add` and `$append` would
//! count twice, so applied ids are remembered, the last some ten thousand of them, until the process ends; the vault keeps
//! its own memory of them for identifying fields, for seven days.

use hashbrown::HashSet;
use model::ProjectId;
use std::sync::{Mutex, MutexGuard};

/// Most ids of one of the two generations.
const REMEMBERED_MAX: usize = 50_000;

/// Stands for an update of a project.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Replay([u8; 16]);

impl Replay {
    pub fn of(project: ProjectId, event_id: &str) -> Replay {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&project.0.to_le_bytes());
        hasher.update(event_id.as_bytes());
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Replay(digest)
    }
}

/// The ids of the updates applied last.
#[derive(Default)]
pub struct Replays {
    generations: Mutex<[HashSet<Replay>; 2]>,
}

impl Replays {
    pub fn has(&self, replay: &Replay) -> bool {
        self.lock().iter().any(|generation| generation.contains(replay))
    }

    /// To be called when the updates are durable: one that failed must be taken when it comes again.
    pub fn remember(&self, replays: Vec<Replay>) {
        let mut generations = self.lock();
        for replay in replays {
            if generations[0].len() >= REMEMBERED_MAX {
                generations.swap(0, 1);
                generations[0].clear();
            }
            generations[0].insert(replay);
        }
    }

    fn lock(&self) -> MutexGuard<'_, [HashSet<Replay>; 2]> {
        self.generations.lock().expect("no holder panics")
    }
}
