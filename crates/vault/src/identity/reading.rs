//! Reading identities back: reveal, look-up, labels, sealed texts. Nothing here decides who may; that is the gate's.

use super::directory::Directory;
use super::feed;
use super::index::{Blind, Short};
use super::normal::{self, Contact};
use super::owner::{Owner, OwnerRow, Owners};
use super::project::{Kind, Project};
use super::queue::Work;
use super::schema::INDEX_GENERATION;
use super::transaction::find_stored;
use crate::crypto::{Aad, sha256};
use crate::error::Fault;
use crate::sqlite;
use model::{GroupNumber, ProjectId};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use vault_client::{IdentityKind, Personal};
use zeroize::Zeroizing;

/// What is known of one person: everything of the cluster, the canonical person's fields first.
pub(crate) struct PersonView {
    pub(crate) canonical: u64,
    /// Field names and JSON texts.
    pub(crate) fields: BTreeMap<String, Personal>,
    pub(crate) identifiers: Vec<(IdentityKind, Personal)>,
}

/// Connections that only read, made as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

const IDLE_READERS_MAX: usize = 8;

/// A borrowed reader; goes back when dropped.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Readers {
        Readers {
            path,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn take(&self) -> Result<Reader<'_>, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => sqlite::open_reader(&self.path)?,
        };
        Ok(Reader {
            readers: self,
            connection: Some(connection),
        })
    }
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("taken only by drop")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = self.connection.take()
            && idle.len() < IDLE_READERS_MAX
        {
            idle.push(connection);
        }
    }
}

impl Directory {
    /// Everything known of a person, by any number of its cluster; `None` when the number was never given.
    pub(crate) fn person(&self, project: ProjectId, number: u64) -> Result<Option<PersonView>, Fault> {
        let project = self.project(project)?;
        let (canonical, absorbed) = cluster(&project, number);
        let reader = self.readers.take()?;
        // One snapshot for all rows, so that a write in between cannot look like a row that was put back.
        let snapshot = reader.unchecked_transaction()?;
        let owners = Owners {
            connection: &snapshot,
            store: &self.store,
            keys: &project.keys,
        };
        let mut view = PersonView {
            canonical,
            fields: BTreeMap::new(),
            identifiers: Vec::new(),
        };
        for member in std::iter::once(canonical).chain(absorbed) {
            let Some(row) = owners.load(Owner::Person(member))? else {
                return Ok(None);
            };
            check_canonical(&snapshot, &project, &row, canonical)?;
            read_member(&owners, &row, &mut view)?;
        }
        Ok(Some(view))
    }

    /// The canonical number behind an identifier: as it is written, or as an e-mail address or phone number.
    pub(crate) fn find(&self, project: ProjectId, text: &str) -> Result<Option<u64>, Fault> {
        let project = self.project(project)?;
        let reader = self.readers.take()?;
        let device = text.strip_prefix("$device:").unwrap_or(text);
        for (kind, text) in [(Kind::User, text), (Kind::Device, device)] {
            let blind = project.identity_index(kind, text);
            let in_ram = project.read().identities.get(&Short::of(&blind));
            let found = match in_ram {
                Some(entry) => Some(entry),
                None => find_stored(&reader, &project, &blind)?,
            };
            if let Some(entry) = found {
                return Ok(Some(entry.person()));
            }
        }
        let contacts = [
            (Contact::Email, normal::email(text)),
            (Contact::Phone, normal::phone(text)),
        ];
        for (contact, normal) in contacts {
            let Some(normal) = normal else { continue };
            let blind = project.contact_index(contact, &normal);
            if let Some(number) = find_contact(&reader, &project, &blind)? {
                return Ok(Some(project.read().canonical(number)));
            }
        }
        Ok(None)
    }

    pub(crate) fn group_labels(
        &self,
        project: ProjectId,
        key: &str,
        numbers: &[GroupNumber],
    ) -> Result<Vec<Option<Personal>>, Fault> {
        let project = self.project(project)?;
        let Some(key) = project.read().group_keys.get(key).copied() else {
            return Ok(numbers.iter().map(|_| None).collect());
        };
        let reader = self.readers.take()?;
        let owners = Owners {
            connection: &reader,
            store: &self.store,
            keys: &project.keys,
        };
        numbers
            .iter()
            .map(|number| group_label(&owners, key.key_no, number.0))
            .collect()
    }

    pub(crate) fn dedup_key(&self, project: ProjectId) -> Result<Zeroizing<[u8; 32]>, Fault> {
        Ok(Zeroizing::new(*self.project(project)?.keys.dedup.bytes()))
    }

    pub(crate) fn pseudonym_key(&self, project: ProjectId, stream: &str) -> Result<Zeroizing<[u8; 64]>, Fault> {
        Ok(self.project(project)?.keys.export.expand(&[b"s", stream.as_bytes()]))
    }

    /// Seals a text that belongs to the project, in place of the one of the same kind and name.
    pub(crate) fn put_document(
        &self,
        project: ProjectId,
        kind: &'static str,
        name: &[u8],
        text: &str,
    ) -> Result<(), Fault> {
        let keys = &self.project(project)?.keys;
        let sealed = keys
            .documents
            .seal(&document_aad(project, kind, name, keys), text.as_bytes())?;
        self.write(
            project,
            Work::PutDocument {
                kind,
                name: name.to_vec(),
                sealed,
            },
            0,
        )
        .map(|_| ())
    }

    pub(crate) fn document(
        &self,
        project: ProjectId,
        kind: &'static str,
        name: &[u8],
    ) -> Result<Option<Zeroizing<String>>, Fault> {
        let keys = &self.project(project)?.keys;
        let sealed: Option<Vec<u8>> = self
            .readers
            .take()?
            .prepare_cached("SELECT sealed FROM document WHERE project = ?1 AND kind = ?2 AND name = ?3")?
            .query_row((project.0, kind, name), |row| row.get(0))
            .optional()?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = keys.documents.open(&document_aad(project, kind, name, keys), &sealed);
        let text = text.and_then(|text| {
            std::str::from_utf8(&text)
                .ok()
                .map(|text| Zeroizing::new(text.to_owned()))
        });
        text.map(Some).ok_or(Fault::Tampered("a sealed text"))
    }
}

/// The row's name is in the AAD as a digest, so that names of any length bind.
fn document_aad(project: ProjectId, kind: &str, name: &[u8], keys: &crate::keys::ProjectKeys) -> Aad {
    Aad::document(project, kind, &sha256(&[name]), keys.documents.id())
}

/// The canonical number and the numbers it absorbed.
fn cluster(project: &Project, number: u64) -> (u64, Vec<u64>) {
    let state = project.read();
    let canonical = state.canonical(number);
    let mut absorbed: Vec<u64> = state
        .absorbed
        .iter()
        .filter(|(_, into)| **into == canonical)
        .map(|(from, _)| *from)
        .collect();
    absorbed.sort_unstable();
    (canonical, absorbed)
}

/// A row's MAC cannot tell that the row itself was put back to before its merge; the feed, which only grows, can.
fn check_canonical(snapshot: &Connection, project: &Project, row: &OwnerRow, canonical: u64) -> Result<(), Fault> {
    if row.canon == canonical {
        return Ok(());
    }
    // RAM may be one commit behind the snapshot; the feed of the snapshot decides.
    let Owner::Person(number) = row.owner else {
        return Ok(());
    };
    match feed::merged_into(snapshot, project.id(), number)? {
        Some(into) if into == row.canon => Ok(()),
        _ => Err(Fault::Tampered("a person's row")),
    }
}

fn read_member(owners: &Owners<'_>, row: &OwnerRow, view: &mut PersonView) -> Result<(), Fault> {
    let Owner::Person(person) = row.owner else {
        return Ok(());
    };
    let project = owners.keys.project;
    let key = owners.data_key(row)?;
    for field_id in row.fields.keys() {
        let name: String = owners
            .connection
            .prepare_cached("SELECT name FROM field_def WHERE project = ?1 AND field_id = ?2")?
            .query_row((project.0, field_id), |row| row.get(0))?;
        if let Some(value) = owners.field(row, &key, *field_id)? {
            view.fields
                .entry(name)
                .or_insert_with(|| Personal::new(value.to_json().to_string()));
        }
    }
    let mut select = owners.connection.prepare_cached(
        "SELECT ident_id, kind, sealed FROM ident WHERE project = ?1 AND person = ?2 ORDER BY ident_id",
    )?;
    let mut rows = select.query((project.0, person as i64))?;
    while let Some(row) = rows.next()? {
        let (ident_id, kind, sealed): (i64, u8, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let aad = Aad::ident(project, person, kind, ident_id as u64, key.id());
        let text = key.open(&aad, &sealed).and_then(|packed| normal::unpack(&packed));
        let text = text.ok_or(Fault::Tampered("an identity"))?;
        let kind = if kind == Kind::Device as u8 {
            IdentityKind::Device
        } else {
            IdentityKind::User
        };
        view.identifiers.push((kind, Personal::new(text.as_str())));
    }
    Ok(())
}

fn group_label(owners: &Owners<'_>, key_no: u32, number: u64) -> Result<Option<Personal>, Fault> {
    let owner = Owner::Group { key_no, number };
    let Some(row) = owners.load(owner)? else {
        return Ok(None);
    };
    let key = owners.data_key(&row)?;
    let project = owners.keys.project;
    let sealed: Vec<u8> = owners
        .connection
        .prepare_cached("SELECT sealed FROM grp WHERE project = ?1 AND key_no = ?2 AND n = ?3")?
        .query_row((project.0, key_no, number as i64), |row| row.get(0))?;
    let text = key.open(&Aad::group(project, key_no, number, key.id()), &sealed);
    let text = text
        .and_then(|packed| normal::unpack(&packed))
        .ok_or(Fault::Tampered("a group's label"))?;
    Ok(Some(Personal::new(text.as_str())))
}

/// The lowest number a contact belongs to. Two people may share an address; the answer is one and is recorded as one.
fn find_contact(connection: &Connection, project: &Project, blind: &Blind) -> Result<Option<u64>, Fault> {
    let fields: Vec<u32> = {
        let state = project.read();
        std::iter::once(super::transaction::USER_ID_FIELD)
            .chain(state.fields.values().copied())
            .collect()
    };
    let mut lowest: Option<u64> = None;
    let mut select = connection.prepare_cached(
        "SELECT min(person) FROM fidx WHERE project = ?1 AND gen = ?2 AND field_id = ?3 AND idx = ?4",
    )?;
    for field_id in fields {
        let found: Option<i64> =
            select.query_row((project.id().0, INDEX_GENERATION, field_id, blind), |row| row.get(0))?;
        lowest = lowest.into_iter().chain(found.map(|number| number as u64)).min();
    }
    Ok(lowest)
}
