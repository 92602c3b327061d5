//! One run: files go in, and at the end the manifest.

use crate::error::BackupError;
use crate::files;
use crate::manifest::{Entry, Manifest};
use crate::objects::{CHUNK_BYTES, digest_of};
use crate::set::BackupSet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A backup being made. Dropped before [`Run::commit`], it leaves no run behind.
pub struct Run<'a> {
    set: &'a BackupSet,
    manifest: Manifest,
    /// The newest run's files, by path.
    known: HashMap<String, Entry>,
    /// Folders with new objects.
    unsynced: BTreeSet<PathBuf>,
    copied: Copied,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes that the set did not have yet.
    pub new_bytes: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(set: &'a BackupSet, manifest: Manifest, known: Vec<Entry>) -> Run<'a> {
        Run {
            set,
            manifest,
            known: known.into_iter().map(|entry| (entry.path.clone(), entry)).collect(),
            unsynced: BTreeSet::new(),
            copied: Copied::default(),
        }
    }

    /// Adds the first `bytes` of a file; `read` fills a buffer from an offset on.
    ///
    /// `identity`, if given, is anything that is equal only if the content is: a file that the newest run has under the same
    /// path with an equal identity is not read. Otherwise it is read whole, and only objects that are not there are written.
    pub fn add(
        &mut self,
        path: &str,
        bytes: u64,
        identity: Option<&[u8]>,
        mut read: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    ) -> Result<(), BackupError> {
        let identity = identity.map(digest_of);
        let known = self
            .known
            .get(path)
            .filter(|known| identity.is_some() && known.identity == identity);
        if let Some(known) = known.filter(|known| known.bytes == bytes && self.is_complete(known)) {
            let entry = known.clone();
            self.push(entry);
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(bytes.div_ceil(CHUNK_BYTES) as usize);
        let mut buffer = Vec::new();
        let mut offset = 0;
        while offset < bytes {
            buffer.resize((bytes - offset).min(CHUNK_BYTES) as usize, 0);
            read(offset, &mut buffer).map_err(|source| BackupError::Source {
                path: path.to_owned(),
                source,
            })?;
            let digest = digest_of(&buffer);
            if let Some(folder) = self.set.objects.put(&digest, &buffer)? {
                self.unsynced.insert(folder);
                self.copied.new_bytes += buffer.len() as u64;
            }
            chunks.push(digest);
            offset += buffer.len() as u64;
        }
        self.push(Entry {
            path: path.to_owned(),
            bytes,
            identity,
            chunks,
        });
        Ok(())
    }

    /// Adds a file of the file system as long as it is now.
    pub fn add_file(&mut self, path: &str, file: &Path) -> Result<(), BackupError> {
        let unreadable = |source| BackupError::Source {
            path: file.display().to_string(),
            source,
        };
        let open = File::open(file).map_err(unreadable)?;
        let bytes = open.metadata().map_err(unreadable)?.len();
        self.add(path, bytes, None, |offset, buffer| open.read_exact_at(buffer, offset))
    }

    fn is_complete(&self, entry: &Entry) -> bool {
        let mut chunks = entry.chunks.iter().enumerate();
        chunks.all(|(place, digest)| self.set.objects.has(digest, entry.chunk_bytes(place)))
    }

    fn push(&mut self, entry: Entry) {
        self.copied.files += 1;
        self.copied.bytes += entry.bytes;
        self.manifest.files.push(entry);
    }

    /// Makes the run durable. Before the manifest has its name there is no backup, after it there is a whole one.
    pub fn commit(self) -> Result<Copied, BackupError> {
        for folder in &self.unsynced {
            files::sync_folder(folder)?;
        }
        files::sync_folder(self.set.objects.folder())?;
        let (name, content) = self.manifest.encode();
        let folder = self.set.manifests_folder();
        files::write_whole(&folder.join(name), &content)?;
        files::sync_folder(&folder)?;
        Ok(self.copied)
    }
}
