//! The disk as the log and the segments see it.
//!
//! Everything durable except the SQLite catalog goes through [`Disk`], so that tests can make any single operation
//! fail, fill the disk, or cut the power and keep only what was synced ([`faulty`] states the fault model). The
//! trait is as narrow as the store's needs: files are written once from start to end, read at any place, renamed
//! and removed; directory entries are synced separately because POSIX makes them a separate promise.

pub mod faulty;
mod real;

pub use real::RealDisk;

use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file system, or something that behaves like a bad one.
pub trait Disk: Send + Sync + 'static {
    /// Makes the directory and its parents; an existing one is fine.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that must not exist yet.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Opens an existing file to write behind its end.
    fn append_to(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Opens an existing file for reading at any place. Stays readable after the file's name is gone.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadFile>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the directory's entries durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Names of the files in a directory, sorted. Directories are left out.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
}

/// A file being written at its end.
pub trait WriteFile: Send {
    /// Writes all bytes. After an error any part of them may be in the file.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Writes bytes again that are there already, so that the next sync cannot take them for written.
    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes content and length durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file; the next write goes to the new end.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// A file open for reading.
pub trait ReadFile: Send + Sync {
    fn size(&self) -> u64;
    /// Fills the whole buffer from `offset` on, or fails.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// The whole content of a file.
pub(crate) fn read_all(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let mut content = vec![0; usize::try_from(file.size()).map_err(io::Error::other)?];
    file.read_at(0, &mut content)?;
    Ok(content)
}
