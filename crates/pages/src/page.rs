//! The checksum at the end of a page.
//!
//! Of the last [`RESERVED_BYTES`] bytes the first four are the CRC32C of everything before them and of the page's place in the
//! file, the other four their complement. A page of zeros, a page from elsewhere and a page with a flipped bit all fail.

/// Bytes at the end of every page that SQLite leaves to us.
pub const RESERVED_BYTES: usize = 8;

/// `application_id` of a database with checksums. It is there beside the reserved bytes, so that no single bit of the header
/// decides whether checksums are compared.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"FPV1");

const PAGE_BYTES_MIN: usize = 512;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the header keeps the number of reserved bytes, and the application's id.
const RESERVED_AT: usize = 20;
const APPLICATION_ID_AT: usize = 68;

/// Whether so many bytes can be a page. SQLite reads and writes whole pages, or a few bytes of the header.
pub(crate) fn is_page(bytes: usize) -> bool {
    bytes >= PAGE_BYTES_MIN && bytes.is_power_of_two()
}

/// Whether the database that begins with these bytes has checksums; `None` if they do not tell.
pub(crate) fn header_is_sealed(header: &[u8]) -> Option<bool> {
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4)?;
    let sealed = usize::from(header[RESERVED_AT]) == RESERVED_BYTES || id == APPLICATION_ID.to_be_bytes();
    (header.starts_with(MAGIC) || sealed).then_some(sealed)
}

/// Puts the checksum at the end of a page that begins at `offset` of its file.
pub fn seal(page: &mut [u8], offset: u64) {
    let content = page.len() - RESERVED_BYTES;
    let sum = checksum(&page[..content], offset);
    page[content..].copy_from_slice(&sum);
}

/// Whether a page is what was written at `offset`.
pub fn is_whole(page: &[u8], offset: u64) -> bool {
    let (content, sum) = page.split_at(page.len() - RESERVED_BYTES);
    *sum == checksum(content, offset)
}

fn checksum(content: &[u8], offset: u64) -> [u8; RESERVED_BYTES] {
    let crc = crc32c::crc32c_append(crc32c::crc32c(content), &offset.to_le_bytes());
    let mut sum = [0; RESERVED_BYTES];
    sum[..4].copy_from_slice(&crc.to_le_bytes());
    sum[4..].copy_from_slice(&(!crc).to_le_bytes());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_page_is_noticed() {
        let mut page: Vec<u8> = (0..4096_u32).map(|n| (n * 7) as u8).collect();
        seal(&mut page, 8192);
        assert!(is_whole(&page, 8192));
        assert!(!is_whole(&page, 4096), "a page from elsewhere");
        assert!(!is_whole(&[0; 4096], 0), "a page that was never written");
        for bit in 0..page.len() * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_whole(&page, 8192), "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn no_single_bit_of_the_header_turns_checksums_off() {
        let mut header = [0; 100];
        header[..16].copy_from_slice(MAGIC);
        assert_eq!(header_is_sealed(&header), Some(false));
        header[RESERVED_AT] = RESERVED_BYTES as u8;
        header[APPLICATION_ID_AT..APPLICATION_ID_AT + 4].copy_from_slice(&APPLICATION_ID.to_be_bytes());
        for bit in 0..header.len() * 8 {
            header[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(header_is_sealed(&header), Some(true), "bit {bit}");
            header[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(header_is_sealed(&header[..16]), None);
    }
}
