//! What is known of a segment file that is not what was written.
//!
//! A damaged segment is set aside: flush does not look for copies in it, compaction does not merge it, and persons who
//! may have rows in it stay unsettled and unpurged. So everything else goes on. A question that needs its rows fails and names the
//! file, because a smaller number would look like an answer; other questions do not notice. The file stays where it is, and over
//! restarts it stays set aside ([`crate::damaged`]): put back from a backup and with the store opened again, it is as if nothing had
//! been, except that a later copy of one of its events that came in meanwhile counts beside it.

use crate::error::StoreError;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Default)]
pub(crate) struct Damage(AtomicBool);

impl Damage {
    pub fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes the damage that an error tells of, if it does, and raises the alarm the first time.
    pub fn note(&self, error: StoreError) -> StoreError {
        let tells_of_damage = match &error {
            StoreError::Corrupt { .. } => true,
            StoreError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        };
        if tells_of_damage && !self.0.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "A segment is damaged and set aside; put its file back from a backup and restart");
        }
        error
    }
}
