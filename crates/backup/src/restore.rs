//! Putting a run's files back, each object compared with its digest before it is written.

use crate::error::BackupError;
use crate::files;
use crate::manifest::{Entry, Manifest};
use crate::set::BackupSet;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Ends the name of the file that is held back until everything else is in place.
const HELD_BACK: &str = ".restoring";

/// A restored directory that cannot be opened yet: the file that makes it an installation still has another name.
#[must_use = "a restore that is not finished cannot be opened"]
pub struct Restoring {
    directory: PathBuf,
    held_back: String,
}

impl BackupSet {
    /// Writes a run's files into a new or empty directory (mode 0700, files 0600), durably. The file `held_back` gets its
    /// name in [`Restoring::finish`] only, so a restore that was cut off cannot be taken for a whole one.
    pub fn restore(&self, manifest: &Manifest, to: &Path, held_back: &str) -> Result<Restoring, BackupError> {
        check_empty(to)?;
        self.restore_beside(manifest, to, held_back)
    }

    /// The same into a directory that a restore of another set has begun to fill. No file is overwritten.
    pub fn restore_beside(&self, manifest: &Manifest, to: &Path, held_back: &str) -> Result<Restoring, BackupError> {
        files::private_folder(to)?;
        let mut folders = BTreeSet::from([to.to_path_buf()]);
        for entry in &manifest.files {
            let path = match entry.path == held_back {
                true => to.join(format!("{held_back}{HELD_BACK}")),
                false => to.join(&entry.path),
            };
            let folder = path.parent().expect("a file in a directory has a parent").to_path_buf();
            if folders.insert(folder.clone()) {
                files::private_folder(&folder)?;
            }
            self.write_back(entry, &path)?;
        }
        for folder in &folders {
            files::sync_folder(folder)?;
        }
        Ok(Restoring {
            directory: to.to_path_buf(),
            held_back: held_back.to_owned(),
        })
    }

    fn write_back(&self, entry: &Entry, path: &Path) -> Result<(), BackupError> {
        let mut file = files::private_file(path)?;
        for (place, digest) in entry.chunks.iter().enumerate() {
            let content = self.objects.read(digest)?;
            if content.len() as u64 != entry.chunk_bytes(place) {
                let object = self.objects.path(digest);
                return Err(BackupError::damaged(&object, "it is not as long as its file needs it"));
            }
            file.write_all(&content).map_err(BackupError::io("write", path))?;
        }
        file.sync_data().map_err(BackupError::io("sync", path))
    }
}

impl Restoring {
    /// Where the file is that was held back.
    pub fn held_back(&self) -> PathBuf {
        self.directory.join(format!("{}{HELD_BACK}", self.held_back))
    }

    /// Gives it its name. From here on the directory can be opened.
    pub fn finish(self) -> Result<(), BackupError> {
        let path = self.directory.join(&self.held_back);
        fs::rename(self.held_back(), &path).map_err(BackupError::io("rename", &path))?;
        files::sync_folder(&self.directory)
    }
}

/// Refuses a directory with anything in it.
fn check_empty(directory: &Path) -> Result<(), BackupError> {
    match files::names(directory)?.is_empty() {
        true => Ok(()),
        false => Err(BackupError::NotEmpty(directory.to_path_buf())),
    }
}
