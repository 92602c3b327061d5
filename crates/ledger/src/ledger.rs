//! The ledger itself: entries and the bitmaps they point at.

use crate::disclosure::{Class, Disclosure};
use crate::entry::{Asker, Decision, Entry, PersonsRef};
use crate::frames::Frames;
use model::{PersonNumber, ProjectId};
use roaring::RoaringTreemap;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why the ledger could not be read or written. Nothing is disclosed in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk refused. What was not confirmed was taken back; try again.
    #[error("the disclosure ledger {} cannot be used", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A sync failed, so what the disk holds is unknown. Restart, which reads it again.
    #[error("the disclosure ledger stopped after a failed sync; restart to recover it")]
    Stopped,
    /// The file was damaged at this offset.
    #[error("the disclosure ledger {} is damaged at byte {offset}", path.display())]
    Corrupt { path: PathBuf, offset: u64 },
}

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryFilter {
    pub project: Option<ProjectId>,
    /// Only entries that showed this person.
    pub person: Option<PersonNumber>,
    /// Only entries with a smaller number, for paging backwards.
    pub before: Option<u64>,
    /// Only entries of at least this class.
    pub class_min: Option<Class>,
}

/// An append-only record of every disclosure. One writer; readers see whole entries.
pub struct Ledger {
    state: Mutex<State>,
}

struct State {
    entries: Frames,
    bitmaps: Frames,
    /// Offset of entry `seq` at index `seq - 1`.
    offsets: Vec<u64>,
    bitmap_offsets: HashMap<[u8; 32], u64>,
}

impl Ledger {
    /// Opens or creates the ledger in a directory. Reads it through once and refuses if it is damaged.
    pub fn open(directory: &Path) -> Result<Ledger, LedgerError> {
        std::fs::create_dir_all(directory).map_err(|source| LedgerError::Io {
            path: directory.to_owned(),
            source,
        })?;
        let mut bitmap_offsets = HashMap::new();
        let bitmaps = Frames::open(
            &directory.join("persons.log"),
            |_| true,
            |offset, bytes| {
                bitmap_offsets.insert(Sha256::digest(bytes).into(), offset);
                Ok(())
            },
        )?;
        let path = directory.join("entries.log");
        let mut offsets = Vec::new();
        let entries = Frames::open(&path, entry_is_synced, |offset, bytes| {
            let entry: Entry = serde_json::from_slice(bytes).map_err(|_| LedgerError::Corrupt {
                path: path.clone(),
                offset,
            })?;
            if entry.seq != offsets.len() as u64 + 1 {
                return Err(LedgerError::Corrupt {
                    path: path.clone(),
                    offset,
                });
            }
            offsets.push(offset);
            Ok(())
        })?;
        Ok(Ledger {
            state: Mutex::new(State {
                entries,
                bitmaps,
                offsets,
                bitmap_offsets,
            }),
        })
    }

    /// Appends the entry of a disclosure and returns its number. On return it is on disk, except for class D0, which
    /// shows nobody and may ride with the next sync.
    pub fn append(
        &self,
        asker: &Asker,
        disclosure: &Disclosure,
        decision: Decision,
        now_ms: i64,
    ) -> Result<u64, LedgerError> {
        let mut state = self.lock();
        let persons = match disclosure.persons.is_empty() {
            true => None,
            false => Some(state.store_bitmap(&disclosure.persons)?),
        };
        let entry = Entry {
            v: 1,
            seq: state.offsets.len() as u64 + 1,
            t: now_ms,
            actor: asker.actor.clone(),
            session_commit: asker.session_commit.as_ref().map(hex),
            project: asker.project,
            action: asker.action.to_owned(),
            decision,
            class: disclosure.class,
            purpose_code: asker.purpose,
            purpose_commit: asker.purpose_commit.as_ref().map(hex),
            persons,
            fields: disclosure.fields.iter().cloned().collect(),
            question_digest: hex(&disclosure.question_digest),
        };
        let bytes = serde_json_canonicalizer::to_vec(&entry).expect("an entry is strings and integers, which JSON has");
        let offset = state.entries.append(&bytes, is_synced(disclosure.class))?;
        state.offsets.push(offset);
        Ok(entry.seq)
    }

    /// The newest entries that match, newest first, with the persons each showed.
    pub fn entries(&self, filter: EntryFilter, limit: usize) -> Result<Vec<(Entry, RoaringTreemap)>, LedgerError> {
        let state = self.lock();
        let newest = filter.before.map_or(state.offsets.len(), |before| {
            state.offsets.len().min(before.saturating_sub(1) as usize)
        });
        let mut found = Vec::new();
        for offset in state.offsets[..newest].iter().rev() {
            if found.len() == limit {
                break;
            }
            let entry = state.read_entry(*offset)?;
            let wanted = filter.project.is_none_or(|project| entry.project == project)
                && filter.class_min.is_none_or(|class| entry.class >= class);
            if !wanted {
                continue;
            }
            let persons = state.read_bitmap(&entry)?;
            if filter.person.is_none_or(|person| persons.contains(person.0)) {
                found.push((entry, persons));
            }
        }
        Ok(found)
    }

    /// Entries in the ledger.
    pub fn len(&self) -> u64 {
        self.lock().offsets.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From here on nothing can be written, as after a failed sync.
    #[cfg(test)]
    fn break_for_test(&self) {
        let mut state = self.lock();
        state.entries.break_for_test();
        state.bitmaps.break_for_test();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves whole frames only; the state stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Stores the persons under their digest, durably, before the entry that names it.
    fn store_bitmap(&mut self, persons: &RoaringTreemap) -> Result<PersonsRef, LedgerError> {
        let mut bytes = Vec::with_capacity(persons.serialized_size());
        persons
            .serialize_into(&mut bytes)
            .expect("writing to memory does not fail");
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if !self.bitmap_offsets.contains_key(&digest) {
            let offset = self.bitmaps.append(&bytes, true)?;
            self.bitmap_offsets.insert(digest, offset);
        }
        Ok(PersonsRef {
            count: persons.len(),
            sha256: hex(&digest),
        })
    }

    fn read_entry(&self, offset: u64) -> Result<Entry, LedgerError> {
        let bytes = self.entries.read(offset)?;
        serde_json::from_slice(&bytes).map_err(|_| LedgerError::Corrupt {
            path: "entries.log".into(),
            offset,
        })
    }

    fn read_bitmap(&self, entry: &Entry) -> Result<RoaringTreemap, LedgerError> {
        let Some(persons) = &entry.persons else {
            return Ok(RoaringTreemap::new());
        };
        let missing = || LedgerError::Corrupt {
            path: "persons.log".into(),
            offset: 0,
        };
        let digest = unhex(&persons.sha256).ok_or_else(missing)?;
        let offset = *self.bitmap_offsets.get(&digest).ok_or_else(missing)?;
        let bytes = self.bitmaps.read(offset)?;
        RoaringTreemap::deserialize_from(bytes.as_slice()).map_err(|_| LedgerError::Corrupt {
            path: "persons.log".into(),
            offset,
        })
    }
}

/// Whether an entry is on disk before its answer leaves.
fn is_synced(class: Class) -> bool {
    class > Class::D0
}

pub(crate) fn entry_is_synced(bytes: &[u8]) -> bool {
    serde_json::from_slice(bytes).is_ok_and(|entry: Entry| is_synced(entry.class))
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
