//! Profile operations on sealed fields, inside the writer's transaction.

use super::field_ops::{Change as FieldChange, apply};
use super::normal::{self, Contact};
use super::owner::{Owner, OwnerRow};
use super::transaction::Change;
use crate::clock::DAY_MS;
use crate::crypto::DataKey;
use crate::error::Fault;
use model::{BatchId, ErrorCode, Value};
use std::collections::HashMap;
use std::collections::hash_map;
use vault_client::{FieldOp, FieldWrite};

/// Names of identifying fields a project may have; they come from the wire.
const FIELDS_MAX: usize = 10_000;
/// How long a batch or an update is remembered, so that its repeat has no effect.
const APPLIED_DAYS: i64 = 7;

/// An owner while its fields are being changed. The row is written once, at the end.
struct Edit {
    row: OwnerRow,
    key: DataKey,
    changed: bool,
}

impl Change<'_> {
    /// Applies the writes of a batch in order, unless the batch was applied before. `owners` has the owner of each
    /// write; none where the subject is nobody.
    pub(super) fn apply_writes(
        &mut self,
        batch: BatchId,
        writes: &[FieldWrite],
        owners: &[Option<Owner>],
    ) -> Result<(), Fault> {
        if writes.is_empty() || !self.is_first_time("applied_batch", "batch_id", &batch.0)? {
            return Ok(());
        }
        let mut event_ids: HashMap<[u8; 16], bool> = HashMap::new();
        let mut edits: HashMap<Owner, Edit> = HashMap::new();
        for (write, owner) in writes.iter().zip(owners) {
            let Some(owner) = *owner else { continue };
            if let Some(event_id) = write.event_id {
                // One update makes several writes, so its id is looked up once and holds for all of them.
                let fresh = match event_ids.get(&event_id) {
                    Some(fresh) => *fresh,
                    None => self.is_first_time("applied_update", "event_id", &event_id)?,
                };
                event_ids.insert(event_id, fresh);
                if !fresh {
                    continue;
                }
            }
            let edit = match edits.entry(owner) {
                hash_map::Entry::Occupied(entry) => entry.into_mut(),
                hash_map::Entry::Vacant(entry) => entry.insert(self.edit(owner)?),
            };
            self.write_field(edit, write)?;
        }
        let owners = self.owners();
        edits
            .values()
            .filter(|edit| edit.changed)
            .try_for_each(|edit| owners.update(&edit.row))
    }

    /// Removes every identifying field of an owner.
    pub(super) fn empty_profile(&mut self, owner: Owner) -> Result<(), Fault> {
        let mut row = self.owners().load(owner)?.ok_or(Fault::Tampered("a person's row"))?;
        if row.fields.is_empty() {
            return Ok(());
        }
        row.ver += 1;
        self.remove_all(&mut row)?;
        self.owners().update(&row)
    }

    fn edit(&self, owner: Owner) -> Result<Edit, Fault> {
        let row = self.owners().load(owner)?.ok_or(Fault::Tampered("a person's row"))?;
        let key = self.key_of(&row)?;
        Ok(Edit {
            row,
            key,
            changed: false,
        })
    }

    fn write_field(&mut self, edit: &mut Edit, write: &FieldWrite) -> Result<(), Fault> {
        if write.op == FieldOp::Delete {
            edit.row.ver += 1;
            edit.changed = true;
            return self.remove_all(&mut edit.row);
        }
        let Some(field_id) = self.field_id(&write.field, write.op)? else {
            return Ok(());
        };
        let argument = write.value.as_ref().map(|text| parse(text.expose())).transpose()?;
        let owners = self.owners();
        let current = owners.field(&edit.row, &edit.key, field_id)?;
        match apply(write.op, current.as_ref(), argument) {
            FieldChange::Keep => Ok(()),
            FieldChange::Put(value) => {
                edit.row.ver += 1;
                edit.changed = true;
                owners.put_field(&mut edit.row, &edit.key, field_id, &value, write.time_ms)?;
                self.index_contacts(&edit.row, field_id, &write.field, &value)
            }
            FieldChange::Remove => {
                edit.row.ver += 1;
                edit.changed = true;
                owners.remove_field(&mut edit.row, field_id)?;
                self.forget_contacts(&edit.row, field_id)
            }
        }
    }

    fn remove_all(&self, row: &mut OwnerRow) -> Result<(), Fault> {
        let field_ids: Vec<u32> = row.fields.keys().copied().collect();
        for field_id in field_ids {
            self.owners().remove_field(row, field_id)?;
            self.forget_contacts(row, field_id)?;
        }
        Ok(())
    }

    /// The number of a field's name, given on first use; none for an unknown field that would only be taken from.
    fn field_id(&mut self, name: &str, op: FieldOp) -> Result<Option<u32>, Fault> {
        if let Some(field_id) = self.pending.fields.get(name) {
            return Ok(Some(*field_id));
        }
        let known = {
            let state = self.project.read();
            state.fields.get(name).copied().ok_or(state.fields.len())
        };
        let existing = match known {
            Ok(field_id) => return Ok(Some(field_id)),
            Err(_) if matches!(op, FieldOp::Unset | FieldOp::Remove) => return Ok(None),
            Err(existing) => existing + self.pending.fields.len(),
        };
        if existing >= FIELDS_MAX {
            return Err(Fault::refused(
                ErrorCode::InvalidRequest,
                "the project has too many identifying fields",
            ));
        }
        let field_id = existing as u32 + 1;
        self.connection
            .prepare_cached("INSERT INTO field_def(project, field_id, name) VALUES(?1, ?2, ?3)")?
            .execute((self.project.id().0, field_id, name))?;
        self.pending.fields.insert(name.to_owned(), field_id);
        Ok(Some(field_id))
    }

    /// Keeps the second index of a person in step with a field's value (ID-6): addresses in any field, numbers in
    /// fields whose name says phone. Names, countries and plans are never indexed.
    fn index_contacts(&self, row: &OwnerRow, field_id: u32, name: &str, value: &Value) -> Result<(), Fault> {
        let Owner::Person(person) = row.owner else {
            return Ok(());
        };
        self.forget_contacts(row, field_id)?;
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::List(items) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for text in texts {
            let found = match normal::email(text) {
                Some(address) => Some((Contact::Email, address)),
                None if names_phone(name) => normal::phone(text).map(|number| (Contact::Phone, number)),
                None => None,
            };
            if let Some((contact, normal)) = found {
                self.add_contact(field_id, &self.project.contact_index(contact, &normal), person)?;
            }
        }
        Ok(())
    }

    fn forget_contacts(&self, row: &OwnerRow, field_id: u32) -> Result<(), Fault> {
        if let Owner::Person(person) = row.owner {
            self.connection
                .prepare_cached("DELETE FROM fidx WHERE project = ?1 AND person = ?2 AND field_id = ?3")?
                .execute((self.project.id().0, person as i64, field_id))?;
        }
        Ok(())
    }

    /// Remembers a batch or update; false when it was remembered already.
    fn is_first_time(&self, table: &str, column: &str, id: &[u8; 16]) -> Result<bool, Fault> {
        let statement = format!("INSERT OR IGNORE INTO {table}(project, {column}, at_ms) VALUES(?1, ?2, ?3)");
        let inserted = self
            .connection
            .prepare_cached(&statement)?
            .execute((self.project.id().0, id, self.now_ms))?;
        Ok(inserted == 1)
    }
}

/// Forgets batches and updates that are older than anybody would repeat them.
pub(super) fn purge_applied(connection: &rusqlite::Connection, now_ms: i64) -> Result<(), Fault> {
    let oldest_ms = now_ms - APPLIED_DAYS * DAY_MS;
    connection.execute("DELETE FROM applied_batch WHERE at_ms < ?1", [oldest_ms])?;
    connection.execute("DELETE FROM applied_update WHERE at_ms < ?1", [oldest_ms])?;
    Ok(())
}

fn names_phone(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["phone", "mobile", "telephone"].iter().any(|word| name.contains(word)) || name == "tel"
}

fn parse(json: &str) -> Result<Value, Fault> {
    serde_json::from_str(json)
        .map(|json: serde_json::Value| Value::from_json(&json))
        .map_err(|_| Fault::refused(ErrorCode::InvalidRequest, "a field's value is not JSON"))
}
