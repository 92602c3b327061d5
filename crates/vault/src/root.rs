//! Where the root key comes from, and what that makes of the tier.
//!
//! ROOT is never stored in clear except in tier T0, where it lies in a file beside the data and the product says so.
//! From a passphrase it is made with Argon2id over a salt that lies in `keys.db`.

use crate::crypto::{Key, random_bytes};
use crate::error::VaultServeError;
use argon2::{Algorithm, Argon2, Params, Version};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::RawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use vault_client::{SecretText, Tier};
use zeroize::Zeroizing;

/// Memory in KiB, passes and lanes: 64 MiB t3 p4.
const ARGON2_COST: (u32, u32, u32) = (64 * 1024, 3, 4);
const PASSPHRASE_CHARS_MIN: usize = 12;

/// Where to take the root key from.
#[derive(Clone)]
pub enum RootSource {
    /// A file of 32 bytes, `root.key` in the vault directory when none is named. Tier T0: trial only.
    File(Option<PathBuf>),
    /// A passphrase in an environment variable. Anybody who may read the process's environment can read it; prefer
    /// the file descriptor.
    PassphraseVariable(String),
    /// A passphrase to be read from an open file descriptor up to its end, without a trailing line feed.
    PassphraseDescriptor(RawFd),
    /// A passphrase that was read already.
    Passphrase(SecretText),
}

impl RootSource {
    pub fn tier(&self) -> Tier {
        match self {
            RootSource::File(_) => Tier::T0,
            RootSource::PassphraseVariable(_) | RootSource::PassphraseDescriptor(_) | RootSource::Passphrase(_) => {
                Tier::T1
            }
        }
    }

    /// Reads a passphrase now. A process that has made itself unreadable can no longer open its own descriptors by
    /// name, so this comes before that.
    pub(crate) fn fetched(self) -> Result<RootSource, VaultServeError> {
        match self {
            RootSource::File(_) => Ok(self),
            _ => Ok(RootSource::Passphrase(SecretText::new(self.passphrase()?.as_str()))),
        }
    }

    /// The key for a new vault: makes the file where a file is asked for and there is none.
    pub(crate) fn create(&self, directory: &Path, salt: &[u8; 16]) -> Result<Key, VaultServeError> {
        if let RootSource::File(path) = self {
            let path = key_file(directory, path);
            if path.exists() {
                return self.open(directory, salt);
            }
            let key = Key::random()?;
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .map_err(VaultServeError::io(&path))?;
            file.write_all(key.bytes())
                .and_then(|()| file.sync_all())
                .map_err(VaultServeError::io(&path))?;
            return Ok(key);
        }
        let passphrase = self.passphrase()?;
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            return Err(VaultServeError::RootSource(format!(
                "the passphrase is shorter than {PASSPHRASE_CHARS_MIN} characters"
            )));
        }
        stretch(&passphrase, salt)
    }

    pub(crate) fn open(&self, directory: &Path, salt: &[u8; 16]) -> Result<Key, VaultServeError> {
        if let RootSource::File(path) = self {
            let path = key_file(directory, path);
            let mut bytes = Zeroizing::new(Vec::with_capacity(64));
            File::open(&path)
                .and_then(|file| file.take(64).read_to_end(&mut bytes))
                .map_err(VaultServeError::io(&path))?;
            return Key::from_slice(&bytes)
                .ok_or_else(|| VaultServeError::RootSource(format!("{} does not hold 32 bytes", path.display())));
        }
        stretch(&self.passphrase()?, salt)
    }

    fn passphrase(&self) -> Result<Zeroizing<String>, VaultServeError> {
        let text = match self {
            RootSource::File(_) => return Err(VaultServeError::RootSource("a file holds no passphrase".into())),
            RootSource::PassphraseVariable(name) => Zeroizing::new(
                std::env::var(name)
                    .map_err(|_| VaultServeError::RootSource(format!("the variable {name} is not set")))?,
            ),
            RootSource::PassphraseDescriptor(descriptor) => read_descriptor(*descriptor)?,
            RootSource::Passphrase(text) => Zeroizing::new(text.expose().to_owned()),
        };
        let trimmed = text.strip_suffix('\n').unwrap_or(&text);
        if trimmed.is_empty() {
            return Err(VaultServeError::RootSource("the passphrase is empty".into()));
        }
        Ok(Zeroizing::new(trimmed.to_owned()))
    }
}

fn key_file(directory: &Path, named: &Option<PathBuf>) -> PathBuf {
    named.clone().unwrap_or_else(|| directory.join("root.key"))
}

/// Through `/proc/self/fd`, because adopting a raw descriptor is not safe code.
fn read_descriptor(descriptor: RawFd) -> Result<Zeroizing<String>, VaultServeError> {
    let path = PathBuf::from(format!("/proc/self/fd/{descriptor}"));
    let mut text = Zeroizing::new(String::with_capacity(4096));
    File::open(&path)
        .and_then(|file| file.take(4096).read_to_string(&mut text))
        .map_err(VaultServeError::io(&path))?;
    Ok(text)
}

fn stretch(passphrase: &str, salt: &[u8; 16]) -> Result<Key, VaultServeError> {
    let (memory, passes, lanes) = ARGON2_COST;
    let params = Params::new(memory, passes, lanes, Some(32)).expect("the cost is a constant within Argon2's limits");
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| VaultServeError::RootSource("the passphrase could not be stretched".into()))?;
    Ok(Key::from_bytes(*key))
}

pub(crate) fn new_salt() -> Result<[u8; 16], VaultServeError> {
    Ok(random_bytes()?)
}
