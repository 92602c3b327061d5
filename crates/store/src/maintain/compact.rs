//! Compaction.
use crate::core::Core;
use crate::error::StoreError;
pub(crate) fn compact(_core: &Core) -> Result<usize, StoreError> {
    Ok(0)
}
