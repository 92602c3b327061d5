//! What is kept in RAM of one project, and how a transaction changes it.

use super::index::{Blind, Entry, Index, Short, ShortMap};
use crate::crypto::DataKey;
use crate::keys::ProjectKeys;
use model::ProjectId;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One project. Every index, key and number is reached through this, so a call cannot mix two projects (ID-20).
pub(super) struct Project {
    pub(super) keys: ProjectKeys,
    state: RwLock<State>,
}

/// Follows the database: changed only after a commit, by the writer.
pub(super) struct State {
    pub(super) identities: Index,
    pub(super) groups: Index,
    pub(super) group_keys: HashMap<String, GroupKey>,
    pub(super) fields: HashMap<String, u32>,
    /// Absorbed number to canonical number, from the feed. A person row that disagrees was put back.
    pub(super) absorbed: HashMap<u64, u64>,
    /// The own number of devices whose canonical one is another (for `$ignore_alias`).
    pub(super) own: ShortMap<u64>,
    pub(super) counters: Counters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupKey {
    pub(super) key_no: u32,
    pub(super) next_group: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) next_person: u64,
    pub(super) next_ident: u64,
    pub(super) feed_seq: u64,
    /// Highest serial of a data key that was taken.
    pub(super) dek_serial: u64,
}

/// What a transaction adds to a project; applied after the commit, dropped without one.
pub(super) struct Pending {
    pub(super) counters: Counters,
    pub(super) identities: ShortMap<Entry>,
    pub(super) own: ShortMap<u64>,
    pub(super) groups: ShortMap<Entry>,
    pub(super) group_keys: HashMap<String, GroupKey>,
    pub(super) fields: HashMap<String, u32>,
    pub(super) absorbed: HashMap<u64, u64>,
    /// Keys of the owners made in this transaction, by serial; saves reading them back.
    pub(super) keys_taken: Vec<DataKey>,
    /// The newest person of this transaction and the place of its key in `keys_taken`.
    pub(super) newest: Option<(u64, usize)>,
}

impl Project {
    pub(super) fn new(keys: ProjectKeys, state: State) -> Project {
        Project {
            keys,
            state: RwLock::new(state),
        }
    }

    pub(super) fn id(&self) -> ProjectId {
        self.keys.project
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self) -> Pending {
        Pending {
            counters: self.read().counters,
            identities: ShortMap::default(),
            own: ShortMap::default(),
            groups: ShortMap::default(),
            group_keys: HashMap::new(),
            fields: HashMap::new(),
            absorbed: HashMap::new(),
            keys_taken: Vec::new(),
            newest: None,
        }
    }

    /// Makes a committed transaction visible, all at once.
    pub(super) fn apply(&self, pending: Pending) {
        let mut state = self.write();
        for (short, entry) in pending.identities {
            state.identities.insert(short, entry);
        }
        for (short, entry) in pending.groups {
            state.groups.insert(short, entry);
        }
        state.own.extend(pending.own);
        state.group_keys.extend(pending.group_keys);
        state.fields.extend(pending.fields);
        state.absorbed.extend(pending.absorbed);
        state.counters = pending.counters;
    }

    pub(super) fn identity_index(&self, kind: Kind, text: &str) -> Blind {
        let length = (text.len() as u32).to_le_bytes();
        self.keys.index.mac(&[b"id", &[kind as u8], &length, text.as_bytes()])
    }

    pub(super) fn group_index(&self, key_no: u32, text: &str) -> Blind {
        let length = (text.len() as u32).to_le_bytes();
        self.keys
            .index
            .mac(&[b"grp", &key_no.to_le_bytes(), &length, text.as_bytes()])
    }

    pub(super) fn contact_index(&self, contact: super::normal::Contact, normal: &str) -> Blind {
        self.keys.fields.mac(&[contact.tag(), b"\0", normal.as_bytes()])
    }
}

impl State {
    pub(super) fn canonical(&self, person: u64) -> u64 {
        self.absorbed.get(&person).copied().unwrap_or(person)
    }

    /// The number of an identity that may ask for its own instead of the canonical one.
    pub(super) fn own_number(&self, blind: &Blind, canonical: u64) -> u64 {
        self.own.get(&Short::of(blind)).copied().unwrap_or(canonical)
    }
}

/// The two namespaces of identities, as they are in MACs, AADs and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Device = b'd',
    User = b'u',
}
