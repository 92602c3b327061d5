//! Documents that people save: reports, funnels, cohorts, boards. The store keeps their text and reads none of it.

use super::Catalog;
use crate::error::StoreError;
use model::ProjectId;
use rusqlite::{OptionalExtension, Row};

/// A saved document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: u64,
    pub name: String,
    pub json: String,
}

impl Catalog {
    /// Saves a document and returns its number: a new one, or the given one, whose former text is replaced.
    pub fn save_document(
        &self,
        project: ProjectId,
        kind: &str,
        id: Option<u64>,
        name: &str,
        json: &str,
    ) -> Result<u64, StoreError> {
        if !self.has_project(project) {
            return Err(StoreError::UnknownProject(project));
        }
        let mut connection = self.lock();
        let mut write = || -> rusqlite::Result<u64> {
            let transaction = connection.transaction()?;
            let id = match id {
                Some(id) => id,
                None => transaction.query_row(
                    "SELECT coalesce(max(id), 0) + 1 FROM document WHERE project = ?1 AND kind = ?2",
                    (project.0, kind),
                    |row| row.get(0),
                )?,
            };
            transaction.execute(
                "INSERT OR REPLACE INTO document(project, kind, id, name, json) VALUES (?1, ?2, ?3, ?4, ?5)",
                (project.0, kind, id, name, json),
            )?;
            transaction.commit()?;
            Ok(id)
        };
        write().map_err(StoreError::catalog("save a document"))
    }

    /// All documents of a kind by number.
    pub fn documents(&self, project: ProjectId, kind: &str) -> Result<Vec<Document>, StoreError> {
        let connection = self.lock();
        let read = || -> rusqlite::Result<Vec<Document>> {
            connection
                .prepare("SELECT id, name, json FROM document WHERE project = ?1 AND kind = ?2 ORDER BY id")?
                .query_map((project.0, kind), document_of_row)?
                .collect()
        };
        read().map_err(StoreError::catalog("read the documents"))
    }

    pub fn document(&self, project: ProjectId, kind: &str, id: u64) -> Result<Option<Document>, StoreError> {
        self.lock()
            .query_row(
                "SELECT id, name, json FROM document WHERE project = ?1 AND kind = ?2 AND id = ?3",
                (project.0, kind, id),
                document_of_row,
            )
            .optional()
            .map_err(StoreError::catalog("read a document"))
    }

    /// Removes a document. `false`: there was none.
    pub fn delete_document(&self, project: ProjectId, kind: &str, id: u64) -> Result<bool, StoreError> {
        self.lock()
            .execute(
                "DELETE FROM document WHERE project = ?1 AND kind = ?2 AND id = ?3",
                (project.0, kind, id),
            )
            .map(|removed| removed > 0)
            .map_err(StoreError::catalog("delete a document"))
    }
}

fn document_of_row(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        id: row.get(0)?,
        name: row.get(1)?,
        json: row.get(2)?,
    })
}
