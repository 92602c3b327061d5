//! Reading a segment's bytes with their checksums compared.
//!
//! The parquet writer we use stores no page checksums, and page headers would not be covered by them anyway. So the
//! catalog holds a CRC32C for every 64 KiB of a segment. A block is compared when it is first read after the file
//! was opened; later reads of it come from the same page cache and are taken as they are.

use super::SegmentMeta;
use super::damage::Damage;
use crate::disk::{Disk, ReadFile};
use crate::error::StoreError;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes covered by one checksum.
const BLOCK_BYTES: u64 = 64 << 10;

/// Checksums of a file that is being written.
#[derive(Default)]
pub(super) struct BlockSums {
    done: Vec<u32>,
    current: u32,
    filled: u64,
}

impl BlockSums {
    pub fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = (BLOCK_BYTES - self.filled) as usize;
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.current = crc32c::crc32c_append(self.current, now);
            self.filled += now.len() as u64;
            if self.filled == BLOCK_BYTES {
                self.close_block();
            }
            bytes = later;
        }
    }

    fn close_block(&mut self) {
        self.done.push(self.current);
        self.current = 0;
        self.filled = 0;
    }

    /// Bytes added and the checksums of their blocks.
    pub fn finish(mut self) -> (u64, Vec<u32>) {
        let bytes = self.done.len() as u64 * BLOCK_BYTES + self.filled;
        if self.filled > 0 {
            self.close_block();
        }
        (bytes, self.done)
    }
}

/// An open segment file.
pub(crate) struct CheckedFile {
    file: Arc<dyn ReadFile>,
    path: PathBuf,
    sums: Vec<u32>,
    /// One bit per block that was compared.
    compared: Vec<AtomicU64>,
    damage: Arc<Damage>,
}

impl CheckedFile {
    pub fn open(
        disk: &dyn Disk,
        path: &Path,
        meta: &SegmentMeta,
        damage: &Arc<Damage>,
    ) -> Result<CheckedFile, StoreError> {
        let file = disk.open(path).map_err(|source| StoreError::io("open", path, source))?;
        if file.size() != meta.bytes || meta.sums.len() as u64 != meta.bytes.div_ceil(BLOCK_BYTES) {
            let what = format!("it has {} bytes instead of {}", file.size(), meta.bytes);
            return Err(StoreError::corrupt(path, file.size().min(meta.bytes), what));
        }
        Ok(CheckedFile {
            file,
            path: path.to_path_buf(),
            compared: (0..meta.sums.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            sums: meta.sums.clone(),
            damage: damage.clone(),
        })
    }

    pub fn size(&self) -> u64 {
        self.file.size()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes `start..start + len`.
    pub fn read(&self, start: u64, len: usize) -> Result<Bytes, StoreError> {
        let end = start + len as u64;
        if len == 0 {
            return Ok(Bytes::new());
        }
        if end > self.size() {
            return Err(StoreError::corrupt(&self.path, self.size(), "it points behind its end"));
        }
        let blocks = start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES);
        if blocks.clone().all(|block| self.is_compared(block)) {
            return self.read_plain(start, len).map(Bytes::from);
        }
        let first = blocks.start * BLOCK_BYTES;
        let last = (blocks.end * BLOCK_BYTES).min(self.size());
        let bytes = self.read_plain(first, (last - first) as usize)?;
        for (block, content) in blocks.zip(bytes.chunks(BLOCK_BYTES as usize)) {
            if crc32c::crc32c(content) != self.sums[block as usize] {
                let at = block * BLOCK_BYTES;
                let error = StoreError::corrupt(&self.path, at, "a block fails its checksum");
                return Err(self.damage.note(error));
            }
            self.compared[(block / 64) as usize].fetch_or(1 << (block % 64), Ordering::Relaxed);
        }
        let skip = (start - first) as usize;
        Ok(Bytes::from(bytes).slice(skip..skip + len))
    }

    fn is_compared(&self, block: u64) -> bool {
        self.compared[(block / 64) as usize].load(Ordering::Relaxed) >> (block % 64) & 1 == 1
    }

    fn read_plain(&self, start: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let mut buffer = vec![0; len];
        self.file
            .read_at(start, &mut buffer)
            .map_err(|source| StoreError::io("read", &self.path, source))?;
        Ok(buffer)
    }
}
