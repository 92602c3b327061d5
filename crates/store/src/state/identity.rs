//! Which person numbers are one person, which are erased, and which still lie on disk under a former number.
//!
//! Rows carry the number that was canonical when they arrived. A later merge makes the rows of the absorbed number
//! *unsettled*: they belong to somebody whose other rows lie in another shard, perhaps. Until compaction has moved
//! them, the whole person is *entangled*: left out of the shards' partitions and served by the last one.

use hashbrown::HashMap;
use model::PersonNumber;
use roaring::RoaringTreemap;
use std::sync::Arc;

/// The identity feed's effect up to some place in the log. Cloning is cheap.
#[derive(Clone, Default)]
pub(crate) struct Identity {
    merges: Merges,
    erased: Arc<RoaringTreemap>,
    unsettled: Arc<HashMap<u64, u64>>,
    entangled: Arc<RoaringTreemap>,
    unpurged: Arc<HashMap<u64, u64>>,
}

/// Absorbed numbers and what they were merged into. Two layers, so that a merge after a snapshot copies the small
/// recent layer and not a map of all merges there ever were.
#[derive(Clone, Default)]
struct Merges {
    base: Arc<HashMap<u64, u64>>,
    recent: Arc<HashMap<u64, u64>>,
}

/// Entries of the recent layer that make it worth folding into the base.
const RECENT_MAX: usize = 4_096;

impl Merges {
    fn parent(&self, person: u64) -> Option<u64> {
        self.recent.get(&person).or_else(|| self.base.get(&person)).copied()
    }

    fn find(&self, mut person: u64) -> u64 {
        while let Some(parent) = self.parent(person) {
            person = parent;
        }
        person
    }

    fn insert(&mut self, from: u64, into: u64) {
        Arc::make_mut(&mut self.recent).insert(from, into);
        if self.recent.len() >= RECENT_MAX {
            self.fold();
        }
    }

    /// Moves the recent layer into the base and shortens every path to one step.
    fn fold(&mut self) {
        let roots: Vec<(u64, u64)> = self.keys().map(|person| (person, self.find(person))).collect();
        self.base = Arc::new(roots.into_iter().collect());
        self.recent = Arc::default();
    }

    fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        let older = self.base.keys().filter(|person| !self.recent.contains_key(*person));
        self.recent.keys().chain(older).copied()
    }
}

impl Identity {
    pub fn canonical(&self, person: u64) -> u64 {
        self.merges.find(person)
    }

    /// All numbers of the person, the canonical one first, the absorbed ones in ascending order.
    ///
    /// Costs a pass over all merges of the project: for pages about one person, not for loops.
    pub fn cluster(&self, person: PersonNumber) -> Vec<PersonNumber> {
        let root = self.canonical(person.0);
        let mut absorbed: Vec<u64> = self.merges.keys().filter(|p| self.merges.find(*p) == root).collect();
        absorbed.sort_unstable();
        std::iter::once(root).chain(absorbed).map(PersonNumber).collect()
    }

    /// Makes `from` and `into` one person with the number that `into` has now. Rows up to `last_seq` become
    /// unsettled. Returns the absorbed number unless they were one person before.
    pub fn merge(&mut self, from: u64, into: u64, last_seq: u64) -> Option<u64> {
        let (from, into) = (self.canonical(from), self.canonical(into));
        if from == into || from == 0 || into == 0 {
            return None;
        }
        self.merges.insert(from, into);
        Arc::make_mut(&mut self.unsettled).insert(from, last_seq);
        let entangled = Arc::make_mut(&mut self.entangled);
        entangled.insert(from);
        entangled.insert(into);
        Some(from)
    }

    /// Hides a person for good. Rows up to `last_seq` wait to be removed from the disk.
    pub fn erase(&mut self, person: u64, last_seq: u64) {
        Arc::make_mut(&mut self.erased).insert(person);
        Arc::make_mut(&mut self.unpurged).insert(person, last_seq);
    }

    /// Erased numbers of which segments may still hold rows, each with its last row number.
    pub fn unpurged(&self) -> &HashMap<u64, u64> {
        &self.unpurged
    }

    /// Declares that no segment holds a row of these numbers any more.
    pub fn purge(&mut self, persons: &[u64]) {
        let unpurged = Arc::make_mut(&mut self.unpurged);
        for person in persons {
            unpurged.remove(person);
        }
    }

    /// Whether the person whose canonical number this is was erased.
    pub fn is_erased(&self, person: u64) -> bool {
        !self.erased.is_empty() && self.erased.contains(person)
    }

    pub fn erased(&self) -> &Arc<RoaringTreemap> {
        &self.erased
    }

    /// Numbers whose rows must not be read by shard: unsettled ones and those they were merged into.
    pub fn entangled(&self) -> &Arc<RoaringTreemap> {
        &self.entangled
    }

    /// Unsettled numbers, each with the last row number that can lie under it.
    pub fn unsettled(&self) -> &HashMap<u64, u64> {
        &self.unsettled
    }

    /// Declares that no stored row lies under these numbers any more.
    pub fn settle(&mut self, persons: &[u64]) {
        let unsettled = Arc::make_mut(&mut self.unsettled);
        for person in persons {
            unsettled.remove(person);
        }
        let mut entangled = RoaringTreemap::new();
        for person in self.unsettled.keys() {
            entangled.insert(*person);
            entangled.insert(self.merges.find(*person));
        }
        self.entangled = Arc::new(entangled);
    }

    /// Rebuilds the identity from what the catalog holds.
    pub fn load(
        merges: Vec<(u64, u64)>,
        unsettled: Vec<(u64, u64)>,
        erased: Vec<u64>,
        unpurged: Vec<(u64, u64)>,
    ) -> Identity {
        let mut identity = Identity {
            merges: Merges {
                base: Arc::new(merges.into_iter().collect()),
                recent: Arc::default(),
            },
            erased: Arc::new(erased.into_iter().collect()),
            unsettled: Arc::new(unsettled.into_iter().collect()),
            entangled: Arc::default(),
            unpurged: Arc::new(unpurged.into_iter().collect()),
        };
        identity.merges.fold();
        identity.settle(&[]);
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_lead_to_one_number() {
        let mut identity = Identity::default();
        assert_eq!(identity.merge(1, 2, 10), Some(1));
        assert_eq!(identity.merge(2, 3, 20), Some(2));
        assert_eq!(identity.merge(1, 3, 30), None);
        assert_eq!(identity.merge(0, 3, 30), None);
        assert_eq!(identity.canonical(1), 3);
        assert_eq!(
            identity.cluster(PersonNumber(2)),
            [PersonNumber(3), PersonNumber(1), PersonNumber(2)]
        );
        assert_eq!(identity.entangled().iter().collect::<Vec<_>>(), [1, 2, 3]);
        identity.settle(&[1]);
        assert_eq!(identity.entangled().iter().collect::<Vec<_>>(), [2, 3]);
        identity.settle(&[2]);
        assert!(identity.entangled().is_empty());
        assert_eq!(identity.canonical(1), 3);
    }

    #[test]
    fn many_merges_survive_folding() {
        let mut identity = Identity::default();
        let early = identity.clone();
        for person in 1..20_000 {
            identity.merge(person, person + 1, 0);
        }
        assert_eq!(identity.canonical(1), 20_000);
        assert_eq!(identity.canonical(19_999), 20_000);
        assert_eq!(early.canonical(1), 1);
    }
}
