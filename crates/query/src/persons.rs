//! Sets of persons, in two strengths: [`Crowd`] knows whether there are few and who; [`PersonSet`] counts exactly.

use ledger::Class;

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

/// An exact set of persons: a [`Crowd`] while it is small, then a list, then bits.
///
/// Person numbers are dense, so bits are the smallest form for many; a list is for the sets between, of which an
/// answer with many cells has many.
#[derive(Clone, Debug, Default)]
pub(crate) struct PersonSet {
    crowd: Crowd,
    /// Everybody once there are many, as long as there are no pages. Sorted and distinct up to `tidy`.
    list: Vec<u32>,
    tidy: usize,
    pages: Option<Box<Pages>>,
    /// Numbers beyond 32 bits, once there are many: the range of planted persons. Sorted.
    high: Vec<u64>,
}

/// Most persons in a list, per page that bits would take.
const LIST_MAX_PER_PAGE: usize = 64;

impl PersonSet {
    #[inline]
    pub fn insert(&mut self, person: u64) {
        if let Some(pages) = &mut self.pages
            && person <= u64::from(u32::MAX)
        {
            pages.insert(person as u32);
        } else {
            self.insert_slowly(person);
        }
    }

    fn insert_slowly(&mut self, person: u64) {
        if self.crowd.is_many() {
            return self.insert_many(person);
        }
        let before = self.crowd.few.clone();
        self.crowd.insert(person);
        if self.crowd.is_many() {
            before
                .into_iter()
                .chain([person])
                .for_each(|person| self.insert_many(person));
        }
    }

    fn insert_many(&mut self, person: u64) {
        let Ok(low) = u32::try_from(person) else {
            if let Err(place) = self.high.binary_search(&person) {
                self.high.insert(place, person);
            }
            return;
        };
        if let Some(pages) = &mut self.pages {
            pages.insert(low);
        } else if self.list.last() != Some(&low) {
            self.list.push(low);
            if self.list.len() >= (2 * self.tidy).max(64) {
                self.tidy_up();
            }
        }
    }

    fn tidy_up(&mut self) {
        // Not an unstable sort: what was added came in runs, which a merging sort makes use of.
        self.list.sort();
        self.list.dedup();
        self.tidy = self.list.len();
        let pages_needed = self.list.last().map_or(0, |last| last / PLANES as u32 / PAGE_BITS + 1) as usize;
        if self.tidy > LIST_MAX_PER_PAGE * pages_needed {
            let mut pages = Box::<Pages>::default();
            self.list.iter().for_each(|person| pages.insert(*person));
            self.pages = Some(pages);
            self.list = Vec::new();
        }
    }

    /// Adds everybody of another set.
    pub fn unite(&mut self, other: &PersonSet) {
        let replaced;
        let mut rest = other;
        match (&mut self.pages, &other.pages) {
            (Some(pages), Some(others)) => pages.unite(others),
            (None, Some(_)) => {
                replaced = std::mem::replace(self, other.clone());
                rest = &replaced;
            }
            (_, None) => {}
        }
        rest.list.iter().for_each(|person| self.insert(u64::from(*person)));
        let few_and_high = rest.crowd.few.iter().chain(&rest.high);
        few_and_high.for_each(|person| self.insert(*person));
    }

    /// Distinct persons.
    pub fn count(&mut self) -> u64 {
        if !self.crowd.is_many() {
            return self.crowd.few.len() as u64;
        }
        let low = match &self.pages {
            Some(pages) => pages.count(),
            None => {
                self.list.sort();
                self.list.dedup();
                self.tidy = self.list.len();
                self.tidy as u64
            }
        };
        low + self.high.len() as u64
    }

    pub fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Bytes on the heap, about.
    pub fn size_bytes(&self) -> usize {
        let pages = self.pages.as_ref().map_or(0, |pages| pages.size_bytes());
        pages + self.list.capacity() * 4 + (self.high.capacity() + self.crowd.few.capacity()) * 8
    }
}

/// A set of bits in pages of half a kilobyte, for numbers in any range.
///
/// A store's shard holds the persons of one residue modulo the number of shards, usually 8. So a page does not hold
/// consecutive numbers but every eighth: the set of one shard fills its pages.
#[derive(Clone, Debug, Default)]
struct Pages {
    /// Place in `bits`, plus one, by page number.
    places: Vec<u32>,
    bits: Vec<[u64; PAGE_WORDS]>,
}

const PAGE_WORDS: usize = 64;
const PAGE_BITS: u32 = PAGE_WORDS as u32 * 64;
/// Usual number of shards.
pub(crate) const PLANES: u64 = 8;

impl Pages {
    #[inline]
    fn insert(&mut self, person: u32) {
        let in_plane = person / PLANES as u32;
        let page = (in_plane / PAGE_BITS * PLANES as u32 + person % PLANES as u32) as usize;
        let place = match self.places.get(page) {
            Some(place) if *place > 0 => *place as usize - 1,
            _ => self.new_page(page),
        };
        let bit = in_plane % PAGE_BITS;
        self.bits[place][bit as usize / 64] |= 1 << (bit % 64);
    }

    #[cold]
    fn new_page(&mut self, page: usize) -> usize {
        if self.places.len() <= page {
            self.places.resize(page + 1, 0);
        }
        self.bits.push([0; PAGE_WORDS]);
        self.places[page] = self.bits.len() as u32;
        self.bits.len() - 1
    }

    fn unite(&mut self, other: &Pages) {
        for (page, place) in other.places.iter().enumerate().filter(|(_, place)| **place > 0) {
            let own = match self.places.get(page) {
                Some(own) if *own > 0 => *own as usize - 1,
                _ => self.new_page(page),
            };
            let others = &other.bits[*place as usize - 1];
            self.bits[own]
                .iter_mut()
                .zip(others)
                .for_each(|(own, other)| *own |= other);
        }
    }

    fn count(&self) -> u64 {
        let words = self.bits.iter().flatten();
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    fn size_bytes(&self) -> usize {
        self.places.capacity() * 4 + self.bits.capacity() * size_of::<[u64; PAGE_WORDS]>()
    }
}

/// Gives persons small consecutive numbers in order of first sight, so that what is known about each can lie in
/// a plain list.
#[derive(Debug, Default)]
pub(crate) struct PersonIndex {
    /// Number plus one, by page and place, pages as in [`Pages`].
    pages: Vec<Option<Box<[u32; PAGE_BITS as usize]>>>,
    high: hashbrown::HashMap<u64, u32>,
    persons: Vec<u64>,
}

impl PersonIndex {
    #[inline]
    pub fn number(&mut self, person: u64) -> u32 {
        let Ok(low) = u32::try_from(person) else {
            let next = self.persons.len() as u32;
            return *self.high.entry(person).or_insert_with(|| {
                self.persons.push(person);
                next
            });
        };
        let in_plane = low / PLANES as u32;
        let page = (in_plane / PAGE_BITS * PLANES as u32 + low % PLANES as u32) as usize;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE_BITS as usize]));
        let number = &mut page[(in_plane % PAGE_BITS) as usize];
        if *number == 0 {
            self.persons.push(person);
            *number = self.persons.len() as u32;
        }
        *number - 1
    }

    /// The number of somebody who has one.
    #[inline]
    pub fn known(&self, person: u64) -> Option<u32> {
        let Ok(low) = u32::try_from(person) else {
            return self.high.get(&person).copied();
        };
        let in_plane = low / PLANES as u32;
        let page = (in_plane / PAGE_BITS * PLANES as u32 + low % PLANES as u32) as usize;
        let page = self.pages.get(page)?.as_ref()?;
        page[(in_plane % PAGE_BITS) as usize].checked_sub(1)
    }

    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn person(&self, number: usize) -> u64 {
        self.persons[number]
    }

    pub fn size_bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count() * PAGE_BITS as usize * 4;
        pages + self.pages.capacity() * 8 + self.persons.capacity() * 8 + self.high.capacity() * 16
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
            assert_eq!(set.count(), expected.len() as u64);
            assert_eq!(set.crowd().is_many(), expected.len() >= Class::CROWD_MIN);
            if !set.crowd().is_many() {
                let few: BTreeSet<u64> = set.crowd().few().iter().copied().collect();
                assert_eq!(few, expected);
            }
        }
    }

    /// Sizes around each change of form, in dense and sparse numbers.
    #[test]
    fn sets_of_every_form_count_and_unite() {
        let mut rng = fastrand::Rng::with_seed(5);
        let sizes = [0, 1, 9, 10, 11, 63, 64, 65, 1_000, 1_024, 1_025, 5_000];
        let mut made = Vec::new();
        for size in sizes {
            for spread in [2, 8, 100_000] {
                let mut set = PersonSet::default();
                let mut expected = BTreeSet::new();
                while expected.len() < size {
                    let high = if rng.u32(0..50) == 0 { 1 << 47 } else { 0 };
                    let person = high + rng.u64(1..=(size as u64 * spread));
                    for _ in 0..rng.u32(1..3) {
                        set.insert(person);
                    }
                    expected.insert(person);
                }
                assert_eq!(set.count(), size as u64);
                made.push((set, expected));
            }
        }
        for (left, left_expected) in &made {
            for (right, right_expected) in &made {
                let mut united = left.clone();
                united.unite(right);
                let expected: BTreeSet<u64> = left_expected.union(right_expected).copied().collect();
                assert_eq!(united.count(), expected.len() as u64);
                let few: BTreeSet<u64> = united.crowd().few().iter().copied().collect();
                assert_eq!(
                    few,
                    if expected.len() < Class::CROWD_MIN {
                        expected
                    } else {
                        BTreeSet::new()
                    }
                );
            }
        }
    }

    #[test]
    fn numbers_are_consecutive_and_stay() {
        let mut index = PersonIndex::default();
        let persons = [7, 1 << 47, 15, 7, 4_294_967_295, 1, 1 << 47, 1 << 33];
        let numbers: Vec<u32> = persons.iter().map(|person| index.number(*person)).collect();
        assert_eq!(numbers, [0, 1, 2, 0, 3, 4, 1, 5]);
        assert_eq!(index.person(3), 4_294_967_295);
        assert_eq!(index.len(), 6);
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
