//! The key store: `keys.db`, small, wrapped keys only (secrecy contract 2.1, 2.2, 2.4).
//!
//! ROOT wraps one random key-encryption key per project and generation; that wraps the project's keys and one random
//! data key per person and group. Nothing is derived where it could be drawn: a derived key cannot be destroyed.
//!
//! Data keys are made ahead in blocks of 256 and committed together with the project's new high-water mark, before any
//! row uses them. A new person takes the next serial inside its own `vault.db` transaction, so the hot path waits for
//! one commit (VA-4).

use crate::crypto::{Aad, DataKey, Key, KeyId, MacKey, NONCE_BYTES};
use crate::error::{Fault, VaultServeError};
use crate::root::{self, RootSource};
use crate::sqlite;
use model::ProjectId;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use vault_client::Tier;
use zeroize::Zeroizing;

/// Data keys made in one go, at least.
pub(crate) const BLOCK: u64 = 256;
const GENERATION: u32 = 1;

const SCHEMA: &str = "
CREATE TABLE kek(project INTEGER NOT NULL, gen INTEGER NOT NULL, wrapped BLOB NOT NULL, state TEXT NOT NULL,
    created_ms INTEGER NOT NULL, destroyed_ms INTEGER, PRIMARY KEY(project, gen)) WITHOUT ROWID, STRICT;
CREATE TABLE pkey(project INTEGER NOT NULL, purpose TEXT NOT NULL, gen INTEGER NOT NULL, wrapped BLOB NOT NULL,
    PRIMARY KEY(project, purpose, gen)) WITHOUT ROWID, STRICT;
CREATE TABLE dek(project INTEGER NOT NULL, key_id BLOB NOT NULL, gen INTEGER NOT NULL, nonce BLOB NOT NULL,
    wrapped BLOB NOT NULL, PRIMARY KEY(project, key_id)) WITHOUT ROWID, STRICT;
CREATE TABLE dek_high(project INTEGER PRIMARY KEY, serial INTEGER NOT NULL) STRICT;
";

/// The keys of one project, opened. Every use takes its project from here, never from a request.
pub(crate) struct ProjectKeys {
    pub(crate) project: ProjectId,
    kek: Key,
    /// Blind index over identity strings and group values.
    pub(crate) index: MacKey,
    /// Second index over normalised e-mail addresses and phone numbers.
    pub(crate) fields: MacKey,
    pub(crate) row_mac: MacKey,
    pub(crate) dedup: Key,
    pub(crate) export: Key,
    /// Purposes and secrets: texts that belong to the project and to no person.
    pub(crate) documents: DataKey,
}

pub(crate) struct KeyStore {
    connection: Mutex<Connection>,
    kek_wrap: Key,
    /// Sealing and digests of what belongs to the whole vault: staff accounts, sessions.
    ops: Key,
    pub(crate) vault_id: [u8; 16],
    pub(crate) tier: Tier,
}

impl KeyStore {
    /// Makes `keys.db` and, for tier T0, the root key's file.
    pub(crate) fn create(directory: &Path, source: &RootSource) -> Result<KeyStore, VaultServeError> {
        let salt = root::new_salt()?;
        let vault_id = crate::crypto::random_bytes::<16>()?;
        let root = source.create(directory, &salt)?;
        let connection = sqlite::open(&directory.join("keys.db"))?;
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(sqlite::META_TABLE)?;
        transaction.execute_batch(SCHEMA)?;
        sqlite::set_meta_bytes(&transaction, "vault_id", &vault_id)?;
        sqlite::set_meta_bytes(&transaction, "root_salt", &salt)?;
        sqlite::set_meta_bytes(&transaction, "root_check", &*root_check(&root, &vault_id))?;
        sqlite::set_meta_number(&transaction, "state_seq", 0)?;
        transaction.commit()?;
        Ok(KeyStore::over(connection, &root, vault_id, source.tier()))
    }

    pub(crate) fn open(directory: &Path, source: &RootSource) -> Result<KeyStore, VaultServeError> {
        let path = directory.join("keys.db");
        if !path.exists() {
            return Err(VaultServeError::Missing(directory.to_owned()));
        }
        let connection = sqlite::open(&path)?;
        let missing = || VaultServeError::Fault(Fault::Tampered("keys.db"));
        let vault_id = sqlite::meta_bytes::<16>(&connection, "vault_id")?.ok_or_else(missing)?;
        let salt = sqlite::meta_bytes::<16>(&connection, "root_salt")?.ok_or_else(missing)?;
        let check = sqlite::meta_bytes::<32>(&connection, "root_check")?.ok_or_else(missing)?;
        let root = source.open(directory, &salt)?;
        if *root_check(&root, &vault_id) != check {
            return Err(VaultServeError::WrongRoot);
        }
        Ok(KeyStore::over(connection, &root, vault_id, source.tier()))
    }

    fn over(connection: Connection, root: &Key, vault_id: [u8; 16], tier: Tier) -> KeyStore {
        KeyStore {
            connection: Mutex::new(connection),
            kek_wrap: root.derive("kek-wrap"),
            ops: root.derive("ops"),
            vault_id,
            tier,
        }
    }

    /// A key of the vault itself, for one use.
    pub(crate) fn ops_key(&self, purpose: &str) -> Key {
        self.ops.derive(purpose)
    }

    /// Makes the keys of a project; those that exist are kept, so that a creation that was cut off can be repeated.
    pub(crate) fn create_project(&self, project: ProjectId, now_ms: i64) -> Result<(), Fault> {
        let mut connection = self.lock();
        let exists = kek_row(&connection, project)?.is_some();
        if exists {
            return Ok(());
        }
        let kek = Key::random()?;
        let wrapped = self
            .kek_wrap
            .wrap(&Aad::kek(&self.vault_id, project, GENERATION), &kek)?;
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT INTO kek(project, gen, wrapped, state, created_ms) VALUES(?1, ?2, ?3, 'current', ?4)",
            (project.0, GENERATION, wrapped, now_ms),
        )?;
        for purpose in PURPOSES {
            let wrapped = kek.wrap(&Aad::project_key(purpose, project, GENERATION), &Key::random()?)?;
            transaction.execute(
                "INSERT INTO pkey(project, purpose, gen, wrapped) VALUES(?1, ?2, ?3, ?4)",
                (project.0, purpose, GENERATION, wrapped),
            )?;
        }
        transaction.execute("INSERT INTO dek_high(project, serial) VALUES(?1, 0)", [project.0])?;
        transaction.commit()?;
        Ok(())
    }

    pub(crate) fn project_keys(&self, project: ProjectId) -> Result<ProjectKeys, Fault> {
        let connection = self.lock();
        let wrapped = kek_row(&connection, project)?.ok_or(Fault::Tampered("a project's key"))?;
        let kek = self
            .kek_wrap
            .unwrap(&Aad::kek(&self.vault_id, project, GENERATION), &wrapped)
            .ok_or(Fault::Tampered("a project's key"))?;
        let key = |purpose: &str| -> Result<Key, Fault> {
            let wrapped: Vec<u8> = connection
                .prepare_cached("SELECT wrapped FROM pkey WHERE project = ?1 AND purpose = ?2 AND gen = ?3")?
                .query_row((project.0, purpose, GENERATION), |row| row.get(0))?;
            kek.unwrap(&Aad::project_key(purpose, project, GENERATION), &wrapped)
                .ok_or(Fault::Tampered("a project's key"))
        };
        let mut documents_id = [0; 16];
        documents_id[4..8].copy_from_slice(&GENERATION.to_be_bytes());
        Ok(ProjectKeys {
            project,
            index: MacKey::new(&key("index")?),
            fields: MacKey::new(&key("fields")?),
            row_mac: MacKey::new(&key("rowmac")?),
            dedup: key("dedup")?,
            export: key("export")?,
            documents: DataKey::new(KeyId(documents_id), key("documents")?),
            kek,
        })
    }

    /// Makes at least `count` data keys above the high-water mark, in whole blocks, and commits them.
    pub(crate) fn make_data_keys(&self, keys: &ProjectKeys, count: u64) -> Result<Vec<DataKey>, Fault> {
        let count = count.next_multiple_of(BLOCK);
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let high = high_water(&transaction, keys.project)?;
        let mut made = Vec::with_capacity(count as usize);
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO dek(project, key_id, gen, nonce, wrapped) VALUES(?1, ?2, ?3, ?4, ?5)")?;
            for serial in high + 1..=high + count {
                let (id, key) = (KeyId::new(serial)?, Key::random()?);
                let wrapped = keys.kek.wrap(&Aad::data_key(keys.project, &id, GENERATION), &key)?;
                let (nonce, wrapped) = wrapped.split_at(NONCE_BYTES);
                insert.execute((keys.project.0, id.0, GENERATION, nonce, wrapped))?;
                made.push(DataKey::new(id, key));
            }
        }
        transaction
            .prepare_cached("UPDATE dek_high SET serial = ?2 WHERE project = ?1")?
            .execute((keys.project.0, (high + count) as i64))?;
        transaction.commit()?;
        Ok(made)
    }

    /// The highest serial a data key of the project was made under.
    pub(crate) fn high_water(&self, project: ProjectId) -> Result<u64, Fault> {
        Ok(high_water(&self.lock(), project)?)
    }

    /// Data keys with serials above `serial`, in order: made ahead and not yet taken when the vault stopped.
    pub(crate) fn data_keys_above(&self, keys: &ProjectKeys, serial: u64) -> Result<Vec<DataKey>, Fault> {
        let mut from = [0u8; 16];
        from[..8].copy_from_slice(&(serial + 1).to_be_bytes());
        let connection = self.lock();
        let mut select = connection.prepare_cached(
            "SELECT key_id, gen, nonce, wrapped FROM dek WHERE project = ?1 AND key_id >= ?2 ORDER BY key_id",
        )?;
        let mut rows = select.query((keys.project.0, from))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(keys.open_data_key(row)?);
        }
        Ok(found)
    }

    pub(crate) fn data_key(&self, keys: &ProjectKeys, id: &KeyId) -> Result<DataKey, Fault> {
        let connection = self.lock();
        let mut select = connection
            .prepare_cached("SELECT key_id, gen, nonce, wrapped FROM dek WHERE project = ?1 AND key_id = ?2")?;
        let mut rows = select.query((keys.project.0, id.0))?;
        let row = rows.next()?.ok_or(Fault::Tampered("a person's key"))?;
        keys.open_data_key(row)
    }

    /// The copy of `vault.db`'s counter of states, by which a file that was put back is noticed (VA-5).
    pub(crate) fn state_seq(&self) -> Result<u64, Fault> {
        Ok(sqlite::meta_number(&self.lock(), "state_seq")?.unwrap_or(0))
    }

    pub(crate) fn set_state_seq(&self, seq: u64) -> Result<(), Fault> {
        Ok(sqlite::set_meta_number(&self.lock(), "state_seq", seq)?)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside leaves at most a transaction that was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PURPOSES: [&str; 6] = ["index", "fields", "rowmac", "dedup", "export", "documents"];

impl ProjectKeys {
    fn open_data_key(&self, row: &rusqlite::Row<'_>) -> Result<DataKey, Fault> {
        let (id, generation): (Vec<u8>, u32) = (row.get(0)?, row.get(1)?);
        let (mut wrapped, sealed): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        wrapped.extend(sealed);
        let broken = Fault::Tampered("a person's key");
        let Some(id) = KeyId::from_slice(&id) else {
            return Err(broken);
        };
        match self.kek.unwrap(&Aad::data_key(self.project, &id, generation), &wrapped) {
            Some(key) => Ok(DataKey::new(id, key)),
            None => Err(broken),
        }
    }
}

fn kek_row(connection: &Connection, project: ProjectId) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT wrapped FROM kek WHERE project = ?1 AND gen = ?2")?
        .query_row((project.0, GENERATION), |row| row.get(0))
        .optional()
}

fn high_water(connection: &Connection, project: ProjectId) -> Result<u64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT serial FROM dek_high WHERE project = ?1")?
        .query_row([project.0], |row| row.get::<_, i64>(0))
        .map(|serial| serial as u64)
}

/// Tells a wrong root key from a damaged file. One-way, so it gives away no more than a wrapped key does.
fn root_check(root: &Key, vault_id: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    root.expand(&[b"root-check", vault_id])
}
