//! Segment files that are complete but not yet published.

use crate::catalog::publish::Publication;
use crate::core::Core;
use crate::error::StoreError;
use crate::segment::writer::{SegmentPlace, SegmentWriter};
use crate::segment::{Segment, SegmentMeta};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use model::ProjectId;
use roaring::RoaringBitmap;
use std::sync::Arc;

/// New segments of a flush or compaction. Unless they are published, their files are removed again.
pub(super) struct Written<'a> {
    core: &'a Core,
    metas: Vec<SegmentMeta>,
    is_published: bool,
}

impl<'a> Written<'a> {
    pub fn new(core: &'a Core) -> Written<'a> {
        Written {
            core,
            metas: Vec::new(),
            is_published: false,
        }
    }

    pub fn metas(&self) -> &[SegmentMeta] {
        &self.metas
    }

    /// Writes one segment from a sorted batch.
    pub fn add(&mut self, project: ProjectId, shard: u32, period: &str, batch: &RecordBatch) -> Result<(), StoreError> {
        let mut writer = self.start(project, shard, period, &batch.schema())?;
        writer.write(batch)?;
        self.finish(writer)
    }

    /// Starts a segment that is written batch by batch.
    pub fn start(
        &self,
        project: ProjectId,
        shard: u32,
        period: &str,
        schema: &SchemaRef,
    ) -> Result<SegmentWriter, StoreError> {
        let place = SegmentPlace {
            id: self.core.catalog.take_segment_ids(1)?,
            project,
            shard,
            period: period.to_owned(),
            row_group_rows: self.core.options.row_group_rows,
            row_group_bytes: self.core.options.row_group_bytes,
        };
        SegmentWriter::create(
            &self.core.options.disk,
            &self.core.segment_directory(),
            place,
            schema.clone(),
        )
    }

    pub fn finish(&mut self, writer: SegmentWriter) -> Result<(), StoreError> {
        self.metas.push(writer.finish()?);
        Ok(())
    }

    /// Makes the files' names durable. After this they may be published.
    pub fn sync(&self) -> Result<(), StoreError> {
        if self.metas.is_empty() {
            return Ok(());
        }
        let directory = self.core.segment_directory();
        self.core
            .options
            .disk
            .sync_dir(&directory)
            .map_err(|source| StoreError::io("sync", &directory, source))
    }

    /// The segments of a project, now that they are published. `probed_seq`: see [`Segment::new`].
    pub fn segments(&self, project: ProjectId, probed_seq: u64) -> impl Iterator<Item = Arc<Segment>> {
        let directory = self.core.segment_directory();
        self.metas
            .iter()
            .filter(move |meta| meta.project == project)
            .map(move |meta| {
                let disk = &self.core.options.disk;
                let deleted = RoaringBitmap::new();
                Arc::new(Segment::new(
                    disk,
                    &self.core.footers,
                    &directory,
                    meta.clone(),
                    deleted,
                    probed_seq,
                ))
            })
    }

    /// Lets the catalog name the files, together with whatever else the publication changes.
    ///
    /// If it is not known whether the catalog did, the files stay, memory goes on without them, and no other publication
    /// follows: the next start takes the catalog at its word, and the log is still there for either answer.
    pub fn publish(&mut self, publication: &Publication) -> Result<(), StoreError> {
        let published = self.core.catalog.publish(publication);
        self.is_published = matches!(published, Ok(()) | Err(StoreError::Unknown { .. }));
        if let Err(StoreError::Unknown { reason }) = &published {
            self.core.stop_maintenance(reason);
        }
        published
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        for meta in &self.metas {
            let path = self.core.segment_directory().join(meta.file_name());
            if let Err(error) = self.core.options.disk.remove(&path) {
                // The next start sweeps it.
                tracing::warn!(file = %path.display(), %error, "An unpublished segment could not be removed");
            }
        }
    }
}
