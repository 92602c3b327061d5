//! Reading everything that a store has on disk and comparing it with its checksums, without changing anything.
//!
//! Works on a store that runs, in this process or another, as on one that does not: what a flush or a compaction takes away
//! meanwhile is asked for again in the catalog before it counts as missing, and the log's end is read as recovery would.
//!
//! The catalog is a SQLite database whose pages carry checksums ([`pages`]). SQLite's `integrity_check` reads all that are in use; then
//! every row is read into what a start would make of it.

use crate::catalog::{self, CatalogReader};
use crate::disk::{Disk, RealDisk, read_all};
use crate::error::StoreError;
use crate::log::{file_path, files, recovery};
use crate::segment::SegmentMeta;
use crate::segment::checked::CheckedFile;
use crate::segment::footer::Footer;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes read between two calls of the pace.
const STEP_BYTES: u64 = 1 << 20;

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub files: u64,
    pub bytes: u64,
    pub damage: Vec<Damage>,
}

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    /// Where it was noticed, if that is known.
    pub offset: Option<u64>,
    pub what: String,
}

/// Verifies the store in a directory. `pace` is told of bytes that were read, and may wait.
///
/// # Errors
/// When there is no store, or one of a later format. Damage is no error but a finding.
pub fn verify(directory: &Path, pace: &mut dyn FnMut(u64)) -> Result<Verified, StoreError> {
    let file = directory.join("catalog.db");
    if !file.exists() {
        return Err(StoreError::NotAStore {
            directory: directory.to_path_buf(),
            what: "there is no catalog".into(),
        });
    }
    let version = catalog::check_version(&file);
    if let Err(newer @ StoreError::NewerFormat { .. }) = version {
        return Err(newer);
    }
    let mut verifying = Verifying {
        directory,
        pace,
        verified: Verified::default(),
    };
    if let Err(error) = CatalogReader::check_wal(&file) {
        verifying.found(&file, &error);
    }
    match version.and_then(|()| verifying.catalog(&file)) {
        Ok(catalog) => {
            verifying.segments(&catalog);
            verifying.log(&catalog);
        }
        Err(error) => verifying.found(&file, &error),
    }
    Ok(verifying.verified)
}

struct Verifying<'a> {
    directory: &'a Path,
    pace: &'a mut dyn FnMut(u64),
    verified: Verified,
}

impl Verifying<'_> {
    fn found(&mut self, file: &Path, error: &StoreError) {
        let damage = match error {
            StoreError::Corrupt {
                file: damaged,
                offset,
                what,
            } => Damage {
                // Of some damage SQLite does not say in which file it is.
                file: if *damaged == Path::new("catalog.db") {
                    file
                } else {
                    damaged
                }
                .to_path_buf(),
                offset: Some(*offset),
                what: what.clone(),
            },
            other => Damage {
                file: file.to_path_buf(),
                offset: None,
                what: error_chain(other),
            },
        };
        self.verified.damage.push(damage);
    }

    fn read(&mut self, bytes: u64) {
        self.verified.bytes += bytes;
        (self.pace)(bytes);
    }

    fn catalog(&mut self, file: &Path) -> Result<CatalogReader, StoreError> {
        let catalog = CatalogReader::open(file)?;
        self.verified.files += 1;
        for what in catalog.integrity()? {
            let file = file.to_path_buf();
            self.verified.damage.push(Damage {
                file,
                offset: None,
                what,
            });
        }
        self.read(std::fs::metadata(file).map_or(0, |found| found.len()));
        catalog.read_everything()?;
        Ok(catalog)
    }

    fn segments(&mut self, catalog: &CatalogReader) {
        let metas = match catalog.segments() {
            Ok(metas) => metas,
            Err(error) => return self.found(&self.directory.join("catalog.db"), &error),
        };
        for meta in metas {
            let path = self.directory.join("segments").join(meta.file_name());
            self.verified.files += 1;
            if let Err(error) = self.segment(&path, &meta)
                && catalog.names_segment(meta.id).unwrap_or(true)
            {
                self.found(&path, &error);
            }
        }
    }

    fn segment(&mut self, path: &Path, meta: &SegmentMeta) -> Result<(), StoreError> {
        // It is told by the caller, and not by the store that has the file open.
        let damage = Arc::default();
        let file = CheckedFile::open(&RealDisk, path, meta, &damage)?;
        let mut offset = 0;
        while offset < file.size() {
            let bytes = (file.size() - offset).min(STEP_BYTES);
            file.read(offset, bytes as usize)?;
            self.read(bytes);
            offset += bytes;
        }
        Footer::read(&RealDisk, path, meta, &damage).map(drop)
    }

    fn log(&mut self, catalog: &CatalogReader) {
        let directory = self.directory.join("log");
        // The files before the watermark: what is gone by then lies below it.
        let listed = files::list(&RealDisk, &directory);
        match listed.and_then(|firsts| Ok((firsts, catalog.watermark()?))) {
            Ok((firsts, flushed)) => self.log_files(&directory, &firsts, flushed),
            Err(error) => self.found(&directory, &error),
        }
    }

    fn log_files(&mut self, directory: &Path, firsts: &[u64], flushed: u64) {
        let mut next = flushed + 1;
        for (place, first) in firsts.iter().enumerate() {
            let path = file_path(directory, *first);
            let following = firsts.get(place + 1);
            if following.is_some_and(|following| *following <= flushed + 1) {
                continue;
            }
            if *first > next {
                let what = format!("record {next} is missing before it");
                self.found(&path, &StoreError::corrupt(&path, 0, what));
            }
            self.verified.files += 1;
            let content = match read_all(&RealDisk as &dyn Disk, &path) {
                Ok(content) => content,
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => {
                    self.found(&path, &StoreError::io("read", &path, source));
                    continue;
                }
            };
            self.read(content.len() as u64);
            match recovery::check(&path, &content, *first, following.is_none()) {
                Ok(behind) => next = next.max(behind),
                Err(error) => {
                    self.found(&path, &error);
                    next = following.copied().unwrap_or(next);
                }
            }
        }
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
