//! Credentials. Only digests are kept: whoever copies the catalog cannot use what is in it.

use super::Catalog;
use crate::error::StoreError;
use model::{EventTime, ProjectId};
use rusqlite::{Connection, Row};
use std::collections::HashMap;
use std::sync::Arc;

/// What a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// Public: it may only write.
    WriteToken,
    ApiSecret,
    ServiceAccount,
}

impl CredentialKind {
    fn as_str(self) -> &'static str {
        match self {
            CredentialKind::WriteToken => "write_token",
            CredentialKind::ApiSecret => "api_secret",
            CredentialKind::ServiceAccount => "service_account",
        }
    }

    fn parse(text: &str) -> Option<CredentialKind> {
        [
            CredentialKind::WriteToken,
            CredentialKind::ApiSecret,
            CredentialKind::ServiceAccount,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// A secret's digest and what it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub project: ProjectId,
    pub kind: CredentialKind,
    /// The service account's name; unique over all projects.
    pub username: Option<String>,
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    pub created: EventTime,
    pub scopes: Vec<String>,
}

impl Catalog {
    /// Adds a credential. Digest and user name must be new.
    pub fn add_credential(&self, credential: Credential) -> Result<(), StoreError> {
        if !self.has_project(credential.project) {
            return Err(StoreError::UnknownProject(credential.project));
        }
        let connection = self.lock();
        connection
            .execute(
                "INSERT INTO credential(digest, project, kind, username, created_ms, scopes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    credential.digest,
                    credential.project.0,
                    credential.kind.as_str(),
                    &credential.username,
                    credential.created.0,
                    credential.scopes.join(" "),
                ),
            )
            .map_err(StoreError::catalog("add a credential"))?;
        self.change_cache(|cache| drop(cache.credentials.insert(credential.digest, Arc::new(credential))));
        Ok(())
    }

    /// Takes a credential away. `false`: there was none with this digest.
    pub fn remove_credential(&self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let connection = self.lock();
        let removed = connection
            .execute("DELETE FROM credential WHERE digest = ?1", [digest])
            .map_err(StoreError::catalog("remove a credential"))?;
        self.change_cache(|cache| drop(cache.credentials.remove(digest)));
        Ok(removed > 0)
    }

    /// The credential whose secret has this SHA-256. Answered from memory.
    pub fn credential_by_digest(&self, digest: &[u8; 32]) -> Option<Credential> {
        self.cached(|cache| cache.credentials.get(digest).map(|found| Credential::clone(found)))
    }

    /// The service account of this name. Answered from memory.
    pub fn service_account(&self, username: &str) -> Option<Credential> {
        self.cached(|cache| {
            let accounts = cache.credentials.values();
            accounts
                .filter(|credential| credential.kind == CredentialKind::ServiceAccount)
                .find(|credential| credential.username.as_deref() == Some(username))
                .map(|found| Credential::clone(found))
        })
    }

    /// All credentials of a project, oldest first.
    pub fn credentials(&self, project: ProjectId) -> Vec<Credential> {
        let mut found: Vec<Credential> = self.cached(|cache| {
            let all = cache.credentials.values();
            all.filter(|credential| credential.project == project)
                .map(|credential| Credential::clone(credential))
                .collect()
        });
        found.sort_by_key(|credential| (credential.created, credential.digest));
        found
    }
}

pub(super) fn load(connection: &Connection) -> Result<HashMap<[u8; 32], Arc<Credential>>, StoreError> {
    let read = || -> rusqlite::Result<HashMap<[u8; 32], Arc<Credential>>> {
        connection
            .prepare("SELECT digest, project, kind, username, created_ms, scopes FROM credential")?
            .query_map((), credential_of_row)?
            .map(|credential| credential.map(|credential| (credential.digest, Arc::new(credential))))
            .collect()
    };
    read().map_err(StoreError::catalog("read the credentials"))
}

fn credential_of_row(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let kind: String = row.get(2)?;
    let scopes: String = row.get(5)?;
    Ok(Credential {
        digest: row.get(0)?,
        project: ProjectId(row.get(1)?),
        kind: CredentialKind::parse(&kind).ok_or(rusqlite::Error::InvalidQuery)?,
        username: row.get(3)?,
        created: EventTime(row.get(4)?),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
    })
}
