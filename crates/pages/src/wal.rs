//! Damage in a write-ahead log, told from its torn end.
//!
//! SQLite reads its log up to the first frame that fails its checksum and forgets the rest: after a power cut, that is a transaction
//! nobody was told about. A bit that flips in an earlier frame looks the same and takes every later commit with it, silently. But
//! with `synchronous=FULL` a transaction begins only after the commit before it was synced. So if frames of a *later* transaction
//! follow the failing one, it was durable once and the log is damaged. (Our own log reasons the same way.) What cannot be told: the
//! last transaction damaged from one never finished.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>. Each frame's checksum goes on from that of the frame before.

use crate::seal::with_suffix;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// Of SQLite's pages, unless something else is asked for.
const PAGE_BYTES: usize = 4096;
/// The last bit says that checksums are made of big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// How often what looks like damage is looked at again, and after what time.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(20);

/// Where a log was found to be damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    pub offset: u64,
}

/// Looks for damage in the log of a database, in use or not. No log is a sound one.
pub fn check(database: &Path) -> io::Result<Option<Damage>> {
    let file = with_suffix(database, "-wal");
    // While somebody writes it, the parts of it that are read are not of one moment. What is damaged stays so.
    for _ in 0..LOOKS {
        match damaged_at(&read(&file)?) {
            None => return Ok(None),
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
    let offset = damaged_at(&read(&file)?);
    Ok(offset.map(|offset| Damage {
        file,
        offset: offset as u64,
    }))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

fn damaged_at(log: &[u8]) -> Option<usize> {
    let header = log.get(..HEADER_BYTES)?;
    let magic = u32_at(header, 0);
    let is_whole = |big_endian| sums(big_endian, (0, 0), &header[..24]) == (u32_at(header, 24), u32_at(header, 28));
    if magic & !1 != MAGIC || !is_whole(magic & 1 == 1) {
        // A header is one sector: it is never torn. If frames go with each other behind it, they were read by it once.
        let fit = |big_endian| {
            let frames = Frames {
                log,
                page_bytes: PAGE_BYTES,
                big_endian,
                salts: None,
            };
            frames.commit_is_followed(0..frames.count())
        };
        return (fit(false) || fit(true)).then_some(0);
    }
    let page_bytes = u32_at(header, 8) as usize;
    let frames = Frames {
        log,
        page_bytes,
        big_endian: magic & 1 == 1,
        salts: Some(&header[16..24]),
    };
    let first_torn = (0..frames.count()).find(|at| !frames.is_whole(*at))?;
    frames
        .commit_is_followed(first_torn..frames.count())
        .then(|| frames.start(first_torn))
}

struct Frames<'a> {
    log: &'a [u8],
    page_bytes: usize,
    big_endian: bool,
    /// Those of the log's header: frames with others are left from before the log was begun anew. `None`: the header is unreadable.
    salts: Option<&'a [u8]>,
}

impl Frames<'_> {
    fn count(&self) -> usize {
        (self.log.len() - HEADER_BYTES) / (FRAME_HEADER_BYTES + self.page_bytes)
    }

    fn start(&self, at: usize) -> usize {
        HEADER_BYTES + at * (FRAME_HEADER_BYTES + self.page_bytes)
    }

    fn frame(&self, at: usize) -> &[u8] {
        &self.log[self.start(at)..self.start(at + 1)]
    }

    fn salts(&self, at: usize) -> &[u8] {
        &self.frame(at)[8..16]
    }

    /// Whether a frame was written under these salts. A frame from before has others, both of them; a flipped bit changes one.
    fn is_of(&self, at: usize, salts: &[u8]) -> bool {
        let found = self.salts(at);
        found[..4] == salts[..4] || found[4..] == salts[4..]
    }

    /// The checksum that frame `at` goes on from, as it is stored.
    fn before(&self, at: usize) -> (u32, u32) {
        let stored = match at.checked_sub(1) {
            Some(earlier) => &self.frame(earlier)[16..24],
            None => &self.log[24..32],
        };
        (u32_at(stored, 0), u32_at(stored, 4))
    }

    /// Whether the frame is what was written, going by what is stored of the frame before.
    fn is_whole(&self, at: usize) -> bool {
        let frame = self.frame(at);
        let salts = match (self.salts, at.checked_sub(1)) {
            (Some(salts), _) => salts,
            (None, Some(earlier)) => self.salts(earlier),
            (None, None) => return false,
        };
        if frame[8..16] != *salts {
            return false;
        }
        let sum = sums(self.big_endian, self.before(at), &frame[..8]);
        sums(self.big_endian, sum, &frame[FRAME_HEADER_BYTES..]) == (u32_at(frame, 16), u32_at(frame, 20))
    }

    /// Whether a whole frame follows a commit within the range.
    fn commit_is_followed(&self, range: Range<usize>) -> bool {
        let mut committed = false;
        for at in range {
            if committed && self.is_whole(at) {
                return true;
            }
            let belongs = self.salts.is_none_or(|salts| self.is_of(at, salts));
            // The size of the database after a commit, 0 in the frames before.
            committed |= belongs && u32_at(self.frame(at), 4) != 0;
        }
        false
    }
}

fn sums(big_endian: bool, from: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |chunk: &[u8]| {
        let word: [u8; 4] = chunk.try_into().expect("four bytes");
        if big_endian {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        }
    };
    bytes.chunks_exact(8).fold(from, |(s0, s1), pair| {
        let s0 = s0.wrapping_add(word(&pair[..4])).wrapping_add(s1);
        (s0, s1.wrapping_add(word(&pair[4..])).wrapping_add(s0))
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// The log of a database with three commits of several pages each, as a killed process leaves it.
    fn log() -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.db");
        let connection = Connection::open(&file).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(x);")
            .unwrap();
        for _ in 0..2 {
            connection
                .execute("INSERT INTO t VALUES (randomblob(6000))", ())
                .unwrap();
        }
        std::fs::read(with_suffix(&file, "-wal")).unwrap()
    }

    /// Where each commit ends.
    fn commits(log: &[u8]) -> Vec<usize> {
        let frames = Frames {
            log,
            page_bytes: 4096,
            big_endian: false,
            salts: None,
        };
        let is_commit = |at: &usize| u32_at(frames.frame(*at), 4) != 0;
        (0..frames.count())
            .filter(is_commit)
            .map(|at| frames.start(at + 1))
            .collect()
    }

    #[test]
    fn a_log_that_was_cut_anywhere_is_torn_and_not_damaged() {
        let whole = log();
        assert_eq!(commits(&whole).len(), 3);
        for cut in 0..whole.len() {
            assert_eq!(damaged_at(&whole[..cut]), None, "cut at {cut}");
        }
        assert_eq!(damaged_at(&whole), None);
    }

    #[test]
    fn pages_of_the_last_commit_may_be_missing() {
        let whole = log();
        let last = commits(&whole)[1];
        for at in (last..whole.len()).step_by(512) {
            let mut torn = whole.clone();
            torn[at..whole.len().min(at + 512)].fill(0);
            assert_eq!(damaged_at(&torn), None, "sector at {at}");
        }
    }

    #[test]
    fn a_flipped_bit_before_the_last_commit_is_damage() {
        let whole = log();
        let last = commits(&whole)[1];
        for bit in 0..last * 8 {
            // Every bit of the headers, some of the pages.
            let in_frame = (bit / 8).saturating_sub(HEADER_BYTES) % (FRAME_HEADER_BYTES + 4096);
            if bit / 8 >= HEADER_BYTES && in_frame >= FRAME_HEADER_BYTES && bit % 61 != 0 {
                continue;
            }
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(damaged_at(&damaged).is_some(), "bit {} of byte {}", bit % 8, bit / 8);
        }
    }
}
