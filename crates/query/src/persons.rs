//! Sets of persons, in two strengths: [`Crowd`] knows whether there are few and who; [`PersonSet`] counts exactly.

use ledger::Class;
use roaring::RoaringBitmap;

/// Up to nine distinct persons, or the knowledge that there are more.
///
/// Every cell of an answer has one, because a cell of so few persons is about them (secrecy contract 5.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Crowd {
    /// Distinct; empty once there are many.
    few: Vec<u64>,
    many: bool,
}

impl Crowd {
    pub fn many() -> Crowd {
        Crowd {
            few: Vec::new(),
            many: true,
        }
    }

    #[inline]
    pub fn is_many(&self) -> bool {
        self.many
    }

    /// Who they are, when they are few.
    pub fn few(&self) -> &[u64] {
        &self.few
    }

    #[inline]
    pub fn insert(&mut self, person: u64) {
        if self.many || self.few.contains(&person) {
            return;
        }
        self.few.push(person);
        if self.few.len() >= Class::CROWD_MIN {
            *self = Crowd::many();
        }
    }

    pub fn merge(&mut self, other: &Crowd) {
        if other.many {
            *self = Crowd::many();
        }
        other.few.iter().for_each(|person| self.insert(*person));
    }
}

/// An exact set of persons: a [`Crowd`] while it is small, a compressed bitmap afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct PersonSet {
    crowd: Crowd,
    /// Everybody, once there are many. Person numbers are dense, so nearly all fit the first of the two.
    low: RoaringBitmap,
    /// Numbers beyond 32 bits: the range of planted persons.
    high: Vec<u64>,
}

impl PersonSet {
    #[inline]
    pub fn insert(&mut self, person: u64) {
        if self.crowd.is_many() {
            self.insert_many(person);
            return;
        }
        let few = if self.crowd.few.len() + 1 == Class::CROWD_MIN {
            self.crowd.few.clone()
        } else {
            Vec::new()
        };
        self.crowd.insert(person);
        if self.crowd.is_many() {
            few.into_iter()
                .chain([person])
                .for_each(|person| self.insert_many(person));
        }
    }

    fn insert_many(&mut self, person: u64) {
        match u32::try_from(person) {
            Ok(low) => {
                self.low.insert(low);
            }
            Err(_) => {
                if let Err(place) = self.high.binary_search(&person) {
                    self.high.insert(place, person);
                }
            }
        }
    }

    pub fn len(&self) -> u64 {
        if self.crowd.is_many() {
            self.low.len() + self.high.len() as u64
        } else {
            self.crowd.few.len() as u64
        }
    }

    pub fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Bytes on the heap, about.
    pub fn size_bytes(&self) -> usize {
        self.low.serialized_size() + (self.high.capacity() + self.crowd.few.capacity()) * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_counts_and_knows_the_few() {
        let mut set = PersonSet::default();
        let mut expected = BTreeSet::new();
        for person in [
            3,
            3,
            1 << 47,
            5,
            4_294_967_295,
            4_294_967_296,
            3,
            1,
            2,
            9,
            8,
            7,
            6,
            6,
            1 << 47,
        ] {
            set.insert(person);
            expected.insert(person);
            assert_eq!(set.len(), expected.len() as u64);
            assert_eq!(set.crowd().is_many(), expected.len() >= Class::CROWD_MIN);
            if !set.crowd().is_many() {
                let few: BTreeSet<u64> = set.crowd().few().iter().copied().collect();
                assert_eq!(few, expected);
            }
        }
    }

    #[test]
    fn crowds_merge_to_many_at_ten() {
        let crowd = |persons: std::ops::Range<u64>| {
            let mut crowd = Crowd::default();
            persons.for_each(|person| crowd.insert(person));
            crowd
        };
        let mut merged = crowd(1..6);
        merged.merge(&crowd(6..10));
        assert_eq!(merged.few().len(), 9);
        merged.merge(&crowd(9..11));
        assert!(merged.is_many() && merged.few().is_empty());
    }
}
