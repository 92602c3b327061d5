//! Staff: accounts, one-time sign-in links, sessions (`accounts.db`; secrecy contract LG-1, LG-2, LG-6).
//!
//! Addresses are sealed under a key of the vault, codes and session secrets are kept as SHA-256 only. A secret has 256
//! random bits, so a fast hash is right.

use crate::clock::{Clock, DAY_MS, HOUR_MS, MINUTE_MS};
use crate::crypto::{Aad, DataKey, KeyId, MacKey, random_bytes, sha256};
use crate::error::{Fault, VaultServeError};
use crate::keys::KeyStore;
use crate::sqlite;
use model::{AccountNumber, ErrorCode, ProjectId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vault_client::{Personal, Role, SecretText, Session, SignedIn};
use zeroize::Zeroizing;

/// Life of a one-time link.
pub const LINK_LIFE_MS: i64 = 60 * MINUTE_MS;
/// A session ends this long after it was last used …
pub const SESSION_IDLE_MS: i64 = 12 * HOUR_MS;
/// … and this long after sign-in, whatever happens.
pub const SESSION_LIFE_MS: i64 = 7 * DAY_MS;
/// Use is written down at most this often: a commit for every request would be for nothing.
const TOUCH_MS: i64 = MINUTE_MS;

const TABLES: &str = "
CREATE TABLE account(account INTEGER PRIMARY KEY, role TEXT NOT NULL, state TEXT NOT NULL,
    email_idx BLOB NOT NULL UNIQUE, email BLOB NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE login_code(digest BLOB PRIMARY KEY, account INTEGER NOT NULL, expires_ms INTEGER NOT NULL)
    WITHOUT ROWID, STRICT;
CREATE TABLE session(digest BLOB PRIMARY KEY, account INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT;
";

pub(crate) struct Accounts {
    connection: Mutex<Connection>,
    seal: DataKey,
    index: MacKey,
    /// Makes the name under which a session stands in the ledger.
    commit: MacKey,
    clock: Arc<dyn Clock>,
}

/// Makes `accounts.db`.
pub(crate) fn create(directory: &Path) -> Result<(), VaultServeError> {
    let connection = sqlite::open(&directory.join("accounts.db"))?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.commit()?;
    Ok(())
}

/// Forgets all sessions and unused links of a file that was put back: some had ended since.
pub(crate) fn end_all_sessions(path: &Path) -> Result<(), VaultServeError> {
    let connection = sqlite::open(path)?;
    Ok(connection.execute_batch("BEGIN; DELETE FROM session; DELETE FROM login_code; COMMIT;")?)
}

impl Accounts {
    pub(crate) fn open(directory: &Path, store: &KeyStore, clock: Arc<dyn Clock>) -> Result<Accounts, VaultServeError> {
        let path = directory.join("accounts.db");
        if !path.exists() {
            return Err(VaultServeError::Missing(directory.to_owned()));
        }
        Ok(Accounts {
            connection: Mutex::new(sqlite::open(&path)?),
            seal: DataKey::new(KeyId([0; 16]), store.ops_key("accounts/seal/1")),
            index: MacKey::new(&store.ops_key("accounts/index/1")),
            commit: MacKey::new(&store.ops_key("accounts/session/1")),
            clock,
        })
    }

    pub(crate) fn create_account(&self, email: &Personal, role: Role) -> Result<AccountNumber, Fault> {
        let address = Zeroizing::new(email.expose().trim().to_lowercase());
        if address.split('@').filter(|part| !part.is_empty()).count() != 2 || address.len() > 254 {
            return Err(Fault::refused(
                ErrorCode::InvalidRequest,
                "that is not an e-mail address",
            ));
        }
        let index = self.index.mac(&[address.as_bytes()]);
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let exists = transaction
            .query_row("SELECT 1 FROM account WHERE email_idx = ?1", [index], |_| Ok(()))
            .optional()?
            .is_some();
        if exists {
            return Err(Fault::refused(
                ErrorCode::InvalidRequest,
                "there is an account with this address",
            ));
        }
        let number: i64 = transaction.query_row("SELECT coalesce(max(account), 0) + 1 FROM account", [], |row| {
            row.get(0)
        })?;
        let sealed = self.seal.seal(&self.email_aad(number), email.expose().as_bytes())?;
        transaction.execute(
            "INSERT INTO account(account, role, state, email_idx, email, created_ms) VALUES(?1, ?2, 'live', ?3, ?4, ?5)",
            (number, role.as_str(), index, sealed, self.clock.now_ms()),
        )?;
        transaction.commit()?;
        Ok(AccountNumber(number as u64))
    }

    /// The first owner there is.
    pub(crate) fn owner(&self) -> Result<Option<AccountNumber>, Fault> {
        let number: Option<i64> = self
            .lock()
            .query_row(
                "SELECT account FROM account WHERE role = ?1 AND state = 'live' ORDER BY account",
                [Role::Owner.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        Ok(number.map(|number| AccountNumber(number as u64)))
    }

    pub(crate) fn create_login_link(&self, account: AccountNumber) -> Result<SecretText, Fault> {
        let code = random_secret()?;
        let now_ms = self.clock.now_ms();
        let connection = self.lock();
        role_of(&connection, account)?
            .ok_or_else(|| Fault::refused(ErrorCode::NotFound, "there is no such account"))?;
        connection.execute("DELETE FROM login_code WHERE expires_ms <= ?1", [now_ms])?;
        connection.execute(
            "INSERT INTO login_code(digest, account, expires_ms) VALUES(?1, ?2, ?3)",
            (digest(&code), account.0 as i64, now_ms + LINK_LIFE_MS),
        )?;
        Ok(code)
    }

    /// Spends a code and opens a session, both in one transaction: of two that present the code one gets in.
    pub(crate) fn sign_in(&self, code: &SecretText) -> Result<Option<SignedIn>, Fault> {
        let now_ms = self.clock.now_ms();
        let secret = random_secret()?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let spent: Option<(i64, i64)> = transaction
            .query_row(
                "DELETE FROM login_code WHERE digest = ?1 RETURNING account, expires_ms",
                [digest(code)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let account = spent
            .filter(|(_, expires_ms)| now_ms < *expires_ms)
            .map(|(account, _)| account);
        let role = match account {
            Some(account) => role_of(&transaction, AccountNumber(account as u64))?,
            None => None,
        };
        let (Some(account), Some(role)) = (account, role) else {
            // A code that is too old is gone all the same.
            transaction.commit()?;
            return Ok(None);
        };
        transaction.execute("DELETE FROM session WHERE created_ms <= ?1", [now_ms - SESSION_LIFE_MS])?;
        transaction.execute(
            "INSERT INTO session(digest, account, created_ms, used_ms) VALUES(?1, ?2, ?3, ?3)",
            (digest(&secret), account, now_ms),
        )?;
        transaction.commit()?;
        let session = self.session(account, role, &secret, now_ms, now_ms);
        Ok(Some(SignedIn { secret, session }))
    }

    pub(crate) fn check_session(&self, secret: &SecretText) -> Result<Option<Session>, Fault> {
        let now_ms = self.clock.now_ms();
        let digest = digest(secret);
        let connection = self.lock();
        let found: Option<(i64, i64, i64)> = connection
            .prepare_cached("SELECT account, created_ms, used_ms FROM session WHERE digest = ?1")?
            .query_row([digest], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((account, created_ms, used_ms)) = found else {
            return Ok(None);
        };
        let role = role_of(&connection, AccountNumber(account as u64))?;
        let alive = now_ms - used_ms < SESSION_IDLE_MS && now_ms - created_ms < SESSION_LIFE_MS;
        let Some(role) = role.filter(|_| alive) else {
            connection.execute("DELETE FROM session WHERE digest = ?1", [digest])?;
            return Ok(None);
        };
        if now_ms - used_ms >= TOUCH_MS {
            connection
                .prepare_cached("UPDATE session SET used_ms = ?2 WHERE digest = ?1")?
                .execute((digest, now_ms))?;
        }
        Ok(Some(self.session(account, role, secret, created_ms, now_ms)))
    }

    pub(crate) fn end_session(&self, secret: &SecretText) -> Result<(), Fault> {
        self.lock()
            .execute("DELETE FROM session WHERE digest = ?1", [digest(secret)])?;
        Ok(())
    }

    fn session(&self, account: i64, role: Role, secret: &SecretText, created_ms: i64, used_ms: i64) -> Session {
        Session {
            account: AccountNumber(account as u64),
            role,
            session_commit: self.commit.mac(&[secret.expose().as_bytes()]),
            expires_ms: (used_ms + SESSION_IDLE_MS).min(created_ms + SESSION_LIFE_MS),
        }
    }

    fn email_aad(&self, account: i64) -> Aad {
        Aad::document(ProjectId(0), "account", &account.to_le_bytes(), self.seal.id())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn role_of(connection: &Connection, account: AccountNumber) -> Result<Option<Role>, Fault> {
    let name: Option<String> = connection
        .prepare_cached("SELECT role FROM account WHERE account = ?1 AND state = 'live'")?
        .query_row([account.0 as i64], |row| row.get(0))
        .optional()?;
    match name {
        Some(name) => Role::from_name(&name).map(Some).ok_or(Fault::Tampered("an account")),
        None => Ok(None),
    }
}

/// 256 random bits in 43 characters that need no escaping in a link or cookie.
fn random_secret() -> Result<SecretText, Fault> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes = Zeroizing::new(random_bytes::<33>()?);
    let mut text = Zeroizing::new(String::with_capacity(44));
    for three in bytes.chunks_exact(3) {
        let bits = (u32::from(three[0]) << 16) | (u32::from(three[1]) << 8) | u32::from(three[2]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ALPHABET[(bits >> shift) as usize & 63]));
        }
    }
    text.truncate(43);
    Ok(SecretText::new(text.as_str()))
}

fn digest(secret: &SecretText) -> [u8; 32] {
    sha256(&[secret.expose().as_bytes()])
}

#[cfg(test)]
mod tests;
