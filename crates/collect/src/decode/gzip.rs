//! Unpacking under a cap: a bomb is refused after 10 MiB of output, whatever it claims to hold.

use super::PayloadError;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Largest body, packed or unpacked (contract I3, tricky point 47).
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest ratio of unpacked to packed. A batch of 2,000 equal events reaches about 250; deflate's own bound is 1,032.
const RATIO_MAX: usize = 600;
/// Below this the ratio does not matter.
const RATIO_FROM_BYTES: usize = 1024 * 1024;

pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let allowed = BODY_BYTES_MAX.min((packed.len() * RATIO_MAX).max(RATIO_FROM_BYTES));
    let mut out = Vec::with_capacity((packed.len() * 4).min(allowed));
    MultiGzDecoder::new(packed)
        .take(allowed as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|_| PayloadError::NotGzip)?;
    if out.len() > allowed {
        Err(PayloadError::TooLarge)
    } else {
        Ok(out)
    }
}
