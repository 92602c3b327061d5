//! A set as a whole: opening it, its manifests, and removing what is past its life.

use crate::error::BackupError;
use crate::files::{self, UNFINISHED};
use crate::manifest::{self, Manifest, Recorded, RunId};
use crate::objects::Objects;
use crate::run::Run;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// A folder of backups of the same files.
pub struct BackupSet {
    directory: PathBuf,
    pub(crate) objects: Objects,
    /// Held by the one who writes. Readers take none: what they read is never changed.
    lock: Option<File>,
}

/// What [`BackupSet::prune`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    pub runs: u64,
    pub objects: u64,
    pub bytes: u64,
}

impl BackupSet {
    /// Opens a set that is there, for reading.
    pub fn open(directory: &Path) -> Result<BackupSet, BackupError> {
        if !manifests_folder(directory).is_dir() {
            return Err(BackupError::NotASet {
                directory: directory.to_path_buf(),
                what: "there is no backup here".into(),
            });
        }
        Ok(BackupSet::at(directory, None))
    }

    /// Opens a set for writing, or makes it. There is one writer at a time.
    pub fn open_to_write(directory: &Path) -> Result<BackupSet, BackupError> {
        files::private_folder(directory)?;
        let lock = take_lock(directory)?;
        let set = BackupSet::at(directory, Some(lock));
        for folder in [set.objects.folder(), &manifests_folder(directory), &set.staging()] {
            files::private_folder(folder)?;
        }
        files::sync_folder(directory)?;
        set.sweep()?;
        Ok(set)
    }

    fn at(directory: &Path, lock: Option<File>) -> BackupSet {
        BackupSet {
            directory: directory.to_path_buf(),
            objects: Objects::new(directory.join("objects")),
            lock,
        }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A folder for files that are made in order to be copied, such as those a database exports. Emptied by every writer.
    pub fn staging(&self) -> PathBuf {
        self.directory.join("staging")
    }

    /// Removes what is in that folder.
    pub fn empty_staging(&self) -> Result<(), BackupError> {
        for name in files::names(&self.staging())? {
            let path = self.staging().join(name);
            fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
        }
        Ok(())
    }

    /// Removes what a run that was killed has left behind unfinished. Whole objects stay: the next run can use them.
    fn sweep(&self) -> Result<(), BackupError> {
        self.empty_staging()?;
        let in_manifests = files::names(&self.manifests_folder())?.into_iter();
        let in_manifests = in_manifests.map(|name| self.manifests_folder().join(name));
        let in_objects = self.objects.list()?.into_iter().map(|(path, _)| path);
        for path in in_manifests.chain(in_objects).filter(|path| is_unfinished(path)) {
            fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
        }
        Ok(())
    }

    pub(crate) fn manifests_folder(&self) -> PathBuf {
        manifests_folder(&self.directory)
    }

    /// Names of the manifests' files, in the order of their runs.
    pub(crate) fn manifest_names(&self) -> Result<Vec<String>, BackupError> {
        let names = files::names(&self.manifests_folder())?;
        Ok(names.into_iter().filter(|name| manifest::is_manifest(name)).collect())
    }

    pub(crate) fn read_manifest(&self, name: &str) -> Result<Recorded, BackupError> {
        let path = self.manifests_folder().join(name);
        let content = fs::read(&path).map_err(BackupError::io("read", &path))?;
        manifest::decode(&path, name, &content)
    }

    /// All runs, oldest first. A damaged manifest is an error: what it named would look like nobody's.
    pub fn runs(&self) -> Result<Vec<Recorded>, BackupError> {
        let names = self.manifest_names()?;
        names.iter().map(|name| self.read_manifest(name)).collect()
    }

    /// Names of all runs, oldest first. Their manifests are not read.
    pub fn run_ids(&self) -> Result<Vec<RunId>, BackupError> {
        let names = self.manifest_names()?;
        Ok(names
            .iter()
            .filter_map(|name| RunId::parse(name.split('-').next()?))
            .collect())
    }

    /// The run of this name, or the newest. Other runs may be damaged.
    pub fn run(&self, wanted: Option<&RunId>) -> Result<Manifest, BackupError> {
        let mut names = self.manifest_names()?;
        if let Some(run) = wanted {
            names.retain(|name| name.starts_with(&format!("{run}-")));
        }
        let Some(name) = names.pop() else {
            return Err(BackupError::NotASet {
                directory: self.directory.clone(),
                what: match wanted {
                    Some(run) => format!("there is no backup {run} here"),
                    None => "there is no finished backup here".into(),
                },
            });
        };
        Ok(self.read_manifest(&name)?.manifest)
    }

    /// Begins a run. What the newest run has is not copied again.
    pub fn begin(&self, manifest: Manifest) -> Result<Run<'_>, BackupError> {
        assert!(self.lock.is_some(), "a set that is written to is locked");
        let newest = self.manifest_names()?.pop();
        let known = match newest {
            Some(name) => self.read_manifest(&name)?.manifest.files,
            None => Vec::new(),
        };
        Ok(Run::new(self, manifest, known))
    }

    /// An empty manifest for this set.
    pub fn manifest(set: &str, run: RunId, program: &str, formats: &[(&str, u32)]) -> Manifest {
        let formats: BTreeMap<String, u32> = formats
            .iter()
            .map(|(name, version)| ((*name).to_owned(), *version))
            .collect();
        Manifest {
            format: manifest::FORMAT,
            set: set.to_owned(),
            run,
            program: program.to_owned(),
            formats,
            files: Vec::new(),
        }
    }

    /// Removes runs that began before `before_ms`, the newest never, and the objects that only they named.
    ///
    /// Manifests go first: an interruption leaves objects that nobody names, which the next pruning removes.
    pub fn prune(&self, before_ms: i64) -> Result<Pruned, BackupError> {
        assert!(self.lock.is_some(), "a set that is written to is locked");
        let mut runs = self.runs()?;
        let newest = runs.pop();
        let is_past = |recorded: &Recorded| {
            recorded
                .manifest
                .run
                .time_ms()
                .is_some_and(|time_ms| time_ms < before_ms)
        };
        let (past, mut kept): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_past);
        kept.extend(newest);
        for recorded in &past {
            let path = self.manifests_folder().join(&recorded.name);
            fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
        }
        files::sync_folder(&self.manifests_folder())?;
        let files = kept.iter().flat_map(|recorded| &recorded.manifest.files);
        let named: BTreeSet<_> = files.flat_map(|file| file.chunks.iter().copied()).collect();
        let (objects, bytes) = self.objects.keep_only(&named)?;
        Ok(Pruned {
            runs: past.len() as u64,
            objects,
            bytes,
        })
    }
}

impl Drop for BackupSet {
    /// Unlocks in words: a child that another thread is starting may hold a copy of the file for a moment.
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

fn manifests_folder(directory: &Path) -> PathBuf {
    directory.join("runs")
}

fn is_unfinished(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(UNFINISHED.as_bytes())
}

fn take_lock(directory: &Path) -> Result<File, BackupError> {
    let path = directory.join("lock");
    let lock = match files::private_file(&path) {
        Err(BackupError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            File::open(&path).map_err(BackupError::io("open", &path))?
        }
        other => other?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(BackupError::Busy(directory.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(BackupError::io("lock", &path)(source)),
    }
}
