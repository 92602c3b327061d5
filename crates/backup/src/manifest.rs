//! The manifest of one run: which files there were, and of which objects each is made.

use crate::error::BackupError;
use crate::objects::{CHUNK_BYTES, Digest, digest_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};

/// Version of manifests and of the layout of a set.
pub(crate) const FORMAT: u32 = 1;

const SUFFIX: &str = ".json";

/// Names a run: the moment it began, in UTC to the millisecond. Sorts as time does. The sets of one installation that
/// were written by one run have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(String);

impl RunId {
    pub fn at(time_ms: i64) -> RunId {
        let time = jiff::Timestamp::from_millisecond(time_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        RunId(time.strftime("%Y%m%dT%H%M%S%3fZ").to_string())
    }

    /// Takes a name as it was printed.
    pub fn parse(text: &str) -> Option<RunId> {
        RunId(text.to_owned()).time_ms().map(|_| RunId(text.to_owned()))
    }

    /// When the run began, in milliseconds since 1970.
    pub fn time_ms(&self) -> Option<i64> {
        let seconds = self.0.get(..15)?;
        let millis: i64 = self.0.get(15..18)?.parse().ok()?;
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", seconds).ok()?;
        let utc = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        (self.0.len() == 19 && self.0.ends_with('Z')).then(|| utc.as_millisecond() + millis)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// What the set holds: `events`, `vault`, `keystore`.
    pub set: String,
    pub run: RunId,
    /// Version of the program that wrote it.
    pub program: String,
    /// Versions of the formats inside, by name. A restore refuses those it does not know.
    pub formats: BTreeMap<String, u32>,
    pub files: Vec<Entry>,
}

/// One file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Relative, with `/`, without `..`.
    pub path: String,
    pub bytes: u64,
    /// What the content of a file that never changes was known by; see [`crate::Run::add`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Digest>,
    /// The objects that the file is made of, in order.
    pub chunks: Vec<Digest>,
}

impl Entry {
    /// Length of the chunk at a place: all are of the same length but the last.
    pub(crate) fn chunk_bytes(&self, place: usize) -> u64 {
        let start = place as u64 * CHUNK_BYTES;
        self.bytes.saturating_sub(start).min(CHUNK_BYTES)
    }

    /// A path that leaves the directory, or chunks that cannot make up the file, are refused wherever they come from.
    fn is_sound(&self) -> bool {
        let path = Path::new(&self.path);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        inside && !self.path.is_empty() && self.chunks.len() as u64 == self.bytes.div_ceil(CHUNK_BYTES)
    }
}

impl Manifest {
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The manifest's bytes and the name of its file, which holds their digest.
    pub(crate) fn encode(&self) -> (String, Vec<u8>) {
        let content = serde_json::to_vec(self).expect("strings and numbers are JSON");
        (format!("{}-{}{SUFFIX}", self.run, digest_of(&content)), content)
    }
}

/// A manifest that a set holds.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Name of its file.
    pub name: String,
    pub manifest: Manifest,
}

/// Reads a manifest. `name` is that of its file.
pub(crate) fn decode(file: &Path, name: &str, content: &[u8]) -> Result<Recorded, BackupError> {
    let damaged = |what: &str| BackupError::damaged(file, what);
    if !name.ends_with(&format!("-{}{SUFFIX}", digest_of(content))) {
        return Err(damaged("its content is not what its name says"));
    }
    let manifest: Manifest = serde_json::from_slice(content).map_err(|error| damaged(&error.to_string()))?;
    if manifest.format > FORMAT {
        return Err(BackupError::NotASet {
            directory: file.to_path_buf(),
            what: format!(
                "the backup has format {}, this program reads format {FORMAT}; use the program that wrote it ({}) or a later one",
                manifest.format, manifest.program
            ),
        });
    }
    if !manifest.files.iter().all(Entry::is_sound) {
        return Err(damaged("it names a file that cannot be"));
    }
    Ok(Recorded {
        name: name.to_owned(),
        manifest,
    })
}

/// Whether a file name can be that of a manifest.
pub(crate) fn is_manifest(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_by_their_time() {
        let run = RunId::at(1_795_132_800_007);
        assert_eq!(run.to_string(), "20261120T000000007Z");
        assert_eq!(run.time_ms(), Some(1_795_132_800_007));
        assert_eq!(RunId::parse("20261120T000000007Z"), Some(run));
        for text in [
            "",
            "20261120",
            "20261320T000000007Z",
            "20261120T000000007Zx",
            "é0261120T000000007Z",
        ] {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_manifest_cannot_name_files_elsewhere() {
        for path in ["../x", "/etc/passwd", "a/../b", "", "./a"] {
            let entry = Entry {
                path: path.into(),
                bytes: 0,
                identity: None,
                chunks: Vec::new(),
            };
            assert!(!entry.is_sound(), "{path}");
        }
    }
}
