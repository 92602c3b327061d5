//! Segments: immutable, sorted Parquet files of one shard and period. `docs/formats/segment.md` has the format.
//!
//! A [`Segment`] is one version of what the catalog says about a file: its figures and the rows of it that are
//! deleted. Versions share the [`SegmentFile`], which holds the open file and its footer, and removes the file when
//! it was declared obsolete and the last reader has gone.

pub(crate) mod cache;
pub(crate) mod cached;
pub(crate) mod checked;
pub(crate) mod damage;
pub(crate) mod footer;
pub(crate) mod footers;
pub(crate) mod probe;
pub(crate) mod reader;
pub(crate) mod stream;
pub(crate) mod writer;

use crate::disk::Disk;
use crate::error::StoreError;
use checked::CheckedFile;
use damage::Damage;
use footer::Footer;
use footers::{FooterPlace, Footers};
use model::ProjectId;
use probe::Superseded;
use roaring::{RoaringBitmap, RoaringTreemap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Version of the segments' format. Segments do not name it themselves: the catalog's version tells.
pub const FORMAT_VERSION: u32 = 1;

/// What the catalog holds about a segment, but for its deleted rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentMeta {
    pub id: u64,
    pub project: ProjectId,
    pub shard: u32,
    /// `2026-11-22` or `2026-11`.
    pub period: String,
    pub rows: u64,
    pub bytes: u64,
    pub first_ms: i64,
    pub last_ms: i64,
    pub first_seq: u64,
    pub last_seq: u64,
    /// CRC32C of every block of the file, see [`checked`].
    pub sums: Vec<u32>,
}

impl SegmentMeta {
    pub fn file_name(&self) -> String {
        format!(
            "{:08}-p{}-s{}-{}.parquet",
            self.id, self.project, self.shard, self.period
        )
    }
}

/// One published version of a segment.
pub(crate) struct Segment {
    pub meta: SegmentMeta,
    /// Rows that are copies of later ones, were moved elsewhere or are erased.
    pub deleted: RoaringBitmap,
    pub file: Arc<SegmentFile>,
}

impl Segment {
    /// `probed_seq`: the last row that this segment's rows were compared with when it was published.
    pub fn new(
        disk: &Arc<dyn Disk>,
        footers: &Arc<Footers>,
        directory: &Path,
        meta: SegmentMeta,
        deleted: RoaringBitmap,
        probed_seq: u64,
    ) -> Segment {
        let file = Arc::new(SegmentFile {
            path: directory.join(meta.file_name()),
            disk: disk.clone(),
            footer: footers.place(),
            obsolete: AtomicBool::new(false),
            damage: Arc::default(),
            superseded: Mutex::new(Superseded::new(probed_seq)),
        });
        Segment { meta, deleted, file }
    }

    /// The same file with more rows deleted.
    pub fn with_deleted(&self, more: &RoaringBitmap) -> Segment {
        Segment {
            meta: self.meta.clone(),
            deleted: &self.deleted | more,
            file: self.file.clone(),
        }
    }

    /// Whether a row of any of the persons can be in the segment: a person's rows lie in one shard.
    pub fn may_hold(&self, persons: &RoaringTreemap, shards: u32) -> bool {
        let shard = u64::from(self.meta.shard);
        persons.iter().any(|person| person % u64::from(shards) == shard)
    }

    /// Opens the file apart from the readers': every block will be compared with its checksum again.
    pub fn open(&self) -> Result<CheckedFile, StoreError> {
        let SegmentFile { disk, path, damage, .. } = &*self.file;
        CheckedFile::open(&**disk, path, &self.meta, damage).map_err(|error| damage.note(error))
    }

    /// Whether it was found to be damaged since the start. Flush and compaction leave it alone from then on; who asks for
    /// its rows is told.
    pub fn is_damaged(&self) -> bool {
        self.file.damage.is_known()
    }

    /// The footer: kept by whoever works with it, and between that for as long as there is room.
    pub fn footer(&self) -> Result<Arc<Footer>, StoreError> {
        let SegmentFile { disk, path, damage, .. } = &*self.file;
        let read = || Footer::read(&**disk, path, &self.meta, damage).map_err(|error| damage.note(error));
        self.file.footer.get(read)
    }
}

/// The file behind the versions of a segment.
pub(crate) struct SegmentFile {
    pub path: PathBuf,
    disk: Arc<dyn Disk>,
    footer: Arc<FooterPlace>,
    obsolete: AtomicBool,
    damage: Arc<Damage>,
    /// Rows with later copies among the fresh rows, as far as a scan or flush has looked.
    pub superseded: Mutex<Superseded>,
}

impl SegmentFile {
    /// Lets the file be removed with its last reader. The catalog does not name it any more.
    pub fn mark_obsolete(&self) {
        self.obsolete.store(true, Ordering::Relaxed);
    }
}

impl Drop for SegmentFile {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Relaxed)
            && let Err(error) = self.disk.remove(&self.path)
        {
            // Not lost for good: the next start sweeps files that the catalog does not name.
            tracing::warn!(file = %self.path.display(), %error, "An obsolete segment could not be removed");
        }
    }
}
