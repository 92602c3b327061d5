//! One project's state, and the effect of a record on it.

use super::encoded::RowHead;
use super::fresh::{Block, Chunk, CopyKey, Fresh, FreshView};
use super::identity::Identity;
use super::prepared::Prepared;
use super::profiles::{Profiles, Slot};
use super::registry::Registry;
use crate::retention::Cutoffs;
use crate::segment::Segment;
use hashbrown::HashSet;
use model::{EventTime, FeedEntry, ProfileUpdate, Subject};
use std::sync::Arc;

pub(crate) struct ProjectState {
    shards: u32,
    /// Number the next row gets. Rows are numbered per project in the order of the log, from 1.
    pub next_seq: u64,
    /// Last row that the latest flush moved into segments.
    pub flushed_seq: u64,
    /// Highest identity feed entry that took effect.
    pub feed_position: u64,
    /// Records that took effect since this process opened the store; see [`crate::Snapshot::version`].
    pub version: u64,
    /// Latest time of receipt: the project's notion of now, the same after a replay.
    pub received: EventTime,
    pub identity: Identity,
    pub profiles: Arc<Profiles>,
    pub registry: Registry,
    pub fresh: Fresh,
    pub segments: Arc<Vec<Arc<Segment>>>,
    /// From when on rows are kept, as somebody last asked.
    cutoffs: Arc<Cutoffs>,
    /// Profiles that changed since the last flush took them.
    pub changed_profiles: HashSet<Slot>,
    pub changed_identity: IdentityChanges,
    /// Whether a record was applied since the last flush.
    pub changed: bool,
}

/// What the identity feed changed since the last flush took it.
#[derive(Default)]
pub(crate) struct IdentityChanges {
    /// Absorbed number, what it was merged into, and the last row number before the merge.
    pub merges: Vec<(u64, u64, u64)>,
    /// Erased number, and the last row number before the erasure.
    pub erased: Vec<(u64, u64)>,
}

impl ProjectState {
    pub fn new(shards: u32) -> ProjectState {
        ProjectState {
            shards,
            next_seq: 1,
            flushed_seq: 0,
            feed_position: 0,
            version: 0,
            received: EventTime(0),
            identity: Identity::default(),
            profiles: Arc::default(),
            registry: Registry::default(),
            fresh: Fresh::default(),
            segments: Arc::default(),
            cutoffs: Arc::default(),
            changed_profiles: HashSet::new(),
            changed_identity: IdentityChanges::default(),
            changed: false,
        }
    }

    /// Number of the last row, 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Lets a durable record take effect: its feed first, then profile updates, then events. Returns a block of fresh
    /// rows if this completed one.
    pub fn apply(&mut self, prepared: Prepared) -> Option<Arc<Block>> {
        let Prepared {
            head,
            mut events,
            event_tallies,
            event_of_row,
            columns,
        } = prepared;
        self.changed = true;
        self.version += 1;
        self.received = self.received.max(head.received);
        for item in head.feed {
            // Repeats are ignored; the log refuses holes, so nothing later than the next one comes here.
            if item.seq == self.feed_position + 1 {
                self.feed_position = item.seq;
                self.apply_feed(&item.entry);
            }
        }
        for update in &head.profiles {
            self.apply_profile(update);
        }
        if events.is_empty() {
            return None;
        }
        self.registry.count_columns(&columns);
        let places = self.registry.count_events(&event_tallies);
        let first_seq = self.next_seq;
        for (row, place) in events.rows.iter_mut().zip(&event_of_row) {
            self.apply_row(row, places[*place as usize]);
        }
        let chunk = Chunk {
            first_seq,
            events,
            event_names: event_tallies.into_iter().map(|event| event.name).collect(),
            event_of_row,
        };
        self.fresh.push(chunk, self.registry.column_names(), self.shards)
    }

    fn apply_row(&mut self, row: &mut RowHead, place: u32) {
        let seq = self.next_seq;
        self.next_seq += 1;
        row.person.0 = self.identity.canonical(row.person.0);
        if let Some(insert_id) = row.insert_id {
            let key = CopyKey {
                event: place,
                person: row.person.0,
                time: row.time.0,
                insert_id: insert_id.0,
            };
            if self.fresh.note_key(key, seq) {
                self.registry.discount_event(place, 1);
            }
        }
    }

    fn apply_feed(&mut self, entry: &FeedEntry) {
        match entry {
            FeedEntry::Merge { from, into } => {
                let last_seq = self.last_seq();
                if let Some(absorbed) = self.identity.merge(from.0, into.0, last_seq) {
                    let canonical = self.identity.canonical(absorbed);
                    self.changed_identity.merges.push((absorbed, canonical, last_seq));
                    // The absorbed profile is not merged (contract S5), and nobody can ask for it any more.
                    self.remove_profile(absorbed);
                }
            }
            FeedEntry::Reset { person } => {
                let canonical = self.identity.canonical(person.0);
                // A reset of a number that was absorbed earlier is not about the person who absorbed it.
                if canonical == person.0 {
                    self.remove_profile(canonical);
                }
            }
            FeedEntry::Erase { persons } => {
                for person in persons {
                    for number in [person.0, self.identity.canonical(person.0)] {
                        let last_seq = self.last_seq();
                        self.identity.erase(number, last_seq);
                        self.changed_identity.erased.push((number, last_seq));
                        self.remove_profile(number);
                    }
                }
            }
            // The vault skipped these numbers. Rows that carry them stay; there is nothing to do for them here.
            FeedEntry::Gap { .. } => {}
        }
    }

    fn remove_profile(&mut self, person: u64) {
        if self.profiles.get(model::PersonNumber(person)).is_some() {
            Arc::make_mut(&mut self.profiles).remove_person(model::PersonNumber(person));
            self.changed_profiles.insert(Slot {
                group_key: None,
                number: person,
            });
        }
    }

    fn apply_profile(&mut self, update: &ProfileUpdate) {
        let slot = match &update.subject {
            Subject::Person(person) => Slot {
                group_key: None,
                number: self.identity.canonical(person.0),
            },
            Subject::Group { key, number } => Slot {
                group_key: Some(key.clone()),
                number: number.0,
            },
        };
        let is_person = slot.group_key.is_none();
        if is_person && (slot.number == 0 || self.identity.is_erased(slot.number)) {
            return;
        }
        let seen = update.touches_last_seen.then_some(update.time);
        if Arc::make_mut(&mut self.profiles).update(&slot, &update.op, seen) {
            self.changed_profiles.insert(slot);
        }
    }

    /// Takes over the cutoffs of this moment. Others than before change answers, so they count as a version.
    pub fn retain(&mut self, cutoffs: Cutoffs) -> Arc<Cutoffs> {
        if *self.cutoffs != cutoffs {
            self.cutoffs = Arc::new(cutoffs);
            self.version += 1;
        }
        self.cutoffs.clone()
    }

    /// The fresh rows as of now.
    pub fn fresh_view(&mut self) -> FreshView {
        self.fresh.view(self.registry.column_names(), self.shards)
    }

    /// The fresh rows as of now, sealed so that a flush can take exactly them.
    pub fn freeze(&mut self) -> FreshView {
        self.fresh.freeze(self.registry.column_names(), self.shards)
    }
}
