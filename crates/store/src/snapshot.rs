//! A consistent view of one project: segments, fresh rows, identities and profiles as of one place in the log.

use crate::columns::{Column, EventSummary};
use crate::error::StoreError;
use crate::retention::Cutoffs;
use crate::rows::Fixed;
use crate::scan::{Scan, ScanRequest};
use crate::segment::Segment;
use crate::segment::cache::ColumnCache;
use crate::segment::probe;
use crate::state::fresh::FreshView;
use crate::state::identity::Identity;
use crate::state::profiles::Profiles;
use crate::state::registry::Registry;
use model::PersonNumber;
use roaring::RoaringBitmap;
use std::sync::{Arc, OnceLock, PoisonError};

/// What a question is answered from. Cheap to make and to clone; nothing that happens later changes it.
///
/// It keeps the files it reads alive, so it should not be held much longer than a question takes.
#[derive(Clone)]
pub struct Snapshot {
    parts: Arc<SnapshotParts>,
    columns: Arc<OnceLock<Vec<Column>>>,
}

/// What snapshot and scans share.
pub(crate) struct SnapshotParts {
    pub shards: u32,
    pub last_seq: u64,
    pub version: u64,
    pub cutoffs: Arc<Cutoffs>,
    pub segments: Arc<Vec<Arc<Segment>>>,
    pub fresh: FreshView,
    pub identity: Identity,
    pub profiles: Arc<Profiles>,
    pub registry: Registry,
    pub cache: Arc<ColumnCache>,
}

impl Snapshot {
    pub(crate) fn new(parts: SnapshotParts) -> Snapshot {
        Snapshot {
            parts: Arc::new(parts),
            columns: Arc::default(),
        }
    }

    /// Sequence number of the last row that the snapshot sees; 0 if there is none.
    pub fn watermark(&self) -> u64 {
        self.parts.last_seq
    }

    /// Counts up with everything that can change an answer: events, merges, erasures, profile updates and retention. Flushes and
    /// compactions change no answer, and do not count. Means something within one opened store only.
    pub fn version(&self) -> u64 {
        self.parts.version
    }

    /// Number of partitions: one per shard, and a last one for entangled persons.
    pub fn scan_count(&self) -> usize {
        self.parts.shards as usize + 1
    }

    /// Reads one partition, `0..scan_count()`.
    ///
    /// Rows carry canonical person numbers, each set of copies (event, canonical person, time, insert id) counts
    /// once, and erased persons and rows past retention are absent. All rows of one person come from exactly one partition. Batches have
    /// the columns `event`, `person`, `time`, then `seq` and `insert_id` if asked for, then the wanted properties; within a batch
    /// the rows of one event lie together, sorted by person, time and sequence number.
    pub fn scan(&self, partition: usize, request: &ScanRequest) -> Result<Scan, StoreError> {
        Scan::open(&self.parts, partition, request)
    }

    /// Property columns of the project's events. Properties beyond the column limit are not listed, but
    /// can be scanned by their physical name all the same.
    pub fn columns(&self) -> &[Column] {
        self.columns.get_or_init(|| self.parts.registry.columns())
    }

    /// Event names with their volumes, in order of first appearance.
    pub fn events(&self) -> Vec<EventSummary> {
        self.parts.registry.events()
    }

    /// The number that stands for the person whose number this is or was.
    pub fn canonical(&self, person: PersonNumber) -> PersonNumber {
        PersonNumber(self.parts.identity.canonical(person.0))
    }

    /// All numbers of a person: the canonical one, then the absorbed ones. Costs a pass over all merges.
    pub fn cluster(&self, person: PersonNumber) -> Vec<PersonNumber> {
        self.parts.identity.cluster(person)
    }

    /// Whether the person was erased.
    pub fn is_erased(&self, person: PersonNumber) -> bool {
        let identity = &self.parts.identity;
        identity.is_erased(person.0) || identity.is_erased(identity.canonical(person.0))
    }

    /// Ordinary properties of persons and groups.
    pub fn profiles(&self) -> Arc<Profiles> {
        self.parts.profiles.clone()
    }

    /// Time of the earliest event ever received, in milliseconds.
    pub fn first_time_ms(&self) -> Option<i64> {
        self.parts.registry.time_range_ms().map(|(first, _)| first)
    }

    /// Time of the latest event ever received, in milliseconds.
    pub fn last_time_ms(&self) -> Option<i64> {
        self.parts.registry.time_range_ms().map(|(_, last)| last)
    }
}

impl SnapshotParts {
    /// Rows of the segment that are deleted or have a later copy among this snapshot's fresh rows.
    pub fn dropped_rows(&self, segment: &Segment) -> Result<RoaringBitmap, StoreError> {
        let mut dropped = segment.deleted.clone();
        let mut superseded = segment.file.superseded.lock().unwrap_or_else(PoisonError::into_inner);
        if superseded.probed_seq < self.last_seq {
            let mut candidates = Vec::new();
            for block in &self.fresh.blocks {
                let overlaps = block.last_ms >= segment.meta.first_ms && block.first_ms <= segment.meta.last_ms;
                if !overlaps || block.last_seq <= superseded.probed_seq {
                    continue;
                }
                if let Some(batch) = &block.batches()[segment.meta.shard as usize] {
                    let fixed = Fixed::of(batch);
                    let names = fixed.event_names();
                    let after = superseded.probed_seq;
                    probe::candidates(segment, &fixed, &names, after, self.last_seq, &mut candidates);
                }
            }
            if !candidates.is_empty() {
                superseded.probe(segment, &candidates)?;
            }
            superseded.probed_seq = self.last_seq;
        }
        let visible = superseded.rows.iter().filter(|(_, by)| *by <= self.last_seq);
        dropped.extend(visible.map(|(row, _)| *row));
        Ok(dropped)
    }
}
