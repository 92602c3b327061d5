//! What this process knows already: tuple → person number, reference → group number (secrecy contract ID-17, ID-18).
//!
//! In memory only, and without strings: keys are 128-bit BLAKE3 digests under a key that is made at start and dies with
//! the process. A cached number stays right for ever except after an erasure or a restore of the vault, because merges
//! are edges *from* it that the log carries. So merges need no invalidation; erasures take entries out, another lineage
//! empties the cache, and nothing is used when the vault was last heard of more than a lease ago.

use hashbrown::HashMap;
use model::ProjectId;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use vault_client::{Reference, Tuple};

/// How long after a reply the cache may be used: the vault's lease of 5 s, given up half a second early.
const LEASE: Duration = Duration::from_millis(4_500);

/// Stands for a tuple or reference in this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u128);

/// The process key of the digests.
pub struct DigestKey([u8; 32]);

impl DigestKey {
    pub fn new(key: [u8; 32]) -> DigestKey {
        DigestKey(key)
    }

    pub fn of_tuple(&self, project: ProjectId, tuple: &Tuple) -> Digest {
        let flags = 1 | u8::from(tuple.profile) << 1 | u8::from(tuple.ignore_alias) << 2;
        let (device, user) = (tuple.device.as_ref(), tuple.user.as_ref());
        self.digest(
            project,
            flags,
            [device.map(|id| id.expose()), user.map(|id| id.expose())],
        )
    }

    pub fn of_reference(&self, project: ProjectId, reference: &Reference) -> Digest {
        self.digest(
            project,
            0,
            [Some(reference.key.as_str()), Some(reference.value.expose())],
        )
    }

    fn digest(&self, project: ProjectId, flags: u8, parts: [Option<&str>; 2]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&project.0.to_le_bytes());
        hasher.update(&[flags]);
        for part in parts {
            // Length first, so that no two pairs of parts are one sequence of bytes; absent is no length.
            hasher.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            hasher.update(part.unwrap_or("").as_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Digest(u128::from_le_bytes(digest))
    }
}

/// A bounded map from digests to numbers; the entries longest unused go first.
pub struct Cache {
    state: Mutex<State>,
    /// Most entries of one of the two generations.
    entries_max: usize,
}

/// What the cache knows of a batch.
pub struct LookUp {
    pub numbers: Vec<Option<u64>>,
    pub lease_holds: bool,
    /// The vault's history that the numbers are of.
    pub lineage: Option<u64>,
}

#[derive(Default)]
struct State {
    young: HashMap<Digest, Entry>,
    /// The generation before; a hit moves to the young one, the rest is forgotten when the young one is full.
    old: HashMap<Digest, Entry>,
    lineage: Option<u64>,
    heard: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Entry {
    project: ProjectId,
    number: u64,
}

impl Cache {
    /// `entries_max` is about 32 bytes each.
    pub fn new(entries_max: usize) -> Cache {
        Cache {
            state: Mutex::default(),
            entries_max: entries_max.max(2) / 2,
        }
    }

    /// The numbers of those digests that are known; all unknown when the lease is over.
    pub fn look_up(&self, digests: impl Iterator<Item = Digest>) -> LookUp {
        let mut state = self.lock();
        let lease_holds = state.heard.is_some_and(|heard| heard.elapsed() < LEASE);
        let entries_max = self.entries_max;
        let number = |digest| lease_holds.then(|| state.number(digest, entries_max)).flatten();
        LookUp {
            numbers: digests.map(number).collect(),
            lease_holds,
            lineage: state.lineage,
        }
    }

    /// Takes note of a reply of the vault that was asked for at `asked`.
    pub fn heard(&self, lineage: u64, asked: Instant) {
        let mut state = self.lock();
        if state.lineage != Some(lineage) {
            state.young.clear();
            state.old.clear();
            state.lineage = Some(lineage);
        }
        state.heard = state.heard.max(Some(asked));
    }

    pub fn insert(&self, project: ProjectId, numbers: impl Iterator<Item = (Digest, u64)>) {
        let mut state = self.lock();
        for (digest, number) in numbers {
            state.insert(digest, Entry { project, number }, self.entries_max);
        }
    }

    /// Forgets what belongs to erased persons. Groups share the numbers' range, so a few of them go too.
    pub fn forget(&self, project: ProjectId, numbers: &[u64]) {
        let mut state = self.lock();
        let keep = |entry: &Entry| entry.project != project || !numbers.contains(&entry.number);
        state.young.retain(|_, entry| keep(entry));
        state.old.retain(|_, entry| keep(entry));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl State {
    fn number(&mut self, digest: Digest, entries_max: usize) -> Option<u64> {
        if let Some(entry) = self.young.get(&digest) {
            return Some(entry.number);
        }
        let entry = self.old.remove(&digest)?;
        self.insert(digest, entry, entries_max);
        Some(entry.number)
    }

    fn insert(&mut self, digest: Digest, entry: Entry, entries_max: usize) {
        if self.young.len() >= entries_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault_client::Personal;

    fn digest(number: u64) -> Digest {
        Digest(u128::from(number))
    }

    fn known(cache: &Cache, numbers: std::ops::Range<u64>) -> usize {
        cache.look_up(numbers.map(digest)).numbers.iter().flatten().count()
    }

    #[test]
    fn keeps_what_is_used_and_stays_small() {
        let cache = Cache::new(100);
        cache.heard(1, Instant::now());
        for round in 0..20 {
            cache.insert(
                ProjectId(1),
                (round * 40..round * 40 + 40).map(|number| (digest(number), number)),
            );
            assert_eq!(known(&cache, 0..10), 10, "used every round, so kept");
        }
        assert!(known(&cache, 0..800) <= 150);
    }

    #[test]
    fn nothing_is_used_after_the_lease_and_across_lineages() {
        let cache = Cache::new(100);
        cache.insert(ProjectId(1), [(digest(1), 1)].into_iter());
        assert_eq!(known(&cache, 1..2), 0, "never heard of the vault");
        cache.heard(1, Instant::now());
        cache.insert(ProjectId(1), [(digest(1), 1), (digest(2), 2)].into_iter());
        assert_eq!(known(&cache, 1..3), 2);
        cache.forget(ProjectId(2), &[1]);
        cache.forget(ProjectId(1), &[2]);
        assert_eq!(
            cache.look_up([digest(1), digest(2)].into_iter()).numbers,
            [Some(1), None]
        );
        cache.heard(2, Instant::now());
        assert_eq!(known(&cache, 1..2), 0, "another lineage");
        let expired = Cache::new(100);
        expired.insert(ProjectId(1), [(digest(1), 1)].into_iter());
        if let Some(past) = Instant::now().checked_sub(Duration::from_secs(5)) {
            expired.heard(1, past);
            assert_eq!(known(&expired, 1..2), 0, "lease over");
        }
    }

    #[test]
    fn digests_tell_everything_apart() {
        let key = DigestKey::new([7; 32]);
        let personal = |text: &str| Some(Personal::new(text));
        let tuples = [
            Tuple {
                device: personal("ab"),
                user: None,
                profile: false,
                ignore_alias: false,
            },
            Tuple {
                device: None,
                user: personal("ab"),
                profile: false,
                ignore_alias: false,
            },
            Tuple {
                device: personal("a"),
                user: personal("b"),
                profile: false,
                ignore_alias: false,
            },
            Tuple {
                device: personal("ab"),
                user: personal(""),
                profile: false,
                ignore_alias: false,
            },
            Tuple {
                device: personal("ab"),
                user: None,
                profile: true,
                ignore_alias: false,
            },
            Tuple {
                device: personal("ab"),
                user: None,
                profile: true,
                ignore_alias: true,
            },
        ];
        let mut digests: Vec<u128> = tuples.iter().map(|tuple| key.of_tuple(ProjectId(1), tuple).0).collect();
        digests.push(key.of_tuple(ProjectId(2), &tuples[0]).0);
        digests.push(
            key.of_reference(
                ProjectId(1),
                &Reference {
                    key: "a".into(),
                    value: Personal::new("b"),
                },
            )
            .0,
        );
        digests.push(DigestKey::new([8; 32]).of_tuple(ProjectId(1), &tuples[0]).0);
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 9);
    }
}
