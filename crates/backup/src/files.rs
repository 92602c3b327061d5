//! Files and folders that only their owner may read, written so that a crash leaves them whole or absent.

use crate::error::BackupError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a folder (and its parents) with mode 0700. One that is there is closed to others.
pub(crate) fn private_folder(path: &Path) -> Result<(), BackupError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(BackupError::io("create", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(BackupError::io("close to others", path))
}

/// A new file with mode 0600.
pub(crate) fn private_file(path: &Path) -> Result<File, BackupError> {
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    options.map_err(BackupError::io("create", path))
}

/// Writes a file under another name, syncs it and gives it its own. The folder is not synced.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let unfinished = unfinished(path);
    let written = private_file(&unfinished).and_then(|mut file| {
        file.write_all(content)
            .and_then(|()| file.sync_data())
            .map_err(BackupError::io("write", path))
    });
    if let Err(error) = written {
        // A full disk is helped by taking back what did fit; the next run sweeps it otherwise.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, path).map_err(BackupError::io("rename", path))
}

/// Ends the name of a file that is being written. Nothing reads such files, and a new run removes them.
pub(crate) const UNFINISHED: &str = ".unfinished";

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::io("sync", path))
}

/// Names in a folder, sorted; none if there is no folder.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, BackupError> {
    let io = || BackupError::io("list", path);
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io())?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
