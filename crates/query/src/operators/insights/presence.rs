//! In which slots of time each person was seen, as one word of bits for a person and segment.
//!
//! Person numbers are dense, and a partition's are all of one residue (see [`PLANES`]), so the words lie in a plain list
//! by number. Rows come by event and person: the list is walked, not jumped about in, and stays in cache. Numbers of any
//! window of time are read off the words at the end, where sets by slot would have to be united.

use crate::persons::{Crowd, PLANES};
use crate::windows::Windows;
use hashbrown::HashMap;
use ledger::Class;
use std::ops::Range;

/// Bit `i`: seen in slot `i`.
type Slots = u128;

pub(super) const SLOTS_MAX: usize = Slots::BITS as usize;

const NOWHERE: u32 = u32::MAX;

/// Places of the list: for half a billion persons, who cannot lie in one range with those planted far behind.
const LIST_MAX: u64 = 1 << 26;

#[derive(Default)]
pub(super) struct Presence {
    /// Residue of the persons in the list: that of the first one seen.
    plane: Option<u64>,
    /// By person: the segment they were first seen in, and their slots in it.
    segments: Vec<u32>,
    slots: Vec<[u64; 2]>,
    /// By person and segment, for all others: those of several segments, and those who were merged across residues.
    others: HashMap<(u64, u32), Slots>,
}

/// Distinct persons of one number.
#[derive(Clone, Default)]
pub(super) struct Present {
    pub persons: u64,
    pub crowd: Crowd,
}

impl Present {
    #[inline]
    fn add(&mut self, person: u64) {
        if self.persons < Class::CROWD_MIN as u64 {
            self.crowd.insert(person);
        }
        self.persons += 1;
    }
}

impl Presence {
    /// Notes that somebody was seen; nobody (0) may be, and is left out at the end.
    #[inline]
    pub fn see(&mut self, person: u64, segment: u32, slot: u32) {
        let place = (person / PLANES) as usize;
        if Some(person % PLANES) == self.plane && self.segments.get(place) == Some(&segment) {
            self.slots[place][slot as usize / 64] |= 1 << (slot % 64);
        } else {
            self.see_first(person, segment, slot);
        }
    }

    /// Like [`Presence::see`], for somebody who is not yet in the list with this segment.
    #[cold]
    fn see_first(&mut self, person: u64, segment: u32, slot: u32) {
        let plane = *self.plane.get_or_insert(person % PLANES);
        let place = person / PLANES;
        if plane == person % PLANES && place < LIST_MAX {
            let place = place as usize;
            if place >= self.segments.len() {
                let room = (place + 1).next_power_of_two();
                self.segments.resize(room, NOWHERE);
                self.slots.resize(room, [0; 2]);
            }
            if self.segments[place] == NOWHERE {
                self.segments[place] = segment;
                self.slots[place][slot as usize / 64] = 1 << (slot % 64);
                return;
            }
        }
        *self.others.entry((person, segment)).or_default() |= 1 << slot;
    }

    /// The persons of each segment's windows, the whole range last. Windows without anybody may be left out at the end.
    pub fn finish(self, segments: usize, windows: &Windows) -> Vec<Vec<Present>> {
        let mut present = vec![vec![Present::default(); windows.of_buckets.len() + 1]; segments];
        let of_windows = OfWindows::new(windows);
        let plane = self.plane.unwrap_or(0);
        let listed = (0..).zip(self.segments.iter().zip(&self.slots));
        let listed = listed.map(|(place, (segment, [low, high]))| {
            let slots = Slots::from(*low) | Slots::from(*high) << 64;
            (place * PLANES + plane, *segment, slots)
        });
        let others = self
            .others
            .iter()
            .map(|((person, segment), slots)| (*person, *segment, *slots));
        for (person, segment, slots) in listed.chain(others) {
            if slots != 0 && person != 0 {
                of_windows.count(person, slots, &mut present[segment as usize]);
            }
        }
        present
    }

    pub fn size_bytes(&self) -> usize {
        let listed = self.segments.capacity() * (4 + size_of::<Slots>());
        listed + self.others.capacity() * (2 * size_of::<Slots>() + 1)
    }
}

/// The slots of every window.
struct OfWindows {
    of_buckets: Vec<Slots>,
    whole: Slots,
    /// First slot of the buckets, where each is one slot.
    one_each: Option<u32>,
}

impl OfWindows {
    fn new(windows: &Windows) -> OfWindows {
        let first = windows.of_buckets.first().map_or(0, |window| window.start);
        let mut each = windows.of_buckets.iter().enumerate();
        let one_each = each.all(|(bucket, window)| *window == (first + bucket..first + bucket + 1));
        OfWindows {
            of_buckets: windows.of_buckets.iter().map(slots_of).collect(),
            whole: slots_of(&windows.whole),
            one_each: one_each.then_some(first as u32),
        }
    }

    fn count(&self, person: u64, slots: Slots, present: &mut [Present]) {
        let buckets = self.of_buckets.len();
        if slots & self.whole != 0 {
            present[buckets].add(person);
        }
        match self.one_each {
            Some(first) => {
                let mut rest = slots.checked_shr(first).unwrap_or(0);
                while rest != 0 {
                    let bucket = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    if let Some(present) = present[..buckets].get_mut(bucket) {
                        present.add(person);
                    }
                }
            }
            None => {
                let windows = self.of_buckets.iter().zip(present);
                windows
                    .filter(|(window, _)| slots & **window != 0)
                    .for_each(|(_, present)| present.add(person));
            }
        }
    }
}

fn slots_of(window: &Range<usize>) -> Slots {
    window.clone().fold(0, |slots, slot| slots | 1 << slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Against sets, over random rows in runs, and windows of every form.
    #[test]
    fn every_window_counts_whom_a_set_would_hold() {
        let mut rng = fastrand::Rng::with_seed(3);
        for slots in [1, 5, 64, 65, SLOTS_MAX] {
            let mut rows: Vec<(u64, u32, u32)> = Vec::new();
            for _ in 0..rng.usize(0..600) {
                let (person, segment) = (rng.u64(0..60) * [1, 8, 1 << 30][rng.usize(0..3)], rng.u32(0..4));
                rows.extend((0..rng.u32(1..4)).map(|_| (person, segment, rng.u32(0..slots as u32))));
            }
            let ordinary = |begin: fn(usize) -> usize| Windows {
                of_buckets: (0..slots).map(|bucket| begin(bucket)..bucket + 1).collect(),
                whole: 0..slots,
            };
            let late = Windows {
                of_buckets: (slots / 2..slots).map(|bucket| bucket..bucket + 1).collect(),
                whole: slots / 2..slots,
            };
            for windows in [
                ordinary(|b| b),
                ordinary(|_| 0),
                ordinary(|b| b.saturating_sub(6)),
                late,
            ] {
                let mut presence = Presence::default();
                rows.iter()
                    .for_each(|(person, segment, slot)| presence.see(*person, *segment, *slot));
                let present = presence.finish(4, &windows);
                for (segment, present) in present.iter().enumerate() {
                    let all = windows.of_buckets.iter().chain([&windows.whole]);
                    for (window, present) in all.zip(present) {
                        let expected: BTreeSet<u64> = rows
                            .iter()
                            .filter(|(person, of, slot)| {
                                *person != 0 && *of as usize == segment && window.contains(&(*slot as usize))
                            })
                            .map(|(person, _, _)| *person)
                            .collect();
                        assert_eq!(present.persons, expected.len() as u64);
                        assert_eq!(present.crowd.is_many(), expected.len() >= Class::CROWD_MIN);
                        if !present.crowd.is_many() {
                            assert_eq!(present.crowd.few().iter().copied().collect::<BTreeSet<_>>(), expected);
                        }
                    }
                }
            }
        }
    }
}
