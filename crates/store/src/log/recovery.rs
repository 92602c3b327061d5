//! Reading the log after a start: which records are there, where the durable part ends, what is damaged.

use super::files::list;
use super::{FILE_HEADER_BYTES, FORMAT_VERSION, Frame, file_path, parse_file_header, parse_frame, version_of_header};
use crate::disk::{Disk, read_all};
use crate::error::StoreError;
use crate::state::prepared::Prepared;
use model::Record;
use std::path::{Path, PathBuf};

/// Where the log goes on after recovery.
pub(crate) struct Recovered {
    /// Number the next record gets.
    pub next: u64,
    /// The file to go on in; `None` if a new one must be started.
    pub last: Option<LastFile>,
}

/// The log's last file, as far as it holds whole frames.
pub(crate) struct LastFile {
    pub path: PathBuf,
    pub len: u64,
    /// Where its last group begins: everything that a failed sync may have left in the page cache only.
    pub tail_start: u64,
    pub tail: Vec<u8>,
}

/// Hands all records behind `flushed` to `apply`, in order.
pub(crate) fn replay(
    disk: &dyn Disk,
    directory: &Path,
    flushed: u64,
    mut apply: impl FnMut(Prepared),
) -> Result<Recovered, StoreError> {
    let firsts = list(disk, directory)?;
    let mut next = flushed + 1;
    let mut last = None;
    for (place, first) in firsts.iter().enumerate() {
        let following = firsts.get(place + 1).copied();
        let path = file_path(directory, *first);
        // A file wholly below the watermark waits to be removed; its content does not matter any more.
        if following.is_some_and(|following| following <= flushed + 1) {
            continue;
        }
        if *first > next {
            let what = format!("record {next} is missing before it");
            return Err(StoreError::corrupt(&path, 0, what));
        }
        let content = read_all(disk, &path).map_err(|source| StoreError::io("read", &path, source))?;
        check_version(&path, &content)?;
        if parse_file_header(&content) != Some(*first) {
            if following.is_none() && holds_no_frame(&content) {
                // Creating this file was interrupted; no record can be in it.
                disk.remove(&path)
                    .map_err(|source| StoreError::io("remove", &path, source))?;
                break;
            }
            return Err(StoreError::corrupt(&path, 0, "its header fails its checksum"));
        }
        let walked = walk(&path, &content, *first, following.is_none())?;
        if walked.len < content.len() {
            tracing::warn!(
                file = %path.display(),
                offset = walked.len,
                bytes = content.len() - walked.len,
                "Cut an unacknowledged end off the log"
            );
        }
        for (position, payload) in walked.frames {
            if position > flushed {
                let offset = payload.as_ptr() as usize - content.as_ptr() as usize;
                let prepared = Prepared::read(payload.to_vec())
                    .map_err(|error| StoreError::corrupt(&path, offset as u64, error.to_string()))?;
                apply(prepared);
            }
            next = next.max(position + 1);
        }
        // A last file that ends below the watermark (a restored backup can have one) cannot take the next record.
        last = (walked.next == next).then(|| LastFile {
            path,
            len: walked.len as u64,
            tail_start: walked.tail_start as u64,
            tail: content[walked.tail_start..walked.len].to_vec(),
        });
    }
    Ok(Recovered { next, last })
}

/// Reads a file as [`replay`] does and changes nothing. Returns the number behind its last record.
pub(crate) fn check(path: &Path, content: &[u8], first: u64, is_last: bool) -> Result<u64, StoreError> {
    check_version(path, content)?;
    if parse_file_header(content) != Some(first) {
        if is_last && holds_no_frame(content) {
            return Ok(first);
        }
        return Err(StoreError::corrupt(path, 0, "its header fails its checksum"));
    }
    let walked = walk(path, content, first, is_last)?;
    for (position, payload) in &walked.frames {
        postcard::from_bytes::<Record>(payload)
            .map_err(|error| StoreError::corrupt(path, 0, format!("record {position} cannot be read: {error}")))?;
    }
    Ok(walked.next)
}

/// A whole header of a later version is no damage.
fn check_version(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    match version_of_header(content) {
        Some(found) if found > FORMAT_VERSION => Err(StoreError::NewerFormat {
            file: path.to_path_buf(),
            found,
            known: FORMAT_VERSION,
        }),
        _ => Ok(()),
    }
}

struct Walked<'a> {
    frames: Vec<(u64, &'a [u8])>,
    /// Number behind the last frame.
    next: u64,
    /// Length of the whole frames with what stands before them.
    len: usize,
    /// Where the last group begins; 0, with the file's header, if there is no other.
    tail_start: usize,
}

/// All whole frames of a file. An incomplete end is cut if it can only be an unacknowledged group.
fn walk<'a>(path: &Path, content: &'a [u8], first: u64, is_last: bool) -> Result<Walked<'a>, StoreError> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut at = FILE_HEADER_BYTES;
    let mut tail_start = 0;
    while at < content.len() {
        let expected = first + frames.len() as u64;
        match parse_frame(&content[at..]).filter(|frame| frame.position == expected) {
            Some(frame) => {
                if frame.earlier_in_group == 0 && at > FILE_HEADER_BYTES {
                    tail_start = at;
                }
                at += frame.len();
                frames.push(frame);
            }
            None => {
                if !is_last {
                    let what = format!("record {expected} fails its checksum");
                    return Err(StoreError::corrupt(path, at as u64, what));
                }
                if later_group_follows(&content[at..], expected) {
                    let what = format!("record {expected} was durable and fails its checksum now");
                    return Err(StoreError::corrupt(path, at as u64, what));
                }
                break;
            }
        }
    }
    Ok(Walked {
        frames: frames.iter().map(|frame| (frame.position, frame.payload)).collect(),
        next: first + frames.len() as u64,
        len: at,
        tail_start,
    })
}

/// Whether a frame of a group that began after record `torn` lies anywhere in `bytes`.
fn later_group_follows(bytes: &[u8], torn: u64) -> bool {
    (0..bytes.len()).any(|at| parse_frame(&bytes[at..]).is_some_and(|frame| frame.group_start() > torn))
}

fn holds_no_frame(content: &[u8]) -> bool {
    (0..content.len()).all(|at| parse_frame(&content[at..]).is_none())
}

#[cfg(test)]
mod tests {
    use super::super::{file_header, push_frame};
    use super::*;

    const FIRST: u64 = 7;

    /// A file of groups of records; returns its bytes and where each frame ends.
    fn file(groups: &[&[&str]]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = file_header(FIRST).to_vec();
        let mut ends = vec![bytes.len()];
        let mut position = FIRST;
        for group in groups {
            for (place, payload) in group.iter().enumerate() {
                push_frame(&mut bytes, position, place as u32, payload.as_bytes());
                ends.push(bytes.len());
                position += 1;
            }
        }
        (bytes, ends)
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, StoreError> {
        let walked = walk(Path::new("test.log"), bytes, FIRST, true)?;
        let text = |payload: &[u8]| String::from_utf8(payload.to_vec()).unwrap();
        Ok(walked.frames.iter().map(|(_, payload)| text(payload)).collect())
    }

    const GROUPS: &[&[&str]] = &[&["one"], &["two", "three", "four"], &["five", "six"]];
    const ALL: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

    #[test]
    fn a_cut_at_any_byte_leaves_whole_records() {
        let (bytes, ends) = file(GROUPS);
        for cut in ends[0]..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(read(&bytes[..cut]).unwrap(), ALL[..whole], "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_is_cut_or_reported() {
        let (bytes, ends) = file(GROUPS);
        for at in ends[0]..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let hit = ends.iter().filter(|end| **end <= at).count() - 1;
                match read(&damaged) {
                    // Everything up to the second group was durable when the third was written.
                    Err(StoreError::Corrupt { offset, .. }) => {
                        assert!(hit < 4, "byte {at} belongs to the last group");
                        assert_eq!(offset, ends[hit] as u64);
                    }
                    Ok(found) => {
                        assert!(hit >= 4, "byte {at} was durable");
                        assert_eq!(found, ALL[..hit]);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn pages_that_survive_out_of_order_are_no_damage() {
        let (bytes, ends) = file(GROUPS);
        let mut torn = bytes.clone();
        torn[ends[4]..ends[5]].fill(0);
        assert_eq!(read(&torn).unwrap(), ALL[..4]);
        let mut torn = bytes[..ends[4]].to_vec();
        torn[ends[1]..ends[3]].fill(0);
        assert_eq!(read(&torn).unwrap(), ALL[..1]);
    }

    #[test]
    fn zeros_and_doubled_tails_are_cut() {
        let (bytes, ends) = file(GROUPS);
        let with = |tail: &[u8]| [bytes.as_slice(), tail].concat();
        assert_eq!(read(&with(&[0; 4096])).unwrap(), ALL);
        assert_eq!(read(&with(&bytes[ends[4]..])).unwrap(), ALL);
        assert_eq!(read(&with(&bytes)).unwrap(), ALL);
        let spliced = [&bytes[..ends[2]], &[0; 64], &bytes[ends[2]..]].concat();
        assert!(matches!(read(&spliced), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn a_missing_record_is_reported() {
        let (bytes, ends) = file(GROUPS);
        let without = [&bytes[..ends[1]], &bytes[ends[4]..]].concat();
        assert!(matches!(read(&without), Err(StoreError::Corrupt { .. })));
    }
}
