//! The log: where a record becomes durable. `docs/formats/log.md` has the format.
//!
//! Files of frames, written by one thread ([`commit`]). The commit point is the `fdatasync` of a group of records;
//! nobody is answered and nothing takes effect before it.
//!
//! Every frame carries its record's number and how many records of its group stand before it. That tells a torn
//! write from later damage: groups are written one after the other, each synced before the next begins. So if a
//! frame fails its checksum and a readable frame of a *later* group follows, the failing one was durable once and
//! the file is damaged; if only frames of its own group follow, or none, the group was never acknowledged and is cut.

pub(crate) mod commit;
pub(crate) mod files;
pub(crate) mod recovery;

use std::path::{Path, PathBuf};

/// Largest record that the log takes. Far above what a batch of an ingestion request can have.
pub(crate) const RECORD_BYTES_MAX: usize = 64 << 20;

pub(crate) const FILE_HEADER_BYTES: usize = 24;
pub(crate) const FRAME_HEADER_BYTES: usize = 20;
/// Version of the log's format, the last byte of [`MAGIC`].
pub const FORMAT_VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"FPLOG\0\0\x01";

/// First bytes of a log file: magic, number of its first record, checksum.
pub(crate) fn file_header(first: u64) -> [u8; FILE_HEADER_BYTES] {
    let mut header = [0; FILE_HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&first.to_le_bytes());
    let crc = crc32c::crc32c(&header[..16]);
    header[16..20].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Number of the file's first record, if the header is whole.
fn parse_file_header(bytes: &[u8]) -> Option<u64> {
    let header = bytes.get(..FILE_HEADER_BYTES)?;
    let first = u64_at(header, 8)?;
    (header == file_header(first)).then_some(first)
}

/// The version that a whole header names. Later versions keep magic and checksum where they are.
pub(crate) fn version_of_header(bytes: &[u8]) -> Option<u32> {
    let header = bytes.get(..FILE_HEADER_BYTES)?;
    let whole = crc32c::crc32c(&header[..16]) == u32_at(header, 16)?;
    (whole && header[..7] == MAGIC[..7]).then(|| u32::from(header[7]))
}

/// Appends one frame to `out`. `earlier_in_group`: records of the same group before this one.
pub(crate) fn push_frame(out: &mut Vec<u8>, position: u64, earlier_in_group: u32, payload: &[u8]) {
    let len = u32::try_from(payload.len()).expect("records are below the limit");
    let start = out.len();
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&earlier_in_group.to_le_bytes());
    out.extend_from_slice(payload);
    let crc = frame_crc(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// Checksum of a frame: everything but the checksum itself.
fn frame_crc(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..])
}

/// A frame that passed its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame<'a> {
    position: u64,
    earlier_in_group: u32,
    payload: &'a [u8],
}

impl Frame<'_> {
    fn group_start(&self) -> u64 {
        self.position.saturating_sub(u64::from(self.earlier_in_group))
    }

    fn len(&self) -> usize {
        FRAME_HEADER_BYTES + self.payload.len()
    }
}

/// The frame at the start of `bytes`, if there is a whole one.
fn parse_frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let len = u32_at(bytes, 0)? as usize;
    if len == 0 || len > RECORD_BYTES_MAX {
        return None;
    }
    let frame = bytes.get(..FRAME_HEADER_BYTES + len)?;
    if frame_crc(frame) != u32_at(frame, 4)? {
        return None;
    }
    Some(Frame {
        position: u64_at(frame, 8)?,
        earlier_in_group: u32_at(frame, 16)?,
        payload: &frame[FRAME_HEADER_BYTES..],
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(field.try_into().expect("four bytes")))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(field.try_into().expect("eight bytes")))
}

/// Name of the file whose first record has this number. Sorts as the numbers do.
pub(crate) fn file_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.log"))
}

/// Number of the first record by file name.
fn first_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    (digits.len() == 20).then(|| digits.parse().ok())?
}
