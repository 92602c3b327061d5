//! Group and reference values to group numbers, inside the writer's transaction (ID-22).

use super::index::{Blind, Entry, Short};
use super::normal;
use super::owner::{Owner, OwnerRow};
use super::project::GroupKey;
use super::schema::INDEX_GENERATION;
use super::transaction::Change;
use crate::crypto::Aad;
use crate::error::Fault;
use model::{ErrorCode, GroupNumber};
use rusqlite::OptionalExtension;
use vault_client::Reference;

/// Names of group keys a project may have; they come from the wire.
const GROUP_KEYS_MAX: usize = 1_000;

impl Change<'_> {
    pub(super) fn resolve_reference(&mut self, reference: &Reference) -> Result<(u32, GroupNumber), Fault> {
        let text = reference.value.expose();
        if !normal::is_usable(text) {
            return Ok((0, GroupNumber(0)));
        }
        let mut key = self.group_key(&reference.key)?;
        let blind = self.project.group_index(key.key_no, text);
        if let Some(number) = self.find_group(&blind)? {
            return Ok((key.key_no, GroupNumber(number)));
        }
        let number = key.next_group;
        key.next_group += 1;
        self.add_group(key.key_no, number, text, &blind)?;
        self.connection
            .prepare_cached("UPDATE grp_key SET next_group = ?3 WHERE project = ?1 AND key_no = ?2")?
            .execute((self.project.id().0, key.key_no, key.next_group as i64))?;
        self.pending.group_keys.insert(reference.key.clone(), key);
        Ok((key.key_no, GroupNumber(number)))
    }

    fn group_key(&mut self, name: &str) -> Result<GroupKey, Fault> {
        if let Some(key) = self.pending.group_keys.get(name) {
            return Ok(*key);
        }
        let known = {
            let state = self.project.read();
            state.group_keys.get(name).copied().ok_or(state.group_keys.len())
        };
        let existing = match known {
            Ok(key) => return Ok(key),
            Err(existing) => existing,
        };
        let added = self
            .pending
            .group_keys
            .values()
            .filter(|key| key.key_no as usize > existing)
            .count();
        if existing + added >= GROUP_KEYS_MAX {
            return Err(Fault::refused(
                ErrorCode::InvalidRequest,
                "the project has too many group keys",
            ));
        }
        let key = GroupKey {
            key_no: (existing + added) as u32 + 1,
            next_group: 1,
        };
        self.connection
            .prepare_cached("INSERT INTO grp_key(project, key_no, name, next_group) VALUES(?1, ?2, ?3, 1)")?
            .execute((self.project.id().0, key.key_no, name))?;
        self.pending.group_keys.insert(name.to_owned(), key);
        Ok(key)
    }

    fn find_group(&self, blind: &Blind) -> Result<Option<u64>, Fault> {
        let short = Short::of(blind);
        if let Some(entry) = self.pending.groups.get(&short) {
            return Ok(Some(entry.person()));
        }
        let (found, complete) = {
            let state = self.project.read();
            (state.groups.get(&short), state.groups.is_complete())
        };
        if found.is_some() || complete {
            return Ok(found.map(Entry::person));
        }
        let stored: Option<i64> = self
            .connection
            .prepare_cached("SELECT n FROM gbidx WHERE project = ?1 AND gen = ?2 AND idx = ?3")?
            .query_row((self.project.id().0, INDEX_GENERATION, blind), |row| row.get(0))
            .optional()?;
        Ok(stored.map(|number| number as u64))
    }

    fn add_group(&mut self, key_no: u32, number: u64, text: &str, blind: &Blind) -> Result<(), Fault> {
        let key = self.take_key()?.clone();
        let project = self.project.id();
        let row = OwnerRow::new(Owner::Group { key_no, number }, *key.id());
        let sealed = key.seal(&Aad::group(project, key_no, number, key.id()), &normal::pack(text))?;
        self.connection
            .prepare_cached(
                "INSERT INTO grp(project, key_no, n, key_id, state, created_day, ver, mac, sealed)
                    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                project.0,
                key_no,
                number as i64,
                key.id().0,
                row.state as u8,
                self.today(),
                row.ver as i64,
                row.mac(&self.project.keys),
                sealed,
            ))?;
        self.connection
            .prepare_cached("INSERT INTO gbidx(project, gen, idx, key_no, n) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute((project.0, INDEX_GENERATION, blind, key_no, number as i64))?;
        self.pending.groups.insert(Short::of(blind), Entry::new(number, false));
        Ok(())
    }
}
