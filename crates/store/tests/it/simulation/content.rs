//! A file's bytes: those a process sees, those that are durable, and what a power cut makes of the difference.

use fastrand::Rng;
use std::ops::Range;

const SECTOR_BYTES: usize = 512;

#[derive(Default)]
pub(super) struct Content {
    pub seen: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes that a failed sync may have dropped, though the kernel takes them for written.
    given_up: Vec<Range<usize>>,
    /// Bytes written once more since the last sync.
    rewritten: Option<Range<usize>>,
}

impl Content {
    pub fn truncate(&mut self, len: usize) {
        self.seen.truncate(len);
        // What is written there from now on is written anew.
        self.given_up.retain(|range| range.start < len);
        for range in &mut self.given_up {
            range.end = range.end.min(len);
        }
    }

    /// Writes once more what is there.
    pub fn rewrite(&mut self, offset: usize, bytes: &[u8]) {
        let range = offset..offset + bytes.len();
        assert_eq!(&self.seen[range.clone()], bytes, "other bytes are there");
        self.rewritten = Some(range);
    }

    pub fn sync(&mut self) {
        self.durable = self.seen.clone();
        if let Some(again) = self.rewritten.take() {
            self.given_up
                .retain(|range| range.start < again.start || again.end < range.end);
        }
    }

    /// The kernel writes back what it likes, when it likes.
    pub fn write_back(&mut self) {
        self.durable = self.seen.clone();
    }

    /// A sync that failed: nobody knows what was written, and nobody will try again.
    pub fn give_up(&mut self) {
        self.rewritten = None;
        let common = common_prefix(&self.seen, &self.durable);
        if common < self.seen.len() {
            self.given_up.push(common..self.seen.len());
        }
    }

    pub fn tear(&mut self, rng: &mut Rng) {
        let common = common_prefix(&self.seen, &self.durable);
        if common < self.durable.len() {
            // Cut and not synced: either the old content or the new one.
            if rng.bool() {
                self.seen = self.durable.clone();
            }
        } else {
            let unsynced = self.seen.len() - common;
            match rng.u8(..4) {
                0 => self.seen.truncate(common),
                1 => {}
                2 => self.seen.truncate(common + rng.usize(..=unsynced)),
                _ => {
                    self.seen.truncate(common + rng.usize(..=unsynced));
                    let end = self.seen.len();
                    scramble(&mut self.seen, common..end, rng);
                }
            }
        }
        for range in std::mem::take(&mut self.given_up) {
            let end = range.end.min(self.seen.len());
            scramble(&mut self.seen, range.start..end, rng);
        }
        self.rewritten = None;
        self.durable = self.seen.clone();
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Keeps some sectors of a range and loses the others.
fn scramble(bytes: &mut [u8], range: Range<usize>, rng: &mut Rng) {
    let mut at = range.start;
    while at < range.end {
        let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(range.end);
        match rng.u8(..4) {
            0 => bytes[at..end].fill(0),
            1 => bytes[at..end].fill_with(|| rng.u8(..)),
            _ => {}
        }
        at = end;
    }
}
