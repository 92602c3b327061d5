//! Copies of the vault's files while it runs, and what a restored vault has to be told.
//!
//! Three sets lead lives of their own (secrecy contract VA-7). The *ciphertext* (`vault.db`, `accounts.db`, the ledger) may be
//! kept long: without keys it opens nothing. The *keystore* (`keys.db`, wrapped keys only) is kept short, because a key that
//! was destroyed lives on in every copy of it. The root key is in neither.
//!
//! The ciphertext is copied first. A key is committed before the first row that uses it, so a keystore copied later has the
//! key of every row; the other way round a row could lack its key for good.
//!
//! Copies are made by SQLite from a connection of their own, so no process has to be asked. What was deleted is not in them:
//! free pages are left out.

use crate::accounts;
use crate::error::{Fault, VaultServeError};
use crate::identity;
use crate::lock::DirectoryLock;
use crate::sqlite;
use rusqlite::Connection;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Databases of the ciphertext set.
pub const CIPHERTEXT: [&str; 2] = ["vault.db", "accounts.db"];
/// The database of the keystore set.
pub const KEYSTORE: &str = "keys.db";
/// The vault's ledger, below its directory. Part of the ciphertext set.
pub const LEDGER: &str = "ledger";

/// Copies one of the databases named above into a folder, consistently, while the vault may be writing it.
pub fn copy_database(vault: &Path, name: &str, to: &Path) -> Result<PathBuf, VaultServeError> {
    let source = vault.join(name);
    if !source.exists() {
        return Err(VaultServeError::Missing(vault.to_owned()));
    }
    let copy = to.join(name);
    // Made beforehand, because SQLite would make it readable to others.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&copy)
        .map_err(VaultServeError::io(&copy))?;
    let connection = sqlite::open_reader(&source)?;
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    Ok(copy)
}

/// Tells the files of a restored vault that they are a copy: a new lineage, no key serial that may have been taken after the
/// copy was made (VA-4), nobody signed in. `keys` is the keystore, wherever it lies; the root key is not needed.
pub fn adopt_restored(vault: &Path, keys: &Path) -> Result<(), VaultServeError> {
    let _lock = DirectoryLock::take(vault)?;
    let keys = sqlite::open(keys)?;
    let state_seq = sqlite::meta_number(&keys, "state_seq")?.ok_or(Fault::Tampered("keys.db"))?;
    let marks: Vec<(i64, i64)> = keys
        .prepare("SELECT project, serial FROM dek_high")?
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    identity::adopt_restored(&vault.join("vault.db"), state_seq, &marks)?;
    accounts::end_all_sessions(&vault.join("accounts.db"))?;
    // Nothing may be left in a write-ahead log: the keystore is about to be renamed.
    close(keys)
}

fn close(connection: Connection) -> Result<(), VaultServeError> {
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Brings the databases of a vault that nobody has open up to this program's format, as opening the vault does. No key is needed.
pub fn upgrade(vault: &Path) -> Result<(), VaultServeError> {
    let _lock = DirectoryLock::take(vault)?;
    for name in [CIPHERTEXT[0], CIPHERTEXT[1], KEYSTORE] {
        sqlite::open(&vault.join(name))?;
    }
    Ok(())
}

/// Version of each database of a vault. Changes nothing.
pub fn formats(vault: &Path) -> Result<Vec<(PathBuf, u32)>, VaultServeError> {
    let mut found = Vec::new();
    for name in [CIPHERTEXT[0], CIPHERTEXT[1], KEYSTORE] {
        let file = vault.join(name);
        if !file.exists() {
            return Err(VaultServeError::Missing(vault.to_owned()));
        }
        let version = sqlite::format_version(&sqlite::open_reader(&file)?)?;
        found.push((file, version));
    }
    Ok(found)
}

/// What a verification of the vault's files found.
#[derive(Clone, Debug, Default)]
pub struct VaultVerified {
    pub files: u64,
    pub bytes: u64,
    pub damage: Vec<VaultDamage>,
}

/// A file of the vault that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultDamage {
    pub file: PathBuf,
    pub what: String,
}

/// Verifies the databases of a vault, in use or not, without any key: their structure, and that no row lacks what it points
/// at. Whether a sealed record is what was sealed shows when it is opened; that needs the keys.
pub fn verify(vault: &Path) -> VaultVerified {
    let mut verified = VaultVerified::default();
    for name in [CIPHERTEXT[0], CIPHERTEXT[1], KEYSTORE] {
        let file = vault.join(name);
        verified.files += 1;
        verified.bytes += std::fs::metadata(&file).map_or(0, |found| found.len());
        let faults = match faults_of(&file, name) {
            Ok(faults) => faults,
            Err(error) => vec![error.to_string()],
        };
        let damage = faults.into_iter().map(|what| VaultDamage {
            file: file.clone(),
            what,
        });
        verified.damage.extend(damage);
    }
    if verified.damage.is_empty() {
        match keyless_persons(vault) {
            Ok(0) => {}
            Ok(count) => verified.damage.push(VaultDamage {
                file: vault.join(KEYSTORE),
                what: format!("{count} persons and groups have no key in it; their fields are lost"),
            }),
            Err(error) => verified.damage.push(VaultDamage {
                file: vault.join(CIPHERTEXT[0]),
                what: error.to_string(),
            }),
        }
    }
    verified
}

fn faults_of(file: &Path, name: &str) -> Result<Vec<String>, rusqlite::Error> {
    if let Err(damaged) = sqlite::check_wal(file) {
        return Ok(vec![damaged.to_string()]);
    }
    let connection = sqlite::open_reader(file)?;
    let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut faults: Vec<String> = check.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    faults.retain(|fault| fault != "ok");
    if faults.is_empty() && name == CIPHERTEXT[0] {
        faults = identity::inconsistencies(&connection)?;
    }
    Ok(faults)
}

/// Persons and groups whose key is not in `keys.db`. The two files of a running vault are not read at the same moment, so what
/// is missing is asked for again before it counts.
fn keyless_persons(vault: &Path) -> Result<u64, rusqlite::Error> {
    let mut missing = 0;
    for _ in 0..3 {
        let connection = sqlite::open_reader(&vault.join(CIPHERTEXT[0]))?;
        missing = identity::keyless(&connection, &vault.join(KEYSTORE))?;
        if missing == 0 {
            break;
        }
    }
    Ok(missing)
}
