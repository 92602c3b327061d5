//! Reading a whole set and comparing every byte with what was written.

use crate::error::BackupError;
use crate::manifest::Recorded;
use crate::objects::Digest;
use crate::set::BackupSet;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub runs: u64,
    pub objects: u64,
    pub bytes: u64,
    pub damage: Vec<Damage>,
}

/// One file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    pub what: String,
    /// Files of runs that cannot be restored because of it, as `RUN: PATH`.
    pub needed_by: Vec<String>,
}

impl BackupSet {
    /// Reads every manifest and every object that one names. `pace` is told of bytes that were read, and may wait.
    pub fn verify(&self, pace: &mut dyn FnMut(u64)) -> Result<Verified, BackupError> {
        let mut verified = Verified::default();
        let mut runs = Vec::new();
        for name in self.manifest_names()? {
            match self.read_manifest(&name) {
                Ok(recorded) => runs.push(recorded),
                Err(error) => verified.damage.push(unreadable_manifest(self, &name, &error)),
            }
        }
        verified.runs = runs.len() as u64;
        self.verify_permissions(&mut verified);
        for (digest, (bytes, users)) in objects_of(&runs) {
            let found = self.objects.read(&digest).and_then(|content| {
                verified.bytes += content.len() as u64;
                pace(content.len() as u64);
                match content.len() as u64 == bytes {
                    true => Ok(()),
                    false => Err(BackupError::damaged(
                        &self.objects.path(&digest),
                        "it has another length than its file needs",
                    )),
                }
            });
            verified.objects += 1;
            if let Err(error) = found {
                let (file, what) = said(&self.objects.path(&digest), &error);
                let needed_by = users.into_iter().collect();
                verified.damage.push(Damage { file, what, needed_by });
            }
        }
        Ok(verified)
    }

    /// A backup that others may enter gives away what the original keeps closed.
    fn verify_permissions(&self, verified: &mut Verified) {
        let mode = fs::metadata(self.directory()).map_or(0, |found| found.permissions().mode());
        if mode & 0o077 != 0 {
            verified.damage.push(Damage {
                file: self.directory().to_path_buf(),
                what: format!("it is open to other users (mode {:04o}); make it 0700", mode & 0o7777),
                needed_by: Vec::new(),
            });
        }
    }
}

fn unreadable_manifest(set: &BackupSet, name: &str, error: &BackupError) -> Damage {
    let (file, what) = said(&set.manifests_folder().join(name), error);
    Damage {
        file,
        what: format!("{what}; this backup cannot be restored"),
        needed_by: vec![name.split('-').next().unwrap_or(name).to_owned()],
    }
}

fn said(path: &Path, error: &BackupError) -> (PathBuf, String) {
    match error {
        BackupError::Damaged { file, what } => (file.clone(), what.clone()),
        other => (path.to_path_buf(), other.to_string()),
    }
}

/// Every object with its length and who needs it.
fn objects_of(runs: &[Recorded]) -> BTreeMap<Digest, (u64, Vec<String>)> {
    let mut objects: BTreeMap<Digest, (u64, Vec<String>)> = BTreeMap::new();
    for recorded in runs {
        for file in &recorded.manifest.files {
            for (place, digest) in file.chunks.iter().enumerate() {
                let (_, users) = objects.entry(*digest).or_insert((file.chunk_bytes(place), Vec::new()));
                users.push(format!("{}: {}", recorded.manifest.run, file.path));
            }
        }
    }
    objects
}
