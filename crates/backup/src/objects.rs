//! Objects: pieces of files under the digest of their bytes.

use crate::error::BackupError;
use crate::files;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Files are cut at multiples of this. A file that grows at its end (a ledger) shares all pieces but the last with the
/// run before; a damaged object costs one piece of one file.
pub(crate) const CHUNK_BYTES: u64 = 8 << 20;

/// SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let digest = bytes.and_then(|bytes| bytes.try_into().ok()).map(Digest);
        digest.ok_or("a digest has 64 lower-case hexadecimal digits")
    }
}

/// The folder of objects, two digits of the digest a subfolder.
pub(crate) struct Objects {
    folder: PathBuf,
}

impl Objects {
    pub fn new(folder: PathBuf) -> Objects {
        Objects { folder }
    }

    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    /// Whether the object is there in its whole length. Its bytes are not read.
    pub fn has(&self, digest: &Digest, bytes: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|found| found.len() == bytes)
    }

    /// Stores an object durably, but for its name, which is when its subfolder is synced. `None`: it was there.
    pub fn put(&self, digest: &Digest, content: &[u8]) -> Result<Option<PathBuf>, BackupError> {
        if self.has(digest, content.len() as u64) {
            return Ok(None);
        }
        let path = self.path(digest);
        let subfolder = path.parent().expect("objects lie in subfolders").to_path_buf();
        if !subfolder.exists() {
            files::private_folder(&subfolder)?;
            files::sync_folder(&self.folder)?;
        }
        files::write_whole(&path, content)?;
        Ok(Some(subfolder))
    }

    /// The object's bytes, compared with its name.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, BackupError> {
        let path = self.path(digest);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::damaged(&path, "it is missing"));
            }
            other => other.map_err(BackupError::io("read", &path))?,
        };
        match digest_of(&content) == *digest {
            true => Ok(content),
            false => Err(BackupError::damaged(&path, "its content is not what its name says")),
        }
    }

    /// Every file there is, by the digest that its name says; `None` for names that are none.
    pub fn list(&self) -> Result<Vec<(PathBuf, Option<Digest>)>, BackupError> {
        let mut found = Vec::new();
        for subfolder in files::names(&self.folder)? {
            let subfolder = self.folder.join(subfolder);
            for name in files::names(&subfolder)? {
                let path = subfolder.join(&name);
                found.push((path, Digest::try_from(name).ok()));
            }
        }
        Ok(found)
    }

    /// Removes what nobody names. Returns how many objects and bytes that were.
    pub fn keep_only(&self, named: &BTreeSet<Digest>) -> Result<(u64, u64), BackupError> {
        let (mut count, mut bytes) = (0, 0);
        for (path, digest) in self.list()? {
            if digest.is_some_and(|digest| named.contains(&digest)) {
                continue;
            }
            count += 1;
            bytes += fs::metadata(&path).map_or(0, |found| found.len());
            fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
        }
        Ok((count, bytes))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
