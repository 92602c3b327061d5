//! An append-only file of checksummed frames: `u32 length | u32 crc32c | bytes`, little endian.
//!
//! Some frames are synced when they are appended; the others ride with the next sync, which comes *before* the next synced frame is
//! written. So whatever lies before a whole synced frame was durable once: if it fails its checksum it is damaged, and the file refuses
//! to open, because a ledger with a silent hole would be worse than none. What fails with no synced frame behind it is what a crash left
//! of writes that nobody was told about, in any of their parts; it is cut off.

use crate::ledger::LedgerError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub(crate) const HEADER_BYTES: usize = 8;
/// No frame is longer; a larger length is damage.
const FRAME_BYTES_MAX: usize = 64 << 20;

pub(crate) struct Frames {
    path: PathBuf,
    file: File,
    /// Where the next frame goes: the end of the last whole frame.
    end: u64,
    /// Frames were written since the last sync.
    unsynced: bool,
    /// Set when a write or sync failed; what the disk holds is then unknown until the file is opened again.
    broken: bool,
}

impl Frames {
    /// Opens or creates the file and calls `each` with the offset and content of every frame in it. `is_synced` tells from its content
    /// whether a frame was appended to be durable.
    pub(crate) fn open(
        path: &Path,
        is_synced: fn(&[u8]) -> bool,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), LedgerError>,
    ) -> Result<Frames, LedgerError> {
        let io = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        let created = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        if created && let Some(directory) = path.parent() {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .map_err(io)?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (mut at, mut last_synced) = (0usize, 0);
        while let Some(frame) = frame_at(&bytes, at, is_synced) {
            match frame {
                Ok(content) => {
                    each(at as u64, content)?;
                    if is_synced(content) {
                        last_synced = at;
                    }
                    at += HEADER_BYTES + content.len();
                }
                Err(()) => {
                    return Err(LedgerError::Corrupt {
                        path: path.to_owned(),
                        offset: at as u64,
                    });
                }
            }
        }
        if at < bytes.len() {
            tracing::warn!(
                offset = at,
                cut_bytes = bytes.len() - at,
                "Cut an unfinished ledger frame"
            );
            file.set_len(at as u64).map_err(io)?;
        }
        // What was read may be in the page cache only: after a failed sync the kernel takes it for written, and syncs nothing.
        if last_synced < at {
            file.write_all_at(&bytes[last_synced..at], last_synced as u64)
                .map_err(io)?;
        }
        file.sync_data().map_err(io)?;
        Ok(Frames {
            path: path.to_owned(),
            file,
            end: at as u64,
            unsynced: false,
            broken: false,
        })
    }

    /// Appends a frame; durable on return if `durable`. Returns its offset.
    pub(crate) fn append(&mut self, content: &[u8], durable: bool) -> Result<u64, LedgerError> {
        if self.broken {
            return Err(LedgerError::Stopped);
        }
        let offset = self.end;
        let mut frame = Vec::with_capacity(HEADER_BYTES + content.len());
        frame.extend_from_slice(&(content.len() as u32).to_le_bytes());
        frame.extend_from_slice(&crc32c::crc32c(content).to_le_bytes());
        frame.extend_from_slice(content);
        self.write(&frame, durable).map_err(|source| LedgerError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.end += frame.len() as u64;
        Ok(offset)
    }

    #[cfg(test)]
    pub(crate) fn break_for_test(&mut self) {
        self.broken = true;
    }

    fn write(&mut self, frame: &[u8], durable: bool) -> std::io::Result<()> {
        if durable && self.unsynced {
            self.sync()?;
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(frame));
        if let Err(error) = written {
            // Nothing was promised: take the half frame back, so that a disk that was full can go on later.
            self.broken = self.file.set_len(self.end).is_err();
            return Err(error);
        }
        self.unsynced = true;
        if durable {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        let synced = self.file.sync_data();
        self.broken = synced.is_err();
        self.unsynced = false;
        synced
    }

    /// Reads the frame at an offset that `open` or `append` gave.
    pub(crate) fn read(&self, offset: u64) -> Result<Vec<u8>, LedgerError> {
        let io = |source| LedgerError::Io {
            path: self.path.clone(),
            source,
        };
        let corrupt = || LedgerError::Corrupt {
            path: self.path.clone(),
            offset,
        };
        let mut header = [0; HEADER_BYTES];
        self.file.read_exact_at(&mut header, offset).map_err(io)?;
        let (length, crc) = split_header(&header);
        if length > FRAME_BYTES_MAX {
            return Err(corrupt());
        }
        let mut content = vec![0; length];
        self.file
            .read_exact_at(&mut content, offset + HEADER_BYTES as u64)
            .map_err(io)?;
        if crc32c::crc32c(&content) != crc {
            return Err(corrupt());
        }
        Ok(content)
    }
}

/// The frame at `at`: `None` at the end, also where a crash left a part of what was being written; `Err` where the file is damaged.
pub(crate) fn frame_at(bytes: &[u8], at: usize, is_synced: fn(&[u8]) -> bool) -> Option<Result<&[u8], ()>> {
    if let Some(content) = whole_frame(bytes, at) {
        return Some(Ok(content));
    }
    // Where the next frame begins is not known: lengths are as untrustworthy as everything else here.
    let mut behind = (at + 1..bytes.len()).filter_map(|at| whole_frame(bytes, at));
    behind.any(is_synced).then_some(Err(()))
}

/// No frame is empty: sectors that were never written are zeros.
fn whole_frame(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let start = at + HEADER_BYTES;
    let (length, crc) = split_header(bytes.get(at..start)?.try_into().ok()?);
    if length == 0 || length > FRAME_BYTES_MAX {
        return None;
    }
    let content = bytes.get(start..start + length)?;
    (crc32c::crc32c(content) == crc).then_some(content)
}

fn split_header(header: &[u8; HEADER_BYTES]) -> (usize, u32) {
    let [a, b, c, d, e, f, g, h] = *header;
    (
        u32::from_le_bytes([a, b, c, d]) as usize,
        u32::from_le_bytes([e, f, g, h]),
    )
}
