//! Reading a partition of a snapshot.
//!
//! Partitions `0..shards` are the shards without their entangled persons; the last one gathers the entangled persons
//! from all shards ([`entangled`]). So all rows of a person come from one partition, whatever the layout on disk.
//! A shard's partition is one pass over its segments and fresh blocks: sources one after the other, each already
//! sorted, rows taken out by a mask that is made only where something must go.

mod entangled;
mod keep;
mod request;
mod shard;

pub use request::ScanRequest;

use crate::error::StoreError;
use crate::snapshot::SnapshotParts;
use arrow::record_batch::RecordBatch;
use request::Resolved;
use std::sync::Arc;

/// Batches of one partition. See [`crate::Snapshot::scan`].
pub struct Scan {
    source: Source,
    figures: Figures,
    failed: bool,
}

enum Source {
    Shard(Box<shard::ShardScan>),
    Entangled(Box<entangled::EntangledScan>),
}

/// What a scan has read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub rows: u64,
    pub bytes: u64,
}

impl Scan {
    pub(crate) fn open(
        parts: &Arc<SnapshotParts>,
        partition: usize,
        request: &ScanRequest,
    ) -> Result<Scan, StoreError> {
        let resolved = Arc::new(Resolved::new(request, parts.cutoffs.clone())?);
        let shards = parts.shards as usize;
        let source = if partition < shards {
            Source::Shard(Box::new(shard::ShardScan::new(
                parts.clone(),
                partition as u32,
                resolved,
            )))
        } else {
            Source::Entangled(Box::new(entangled::EntangledScan::new(parts.clone(), resolved)))
        };
        Ok(Scan {
            source,
            figures: Figures::default(),
            failed: false,
        })
    }

    /// Rows decoded so far, those that were filtered out included.
    pub fn rows_read(&self) -> u64 {
        self.figures.rows
    }

    /// Bytes read from segments so far.
    pub fn bytes_read(&self) -> u64 {
        self.figures.bytes
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = match &mut self.source {
            Source::Shard(scan) => scan.next(&mut self.figures),
            Source::Entangled(scan) => scan.next(&mut self.figures),
        };
        self.failed = next.is_err();
        next.transpose()
    }
}
