//! What every ciphertext is bound to: where it belongs (secrecy contract 2.3).
//!
//! Each part is length-prefixed, so that no two different lists of parts give the same bytes. A ciphertext moved to
//! another row, person, field, project or version no longer opens.

use super::record::{KeyId, SUITE_XCHACHA};
use model::ProjectId;

pub(crate) struct Aad(Vec<u8>);

impl Aad {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn raw(bytes: &[u8]) -> Aad {
        Aad(bytes.to_vec())
    }

    fn of(label: &str) -> Aad {
        Aad(Vec::with_capacity(96)).text(label)
    }

    /// With the suite, as every AAD of a sealed string or field has it second.
    fn sealed(label: &str) -> Aad {
        Aad::of(label).part(&[SUITE_XCHACHA])
    }

    fn part(mut self, bytes: &[u8]) -> Aad {
        self.0.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Aad {
        self.part(text.as_bytes())
    }

    fn number(self, number: u64) -> Aad {
        self.part(&number.to_le_bytes())
    }

    fn project(self, project: ProjectId) -> Aad {
        self.part(&project.0.to_le_bytes())
    }

    pub(crate) fn ident(project: ProjectId, person: u64, kind: u8, ident_id: u64, key: &KeyId) -> Aad {
        Aad::sealed("ident/1")
            .project(project)
            .number(person)
            .part(&[kind])
            .number(ident_id)
            .part(&key.0)
    }

    pub(crate) fn field(project: ProjectId, person: u64, place: &FieldPlace, key: &KeyId) -> Aad {
        place.append(Aad::sealed("field/1").project(project).number(person), key)
    }

    pub(crate) fn group(project: ProjectId, key_no: u32, group: u64, key: &KeyId) -> Aad {
        Aad::sealed("gident/1")
            .project(project)
            .number(key_no.into())
            .number(group)
            .part(&key.0)
    }

    pub(crate) fn group_field(project: ProjectId, key_no: u32, group: u64, place: &FieldPlace, key: &KeyId) -> Aad {
        place.append(
            Aad::sealed("gfield/1")
                .project(project)
                .number(key_no.into())
                .number(group),
            key,
        )
    }

    pub(crate) fn data_key(project: ProjectId, key: &KeyId, generation: u32) -> Aad {
        Aad::sealed("dek/1")
            .project(project)
            .part(&key.0)
            .number(generation.into())
    }

    pub(crate) fn kek(vault_id: &[u8; 16], project: ProjectId, generation: u32) -> Aad {
        Aad::sealed("kek/1")
            .part(vault_id)
            .project(project)
            .number(generation.into())
    }

    pub(crate) fn project_key(purpose: &str, project: ProjectId, generation: u32) -> Aad {
        Aad::sealed("pkey/1")
            .text(purpose)
            .project(project)
            .number(generation.into())
    }

    pub(crate) fn document(project: ProjectId, table: &str, row: &[u8], key: &KeyId) -> Aad {
        Aad::sealed("doc/1").project(project).text(table).part(row).part(&key.0)
    }
}

/// Which value of which field.
#[derive(Clone, Copy)]
pub(crate) struct FieldPlace {
    pub field_id: u32,
    pub schema_ver: u32,
    pub row_version: u64,
}

impl FieldPlace {
    fn append(&self, aad: Aad, key: &KeyId) -> Aad {
        aad.number(self.field_id.into())
            .number(self.schema_ver.into())
            .part(&key.0)
            .number(self.row_version)
    }
}
