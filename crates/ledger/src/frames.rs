//! An append-only file of checksummed frames: `u32 length | u32 crc32c | bytes`, little endian.
//!
//! A frame that a crash cut short at the end of the file is removed at open. A frame that fails its checksum anywhere
//! else is damage and refuses to open: a ledger with a silent hole would be worse than none.

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
    /// Set when a write or sync failed; what the disk holds is then unknown until the file is opened again.
    broken: bool,
}

impl Frames {
    /// Opens or creates the file and calls `each` with the offset and content of every frame in it.
    pub(crate) fn open(
        path: &Path,
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
        let mut at = 0usize;
        while let Some(frame) = frame_at(&bytes, at) {
            match frame {
                Ok(content) => {
                    each(at as u64, content)?;
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
            file.set_len(at as u64).and_then(|()| file.sync_data()).map_err(io)?;
        }
        Ok(Frames {
            path: path.to_owned(),
            file,
            end: at as u64,
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
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(frame));
        if let Err(error) = written {
            // Nothing was promised: take the half frame back, so that a disk that was full can go on later.
            self.broken = self.file.set_len(self.end).is_err();
            return Err(error);
        }
        if durable && let Err(error) = self.file.sync_data() {
            self.broken = true;
            return Err(error);
        }
        Ok(())
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

/// The frame at `at`: `None` at the end or where the file stops inside a frame, `Err` where it is damaged.
pub(crate) fn frame_at(bytes: &[u8], at: usize) -> Option<Result<&[u8], ()>> {
    let header = bytes.get(at..at + HEADER_BYTES)?;
    let (length, crc) = split_header(header.try_into().ok()?);
    if length > FRAME_BYTES_MAX {
        return Some(Err(()));
    }
    let start = at + HEADER_BYTES;
    let content = bytes.get(start..start + length)?;
    let whole = crc32c::crc32c(content) == crc;
    // A bad checksum on the very last frame is a torn write: its length reached the disk, its bytes did not.
    match whole {
        true => Some(Ok(content)),
        false if start + length == bytes.len() => None,
        false => Some(Err(())),
    }
}

fn split_header(header: &[u8; HEADER_BYTES]) -> (usize, u32) {
    let [a, b, c, d, e, f, g, h] = *header;
    (
        u32::from_le_bytes([a, b, c, d]) as usize,
        u32::from_le_bytes([e, f, g, h]),
    )
}
