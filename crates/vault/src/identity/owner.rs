//! Persons and groups as owners of a key and of sealed fields.
//!
//! Every owner's row carries a MAC over itself and over which version of which field belongs to it (VA-5), so a field
//! or owner row put back to an older state no longer verifies. Versions of fields are the owner's version at the
//! write: they never repeat, not even after a field was deleted and made anew.

use crate::crypto::{Aad, DataKey, FieldPlace, KeyId};
use crate::error::Fault;
use crate::keys::{KeyStore, ProjectKeys};
use model::{ProjectId, Value};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Owner {
    Person(u64),
    Group { key_no: u32, number: u64 },
}

/// Life of an owner; part of the row MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum OwnerState {
    Live = 1,
    Absorbed = 2,
}

impl OwnerState {
    fn from_number(number: u8) -> Option<OwnerState> {
        [OwnerState::Live, OwnerState::Absorbed]
            .into_iter()
            .find(|state| *state as u8 == number)
    }
}

/// A verified row with the versions of its fields.
#[derive(Clone)]
pub(super) struct OwnerRow {
    pub(super) owner: Owner,
    pub(super) canon: u64,
    pub(super) key_id: KeyId,
    pub(super) state: OwnerState,
    pub(super) ver: u64,
    pub(super) fields: BTreeMap<u32, u64>,
}

/// Version of the form in which field values are kept: JSON text.
const FIELD_SCHEMA: u32 = 1;

/// The statements of the two kinds. ?1 project, ?2 key number (not used for persons), ?3 number, ?4 and on as named.
struct Statements {
    row: &'static str,
    versions: &'static str,
    update: &'static str,
    field: &'static str,
    put_field: &'static str,
    remove_field: &'static str,
}

const PERSON: Statements = Statements {
    row: "SELECT canon, key_id, state, ver, mac FROM person WHERE project = ?1 AND ?2 = 0 AND n = ?3",
    versions: "SELECT field_id, ver FROM field WHERE project = ?1 AND ?2 = 0 AND person = ?3 ORDER BY field_id",
    update: "UPDATE person SET canon = ?4, state = ?5, ver = ?6, mac = ?7 WHERE project = ?1 AND ?2 = 0 AND n = ?3",
    field: "SELECT ver, schema_ver, sealed FROM field
        WHERE project = ?1 AND ?2 = 0 AND person = ?3 AND field_id = ?4",
    put_field: "INSERT INTO field(project, person, field_id, ver, schema_ver, updated_ms, sealed)
        VALUES(?1, ?3 + ?2, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(project, person, field_id)
        DO UPDATE SET ver = ?5, schema_ver = ?6, updated_ms = ?7, sealed = ?8",
    remove_field: "DELETE FROM field WHERE project = ?1 AND ?2 = 0 AND person = ?3 AND field_id = ?4",
};

const GROUP: Statements = Statements {
    row: "SELECT n, key_id, state, ver, mac FROM grp WHERE project = ?1 AND key_no = ?2 AND n = ?3",
    versions: "SELECT field_id, ver FROM gfield WHERE project = ?1 AND key_no = ?2 AND n = ?3 ORDER BY field_id",
    update: "UPDATE grp SET state = ?5, ver = ?6, mac = ?7
        WHERE project = ?1 AND key_no = ?2 AND n = ?3 AND ?4 = n",
    field: "SELECT ver, schema_ver, sealed FROM gfield
        WHERE project = ?1 AND key_no = ?2 AND n = ?3 AND field_id = ?4",
    put_field: "INSERT INTO gfield(project, key_no, n, field_id, ver, schema_ver, updated_ms, sealed)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(project, key_no, n, field_id)
        DO UPDATE SET ver = ?5, schema_ver = ?6, updated_ms = ?7, sealed = ?8",
    remove_field: "DELETE FROM gfield WHERE project = ?1 AND key_no = ?2 AND n = ?3 AND field_id = ?4",
};

impl Owner {
    fn statements(self) -> &'static Statements {
        match self {
            Owner::Person(_) => &PERSON,
            Owner::Group { .. } => &GROUP,
        }
    }

    /// Key number (0 for persons) and number, as the statements take them.
    fn numbers(self) -> (u32, i64) {
        match self {
            Owner::Person(number) => (0, number as i64),
            Owner::Group { key_no, number } => (key_no, number as i64),
        }
    }

    fn field_aad(self, project: ProjectId, place: &FieldPlace, key: &KeyId) -> Aad {
        match self {
            Owner::Person(number) => Aad::field(project, number, place, key),
            Owner::Group { key_no, number } => Aad::group_field(project, key_no, number, place, key),
        }
    }
}

impl OwnerRow {
    pub(super) fn new(owner: Owner, key_id: KeyId) -> OwnerRow {
        let (_, number) = owner.numbers();
        OwnerRow {
            owner,
            canon: number as u64,
            key_id,
            state: OwnerState::Live,
            ver: 1,
            fields: BTreeMap::new(),
        }
    }

    pub(super) fn mac(&self, keys: &ProjectKeys) -> [u8; 32] {
        let (key_no, number) = self.owner.numbers();
        let kind = match self.owner {
            Owner::Person(_) => b"person/1",
            Owner::Group { .. } => b"group_/1",
        };
        let mut text = Vec::with_capacity(64 + 12 * self.fields.len());
        text.extend_from_slice(kind);
        text.extend_from_slice(&keys.project.0.to_le_bytes());
        text.extend_from_slice(&key_no.to_le_bytes());
        text.extend_from_slice(&number.to_le_bytes());
        text.extend_from_slice(&self.canon.to_le_bytes());
        text.extend_from_slice(&self.key_id.0);
        text.push(self.state as u8);
        text.extend_from_slice(&self.ver.to_le_bytes());
        for (field_id, ver) in &self.fields {
            text.extend_from_slice(&field_id.to_le_bytes());
            text.extend_from_slice(&ver.to_le_bytes());
        }
        keys.row_mac.mac(&[&text])
    }
}

/// One project's owners, seen through one connection.
#[derive(Clone, Copy)]
pub(super) struct Owners<'a> {
    pub(super) connection: &'a Connection,
    pub(super) store: &'a KeyStore,
    pub(super) keys: &'a ProjectKeys,
}

impl Owners<'_> {
    fn project(&self) -> ProjectId {
        self.keys.project
    }

    /// The row, checked against its MAC; `None` when there is no such owner.
    pub(super) fn load(&self, owner: Owner) -> Result<Option<OwnerRow>, Fault> {
        let (key_no, number) = owner.numbers();
        let statements = owner.statements();
        let found = self
            .connection
            .prepare_cached(statements.row)?
            .query_row((self.project().0, key_no, number), |row| {
                let canon: i64 = row.get(0)?;
                let ver: i64 = row.get(3)?;
                Ok((
                    canon as u64,
                    row.get::<_, [u8; 16]>(1)?,
                    row.get::<_, u8>(2)?,
                    ver as u64,
                    row.get::<_, [u8; 32]>(4)?,
                ))
            })
            .optional()?;
        let Some((canon, key_id, state, ver, mac)) = found else {
            return Ok(None);
        };
        let mut select = self.connection.prepare_cached(statements.versions)?;
        let fields = select
            .query_map((self.project().0, key_no, number), |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
            })?
            .collect::<Result<BTreeMap<u32, u64>, _>>()?;
        let state = OwnerState::from_number(state).ok_or(TAMPERED)?;
        let row = OwnerRow {
            owner,
            canon,
            key_id: KeyId(key_id),
            state,
            ver,
            fields,
        };
        match bool::from(row.mac(self.keys).ct_eq(&mac)) {
            true => Ok(Some(row)),
            false => Err(TAMPERED),
        }
    }

    pub(super) fn data_key(&self, row: &OwnerRow) -> Result<DataKey, Fault> {
        self.store.data_key(self.keys, &row.key_id)
    }

    /// Writes the row with a MAC over its present state.
    pub(super) fn update(&self, row: &OwnerRow) -> Result<(), Fault> {
        let (key_no, number) = row.owner.numbers();
        let changed = self
            .connection
            .prepare_cached(row.owner.statements().update)?
            .execute((
                self.project().0,
                key_no,
                number,
                row.canon as i64,
                row.state as u8,
                row.ver as i64,
                row.mac(self.keys),
            ))?;
        match changed {
            1 => Ok(()),
            _ => Err(TAMPERED),
        }
    }

    pub(super) fn field(&self, row: &OwnerRow, key: &DataKey, field_id: u32) -> Result<Option<Value>, Fault> {
        let Some(expected_ver) = row.fields.get(&field_id) else {
            return Ok(None);
        };
        let (key_no, number) = row.owner.numbers();
        let (ver, schema_ver, sealed): (i64, u32, Vec<u8>) = self
            .connection
            .prepare_cached(row.owner.statements().field)?
            .query_row((self.project().0, key_no, number, field_id), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let place = FieldPlace {
            field_id,
            schema_ver,
            row_version: ver as u64,
        };
        let opened = key.open(&row.owner.field_aad(self.project(), &place, key.id()), &sealed);
        let opened = opened
            .filter(|_| ver as u64 == *expected_ver)
            .ok_or(Fault::Tampered("a field"))?;
        let json: serde_json::Value = serde_json::from_slice(&opened).map_err(|_| Fault::Tampered("a field's JSON"))?;
        Ok(Some(Value::from_json(&json)))
    }

    /// Seals a value under the row's present version, which the caller has raised.
    pub(super) fn put_field(
        &self,
        row: &mut OwnerRow,
        key: &DataKey,
        field_id: u32,
        value: &Value,
        at_ms: i64,
    ) -> Result<(), Fault> {
        let (key_no, number) = row.owner.numbers();
        let place = FieldPlace {
            field_id,
            schema_ver: FIELD_SCHEMA,
            row_version: row.ver,
        };
        let text = Zeroizing::new(value.to_json().to_string());
        let sealed = key.seal(&row.owner.field_aad(self.project(), &place, key.id()), text.as_bytes())?;
        self.connection
            .prepare_cached(row.owner.statements().put_field)?
            .execute((
                self.project().0,
                key_no,
                number,
                field_id,
                row.ver as i64,
                FIELD_SCHEMA,
                at_ms,
                sealed,
            ))?;
        row.fields.insert(field_id, row.ver);
        Ok(())
    }

    pub(super) fn remove_field(&self, row: &mut OwnerRow, field_id: u32) -> Result<(), Fault> {
        let (key_no, number) = row.owner.numbers();
        self.connection
            .prepare_cached(row.owner.statements().remove_field)?
            .execute((self.project().0, key_no, number, field_id))?;
        row.fields.remove(&field_id);
        Ok(())
    }
}

const TAMPERED: Fault = Fault::Tampered("a person's row");
