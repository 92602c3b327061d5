//! Reading a ledger through without opening it for writing: frames, order of entries, and the sets they point at.

use crate::entry::Entry;
use crate::frames::{HEADER_BYTES, frame_at};
use crate::ledger::entry_is_synced;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What a verification of a ledger found.
#[derive(Clone, Debug, Default)]
pub struct LedgerVerified {
    pub files: u64,
    pub bytes: u64,
    pub entries: u64,
    pub damage: Vec<LedgerDamage>,
}

/// Where a ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerDamage {
    pub file: PathBuf,
    pub offset: u64,
    pub what: String,
}

/// Verifies the ledger in a directory, in use or not. `pace` is told of bytes that were read, and may wait.
pub fn verify(directory: &Path, pace: &mut dyn FnMut(u64)) -> LedgerVerified {
    let mut verified = LedgerVerified::default();
    // Entries first: the set that an entry names was on disk before it.
    let entries = directory.join("entries.log");
    let mut named = Vec::new();
    verified.entries = walk(
        &entries,
        entry_is_synced,
        &mut verified,
        pace,
        |count, offset, bytes| {
            let entry: Entry = serde_json::from_slice(bytes).map_err(|_| "an entry cannot be read".to_owned())?;
            if entry.seq != count + 1 {
                return Err(format!("entry {} stands where entry {} belongs", entry.seq, count + 1));
            }
            named.extend(entry.persons.map(|persons| (offset, entry.seq, persons.sha256)));
            Ok(())
        },
    );
    let mut sets = HashSet::new();
    let persons = directory.join("persons.log");
    walk(
        &persons,
        |_| true,
        &mut verified,
        pace,
        |_, _, bytes| {
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            sets.insert(crate::ledger::hex(&digest));
            Ok(())
        },
    );
    for (offset, seq, digest) in named {
        if !sets.contains(&digest) {
            verified.damage.push(LedgerDamage {
                file: entries.clone(),
                offset,
                what: format!("the persons of entry {seq} are not in persons.log"),
            });
        }
    }
    verified
}

/// Hands every frame of a file to `each`, with the number of frames before it, until the first that is damaged. Returns how
/// many were sound. What is incomplete at the very end is a torn write, or one that is going on now.
fn walk(
    path: &Path,
    is_synced: fn(&[u8]) -> bool,
    verified: &mut LedgerVerified,
    pace: &mut dyn FnMut(u64),
    mut each: impl FnMut(u64, u64, &[u8]) -> Result<(), String>,
) -> u64 {
    let damaged = |offset: u64, what: String| {
        let file = path.to_path_buf();
        LedgerDamage { file, offset, what }
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        // Nothing was disclosed yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        Err(error) => {
            verified.damage.push(damaged(0, error.to_string()));
            return 0;
        }
    };
    verified.files += 1;
    verified.bytes += bytes.len() as u64;
    pace(bytes.len() as u64);
    let (mut at, mut count) = (0, 0);
    while let Some(frame) = frame_at(&bytes, at, is_synced) {
        let checked = frame
            .map_err(|()| "a frame fails its checksum".to_owned())
            .and_then(|content| each(count, at as u64, content).map(|()| content.len()));
        match checked {
            Ok(length) => {
                at += HEADER_BYTES + length;
                count += 1;
            }
            Err(what) => {
                verified.damage.push(damaged(at as u64, what));
                return count;
            }
        }
    }
    count
}
