//! The index in RAM: blind index to number, 24 bytes an entry.
//!
//! Two generations of one hash table each: entries go into the young one; when that is full the old one is dropped and
//! the young takes its place, so the memory has a limit and the oldest go first. While nothing was ever dropped the
//! index is *complete* and a miss is an answer ("never seen"); afterwards a miss only means "ask the database".
//!
//! The keys are MACs under a secret key, so their own bits are the hash and nobody can aim at one bucket.

use hashbrown::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The whole blind index of an identity (ID-6).
pub(super) type Blind = [u8; 32];

/// Its first half: what RAM keeps. Two of 2^40 identities collide with a chance of 2^-49.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short([u8; 16]);

impl Short {
    pub(super) fn of(blind: &Blind) -> Short {
        let mut short = [0; 16];
        short.copy_from_slice(&blind[..16]);
        Short(short)
    }
}

impl std::hash::Hash for Short {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        state.write_u64(u64::from_le_bytes(first));
    }
}

#[derive(Default)]
pub(super) struct OwnBits(u64);

impl Hasher for OwnBits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only Short is hashed, and it writes one u64");
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }
}

pub(super) type ShortMap<V> = HashMap<Short, V, BuildHasherDefault<OwnBits>>;

/// A number, and for a device whether it is linked to a user.
///
/// The number is canonical. A linked device's is its user's, and a number has at most one user, so "linked to this
/// user" is "linked, with this user's number"; the link itself need not be in RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u64);

const LINKED: u64 = 1 << 63;

impl Entry {
    pub(super) fn new(person: u64, linked: bool) -> Entry {
        Entry(person | if linked { LINKED } else { 0 })
    }

    pub(super) fn person(self) -> u64 {
        self.0 & !LINKED
    }

    pub(super) fn is_linked(self) -> bool {
        self.0 & LINKED != 0
    }
}

pub(super) struct Index {
    young: ShortMap<Entry>,
    old: ShortMap<Entry>,
    generation_max: usize,
    complete: bool,
}

impl Index {
    /// An index of at most `entries_max` entries.
    pub(super) fn new(entries_max: usize) -> Index {
        Index {
            young: ShortMap::default(),
            old: ShortMap::default(),
            generation_max: (entries_max / 2).max(1),
            complete: true,
        }
    }

    pub(super) fn get(&self, short: &Short) -> Option<Entry> {
        self.young.get(short).or_else(|| self.old.get(short)).copied()
    }

    pub(super) fn insert(&mut self, short: Short, entry: Entry) {
        if self.young.len() >= self.generation_max && !self.young.contains_key(&short) {
            let full = std::mem::take(&mut self.young);
            self.complete &= self.old.is_empty();
            self.old = full;
        }
        self.young.insert(short, entry);
    }

    /// Whether a miss means that the identity was never seen.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(n: u8) -> Short {
        Short::of(&[n; 32])
    }

    #[test]
    fn forgets_the_oldest_and_says_so() {
        let mut index = Index::new(4);
        for n in 0..4 {
            index.insert(short(n), Entry::new(n.into(), false));
        }
        assert!(index.is_complete());
        index.insert(short(0), Entry::new(9, true));
        assert!(index.is_complete() || index.get(&short(0)).is_some());
        for n in 10..13 {
            index.insert(short(n), Entry::new(n.into(), false));
        }
        assert!(!index.is_complete());
        assert!(index.get(&short(1)).is_none());
        assert_eq!(index.get(&short(12)).map(Entry::person), Some(12));
    }

    #[test]
    fn the_newest_value_of_a_key_wins_over_generations() {
        let mut index = Index::new(2);
        index.insert(short(1), Entry::new(5, false));
        index.insert(short(2), Entry::new(6, false));
        index.insert(short(1), Entry::new(7, true));
        let entry = index.get(&short(1)).unwrap();
        assert_eq!((entry.person(), entry.is_linked()), (7, true));
    }
}
