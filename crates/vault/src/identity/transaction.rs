//! One call inside the writer's transaction: the acts of table 1.3 as rows.
//!
//! A [`Change`] sees what was committed, and over it what this transaction has done so far ([`Pending`]); tuples
//! earlier in the batch, and calls earlier in the group, are visible to later ones.

use super::feed;
use super::index::{Blind, Entry, Short};
use super::normal;
use super::owner::{Owner, OwnerRow, OwnerState, Owners};
use super::project::{Kind, Pending, Project};
use super::schema::INDEX_GENERATION;
use super::table::{Act, Seen, decide};
use crate::clock::DAY_MS;
use crate::crypto::{Aad, DataKey};
use crate::error::Fault;
use crate::keys::KeyStore;
use model::{ErrorCode, FeedEntry, PersonNumber};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};
use vault_client::{ResolvedId, Tuple};

/// A tuple with the blind indexes of what is usable in it.
pub(super) struct Looked<'a> {
    pub(super) tuple: &'a Tuple,
    pub(super) device: Option<Blind>,
    pub(super) user: Option<Blind>,
}

impl<'a> Looked<'a> {
    pub(super) fn new(project: &Project, tuple: &'a Tuple) -> Looked<'a> {
        let device = tuple
            .device
            .as_ref()
            .map(|text| text.expose())
            .filter(|text| normal::is_usable(text));
        let user = tuple
            .user
            .as_ref()
            .map(|text| text.expose())
            .filter(|text| normal::is_usable_user(text));
        // A profile update has one id; where a caller gives two, the user's is meant.
        let device = device.filter(|_| !(tuple.profile && user.is_some()));
        Looked {
            tuple,
            device: device.map(|text| project.identity_index(Kind::Device, text)),
            user: user.map(|text| project.identity_index(Kind::User, text)),
        }
    }
}

/// One project's part of the transaction.
pub(super) struct Change<'a> {
    pub(super) connection: &'a Connection,
    pub(super) store: &'a KeyStore,
    pub(super) project: &'a Project,
    pub(super) pending: &'a mut Pending,
    /// Data keys made ahead and not taken by a committed transaction, lowest serial first.
    pub(super) pool: &'a mut Vec<DataKey>,
    pub(super) now_ms: i64,
}

impl<'a> Change<'a> {
    pub(super) fn owners(&self) -> Owners<'a> {
        Owners {
            connection: self.connection,
            store: self.store,
            keys: &self.project.keys,
        }
    }

    pub(super) fn resolve(&mut self, tuples: &[Looked<'_>]) -> Result<Vec<ResolvedId>, Fault> {
        self.reserve_keys(tuples)?;
        let paired = self.pairs_ahead(tuples)?;
        tuples
            .iter()
            .map(|looked| {
                let alone = looked.device.filter(|_| looked.user.is_none() && !looked.tuple.profile);
                if let Some(pair) = alone.and_then(|device| paired.get(&device)) {
                    // The device alone, and its first user comes later in the batch: do the pair's row now.
                    let mut resolved = self.resolve_one(pair)?;
                    if looked.tuple.ignore_alias {
                        resolved.person = self.number_of(looked, resolved.person)?;
                    }
                    return Ok(resolved);
                }
                self.resolve_one(looked)
            })
            .collect()
    }

    /// Look-ahead (ID-7): the first pair of every device that is unknown before the batch and in no profile update of
    /// it. Such a device takes its user's number at once, which saves an edge and a reset.
    fn pairs_ahead<'t>(&self, tuples: &'t [Looked<'t>]) -> Result<HashMap<Blind, &'t Looked<'t>>, Fault> {
        let alone: HashSet<Blind> = tuples
            .iter()
            .filter(|looked| looked.user.is_none() && !looked.tuple.profile)
            .filter_map(|looked| looked.device)
            .collect();
        let mut settled: HashSet<Blind> = tuples
            .iter()
            .filter(|looked| looked.tuple.profile)
            .filter_map(|looked| looked.device)
            .collect();
        let mut pairs = HashMap::new();
        for looked in tuples.iter().filter(|looked| looked.user.is_some()) {
            let Some(device) = looked.device.filter(|device| alone.contains(device)) else {
                continue;
            };
            if settled.insert(device) && self.find(&device)?.is_none() {
                pairs.insert(device, looked);
            }
        }
        Ok(pairs)
    }

    fn resolve_one(&mut self, looked: &Looked<'_>) -> Result<ResolvedId, Fault> {
        let device = looked.device.map(|blind| self.find(&blind)).transpose()?.flatten();
        let user = looked.user.map(|blind| self.find(&blind)).transpose()?.flatten();
        let act = decide(
            Seen::of(looked.device.is_some(), device),
            Seen::of(looked.user.is_some(), user),
        );
        let (person, new, linked) = self.act(act, looked)?;
        let person = if looked.tuple.ignore_alias {
            self.number_of(looked, PersonNumber(person))?.0
        } else {
            person
        };
        Ok(ResolvedId {
            person: PersonNumber(person),
            new,
            linked,
        })
    }

    /// The number, whether it is new, whether this made a link.
    fn act(&mut self, act: Act, looked: &Looked<'_>) -> Result<(u64, bool, bool), Fault> {
        match act {
            Act::Nobody => Ok((0, false, false)),
            Act::Known(person) => Ok((person, false, false)),
            Act::NewDevice => {
                let person = self.mint()?;
                self.add_identity(Kind::Device, looked, person)?;
                Ok((person, true, false))
            }
            Act::NewUser => {
                let person = self.mint()?;
                self.add_identity(Kind::User, looked, person)?;
                Ok((person, true, false))
            }
            Act::NewPair => {
                let person = self.mint()?;
                let device = self.add_identity(Kind::Device, looked, person)?;
                let user = self.add_identity(Kind::User, looked, person)?;
                self.link(looked, device, user, person)?;
                Ok((person, true, true))
            }
            Act::JoinDevice { user: person } => {
                let device = self.add_identity(Kind::Device, looked, person)?;
                let user = self.identity_id(looked.user)?;
                self.link(looked, device, user, person)?;
                Ok((person, false, true))
            }
            Act::SignUp { device: person } => {
                let user = self.add_identity(Kind::User, looked, person)?;
                let device = self.identity_id(looked.device)?;
                self.link(looked, device, user, person)?;
                self.reset(person)?;
                Ok((person, false, true))
            }
            Act::Absorb {
                device: from,
                user: into,
            } => {
                let (device, user) = (self.identity_id(looked.device)?, self.identity_id(looked.user)?);
                self.link(looked, device, user, into)?;
                self.reset(from)?;
                self.absorb(looked, from, into)?;
                Ok((into, false, true))
            }
        }
    }

    /// A number for somebody new: the row, its key, its MAC.
    fn mint(&mut self) -> Result<u64, Fault> {
        let number = self.pending.counters.next_person;
        if number >= PersonNumber::CANARY_MIN.0 {
            return Err(Fault::refused(
                ErrorCode::Unavailable,
                "the project has no person numbers left",
            ));
        }
        let key_id = *self.take_key()?.id();
        self.pending.newest = Some((number, self.pending.keys_taken.len() - 1));
        let row = OwnerRow::new(Owner::Person(number), key_id);
        self.connection
            .prepare_cached(
                "INSERT INTO person(project, n, canon, key_id, state, created_day, ver, mac)
                    VALUES(?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                self.project.id().0,
                number as i64,
                key_id.0,
                row.state as u8,
                self.today(),
                row.ver as i64,
                row.mac(&self.project.keys),
            ))?;
        self.pending.counters.next_person += 1;
        Ok(number)
    }

    /// Makes the keys that a batch may need in one commit, instead of one for every 256.
    fn reserve_keys(&mut self, tuples: &[Looked<'_>]) -> Result<(), Fault> {
        let mut unknown = 0;
        for looked in tuples {
            for blind in [looked.device, looked.user].into_iter().flatten() {
                unknown += usize::from(self.find(&blind)?.is_none());
            }
        }
        let left = self.pool.len() - self.pending.keys_taken.len();
        if unknown > left {
            let made = self.store.make_data_keys(&self.project.keys, (unknown - left) as u64)?;
            self.pool.extend(made);
        }
        Ok(())
    }

    /// The next data key, made ahead or now. It is taken for good only when the transaction commits.
    pub(super) fn take_key(&mut self) -> Result<&DataKey, Fault> {
        let taken = self.pending.keys_taken.len();
        if taken >= self.pool.len() {
            let made = self.store.make_data_keys(&self.project.keys, 1)?;
            self.pool.extend(made);
        }
        let key = self.pool[taken].clone();
        let mut serial = [0; 8];
        serial.copy_from_slice(&key.id().0[..8]);
        self.pending.counters.dek_serial = u64::from_be_bytes(serial);
        self.pending.keys_taken.push(key);
        Ok(&self.pending.keys_taken[taken])
    }

    /// An owner's key: from this transaction, or unwrapped from the store.
    pub(super) fn key_of(&self, row: &OwnerRow) -> Result<DataKey, Fault> {
        // Ids begin with the serial, big-endian, so the keys taken one after the other are in order.
        let taken = &self.pending.keys_taken;
        match taken.binary_search_by(|key| key.id().0.cmp(&row.key_id.0)) {
            Ok(at) => Ok(taken[at].clone()),
            Err(_) => self.owners().data_key(row),
        }
    }

    fn person_key(&self, person: u64) -> Result<DataKey, Fault> {
        if let Some((newest, at)) = self.pending.newest
            && newest == person
        {
            return Ok(self.pending.keys_taken[at].clone());
        }
        let row = self
            .owners()
            .load(Owner::Person(person))?
            .ok_or(Fault::Tampered("a person's row"))?;
        self.key_of(&row)
    }

    /// Seals an identity under its person's key and indexes it. Returns its id.
    fn add_identity(&mut self, kind: Kind, looked: &Looked<'_>, person: u64) -> Result<u64, Fault> {
        let (text, blind) = match kind {
            Kind::Device => (&looked.tuple.device, looked.device),
            Kind::User => (&looked.tuple.user, looked.user),
        };
        let (Some(text), Some(blind)) = (text, blind) else {
            unreachable!("the table acts on what is present")
        };
        let key = self.person_key(person)?;
        let project = self.project.id();
        let ident_id = self.pending.counters.next_ident;
        self.pending.counters.next_ident += 1;
        let aad = Aad::ident(project, person, kind as u8, ident_id, key.id());
        let sealed = key.seal(&aad, &normal::pack(text.expose()))?;
        self.connection
            .prepare_cached(
                "INSERT INTO ident(project, person, ident_id, kind, created_day, sealed)
                    VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                project.0,
                person as i64,
                ident_id as i64,
                kind as u8,
                self.today(),
                sealed,
            ))?;
        self.connection
            .prepare_cached("INSERT INTO bidx(project, gen, idx, ident_id, person) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute((project.0, INDEX_GENERATION, blind, ident_id as i64, person as i64))?;
        if kind == Kind::User
            && let Some(address) = normal::email(text.expose())
        {
            let index = self.project.contact_index(normal::Contact::Email, &address);
            self.add_contact(USER_ID_FIELD, &index, person)?;
        }
        self.pending
            .identities
            .insert(Short::of(&blind), Entry::new(person, false));
        Ok(ident_id)
    }

    pub(super) fn add_contact(&self, field_id: u32, index: &Blind, person: u64) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO fidx(project, gen, field_id, idx, person) VALUES(?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((self.project.id().0, INDEX_GENERATION, field_id, index, person as i64))?;
        Ok(())
    }

    fn link(&mut self, looked: &Looked<'_>, device: u64, user: u64, person: u64) -> Result<(), Fault> {
        self.connection
            .prepare_cached("INSERT INTO link(project, device_ident, user_ident, at_ms) VALUES(?1, ?2, ?3, ?4)")?
            .execute((self.project.id().0, device as i64, user as i64, self.now_ms))?;
        if let Some(blind) = looked.device {
            self.pending
                .identities
                .insert(Short::of(&blind), Entry::new(person, true));
        }
        Ok(())
    }

    /// Empties the identifying profile of a person; the feed tells the other side to empty the ordinary one (S5).
    fn reset(&mut self, person: u64) -> Result<(), Fault> {
        self.empty_profile(Owner::Person(person))?;
        self.add_feed(&FeedEntry::Reset {
            person: PersonNumber(person),
        })
    }

    fn absorb(&mut self, looked: &Looked<'_>, from: u64, into: u64) -> Result<(), Fault> {
        let owners = self.owners();
        let mut row = owners
            .load(Owner::Person(from))?
            .ok_or(Fault::Tampered("a person's row"))?;
        row.canon = into;
        row.state = OwnerState::Absorbed;
        row.ver += 1;
        owners.update(&row)?;
        if let Some(blind) = looked.device {
            self.connection
                .prepare_cached("UPDATE bidx SET person = ?4 WHERE project = ?1 AND gen = ?2 AND idx = ?3")?
                .execute((self.project.id().0, INDEX_GENERATION, blind, into as i64))?;
            self.pending.own.insert(Short::of(&blind), from);
        }
        self.pending.absorbed.insert(from, into);
        self.add_feed(&FeedEntry::Merge {
            from: PersonNumber(from),
            into: PersonNumber(into),
        })
    }

    fn add_feed(&mut self, entry: &FeedEntry) -> Result<(), Fault> {
        self.pending.counters.feed_seq += 1;
        feed::insert(
            self.connection,
            self.project.id(),
            self.pending.counters.feed_seq,
            entry,
            self.now_ms,
        )
    }

    /// An identity as this transaction sees it.
    fn find(&self, blind: &Blind) -> Result<Option<Entry>, Fault> {
        let short = Short::of(blind);
        if let Some(entry) = self.pending.identities.get(&short) {
            return Ok(Some(*entry));
        }
        let (found, complete) = {
            let state = self.project.read();
            (state.identities.get(&short), state.identities.is_complete())
        };
        if found.is_some() || complete {
            return Ok(found);
        }
        find_stored(self.connection, self.project, blind)
    }

    fn number_of(&self, looked: &Looked<'_>, canonical: PersonNumber) -> Result<PersonNumber, Fault> {
        let Some(blind) = looked.user.or(looked.device) else {
            return Ok(canonical);
        };
        let own = self.pending.own.get(&Short::of(&blind)).copied();
        Ok(PersonNumber(own.unwrap_or_else(|| {
            self.project.read().own_number(&blind, canonical.0)
        })))
    }

    fn identity_id(&self, blind: Option<Blind>) -> Result<u64, Fault> {
        let id: Option<i64> = self
            .connection
            .prepare_cached("SELECT ident_id FROM bidx WHERE project = ?1 AND gen = ?2 AND idx = ?3")?
            .query_row((self.project.id().0, INDEX_GENERATION, blind), |row| row.get(0))
            .optional()?;
        id.map(|id| id as u64).ok_or(Fault::Tampered("the identity index"))
    }

    /// Stores the counters; the last step of every project's part.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        let counters = &self.pending.counters;
        self.connection
            .prepare_cached(
                "UPDATE project SET next_person = ?2, next_ident = ?3, feed_seq = ?4, dek_serial = ?5
                    WHERE project = ?1",
            )?
            .execute((
                self.project.id().0,
                counters.next_person as i64,
                counters.next_ident as i64,
                counters.feed_seq as i64,
                counters.dek_serial as i64,
            ))?;
        Ok(())
    }

    pub(super) fn today(&self) -> i64 {
        self.now_ms.div_euclid(DAY_MS)
    }
}

/// The field number under which e-mail-shaped user ids stand in the second index.
pub(super) const USER_ID_FIELD: u32 = 0;

/// An identity as the database has it, for when the index in RAM no longer holds everything.
pub(super) fn find_stored(connection: &Connection, project: &Project, blind: &Blind) -> Result<Option<Entry>, Fault> {
    let found = connection
        .prepare_cached(
            "SELECT person, EXISTS(SELECT 1 FROM link
                    WHERE link.project = bidx.project AND link.device_ident = bidx.ident_id)
                FROM bidx WHERE project = ?1 AND gen = ?2 AND idx = ?3",
        )?
        .query_row((project.id().0, INDEX_GENERATION, blind), |row| {
            Ok(Entry::new(row.get::<_, i64>(0)? as u64, row.get(1)?))
        })
        .optional()?;
    Ok(found)
}
