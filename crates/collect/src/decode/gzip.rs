//! Unpacking under a cap: a bomb is refused after 10 MiB of output, whatever it claims to hold.

use super::PayloadError;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use store::Reservation;

/// Largest body, packed or unpacked (contract I3, tricky point 47).
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Largest ratio of unpacked to packed. A batch of 2,000 equal events reaches about 250; deflate's own bound is 1,032.
const RATIO_MAX: usize = 600;
/// Below this the ratio does not matter.
const RATIO_FROM_BYTES: usize = 1024 * 1024;

pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Bytes that are unpacked, and asked memory for, at a time.
const STEP_BYTES: usize = 256 * 1024;

pub fn unpack(packed: &[u8], memory: &mut Reservation) -> Result<Vec<u8>, PayloadError> {
    let allowed = BODY_BYTES_MAX.min((packed.len() * RATIO_MAX).max(RATIO_FROM_BYTES));
    let mut out = Vec::with_capacity((packed.len() * 4).min(allowed));
    let mut unpacked = MultiGzDecoder::new(packed);
    loop {
        if !memory.grow(STEP_BYTES) {
            return Err(PayloadError::MemoryShort);
        }
        let step = unpacked.by_ref().take(STEP_BYTES as u64).read_to_end(&mut out);
        let read = step.map_err(|_| PayloadError::NotGzip)?;
        if out.len() > allowed {
            return Err(PayloadError::TooLarge);
        }
        if read < STEP_BYTES {
            return Ok(out);
        }
    }
}
