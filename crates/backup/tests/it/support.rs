//! A source of files, a set, and short ways to run and restore.

use backup::{BackupError, BackupSet, Copied, RunId};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub const DAY_MS: i64 = 86_400_000;
/// 2026-11-20T00:00:00Z.
pub const NOW_MS: i64 = 1_795_132_800_000;
/// More than one object.
pub const LARGE: usize = (8 << 20) + 3;

/// Files by path. A path that ends with `.fixed` never changes its content.
pub type Files = BTreeMap<String, Vec<u8>>;

pub struct World {
    pub root: tempfile::TempDir,
}

impl World {
    pub fn new() -> World {
        World {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn directory(&self) -> PathBuf {
        self.path("set")
    }

    pub fn set(&self) -> BackupSet {
        BackupSet::open_to_write(&self.directory()).unwrap()
    }

    /// One run over the files, `day` days from the start.
    pub fn back_up(&self, day: i64, files: &Files) -> Copied {
        run(&self.set(), day, files).unwrap()
    }

    /// The files of a run, or of the newest, put back into a new directory.
    pub fn restored(&self, run: Option<i64>) -> Result<Files, BackupError> {
        let to = tempfile::tempdir_in(self.root.path()).unwrap();
        let set = BackupSet::open(&self.directory())?;
        let manifest = set.run(run.map(id).as_ref())?;
        set.restore(&manifest, to.path(), "main")?.finish()?;
        Ok(read(to.path()))
    }
}

pub fn id(day: i64) -> RunId {
    RunId::at(NOW_MS + day * DAY_MS)
}

pub fn run(set: &BackupSet, day: i64, files: &Files) -> Result<Copied, BackupError> {
    let mut run = set.begin(BackupSet::manifest("events", id(day), "0.1.0", &[("log", 1)]))?;
    for (path, content) in files {
        let identity = path.ends_with(".fixed").then_some(path.as_bytes());
        run.add(path, content.len() as u64, identity, |offset, buffer| {
            let start = offset as usize;
            buffer.copy_from_slice(&content[start..start + buffer.len()]);
            Ok(())
        })?;
    }
    run.commit()
}

pub fn files(pairs: &[(&str, &[u8])]) -> Files {
    pairs
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
        .collect()
}

/// Bytes that no two seeds share.
pub fn bytes(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251) as u8 ^ (at % 251) as u8 ^ seed).collect()
}

pub fn read(directory: &Path) -> Files {
    all_files(directory)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

pub fn all_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(all_files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}
