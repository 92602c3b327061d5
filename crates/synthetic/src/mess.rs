//! What people put where it does not belong: secrets in search boxes, addresses in notes.
//!
//! The secrets have the public forms of well-known services, check digits included, and open nothing. They are put
//! together from parts so that no scanner of source code takes this file for a leak.

use crate::random::mix;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A secret of one of five families.
pub(crate) fn secret(bits: u64) -> String {
    match bits % 5 {
        0 => {
            let body = letters(bits, 30, BASE62);
            let tail = base62_checksum(body.as_bytes());
            ["gh", "p_", &body, &tail].concat()
        }
        1 => ["AK", "IA", &letters(bits, 16, BASE32)].concat(),
        2 => ["sk_", "live_", &letters(bits, 24, BASE62)].concat(),
        3 => [
            "xo",
            "xb-",
            &digits(bits, 12),
            "-",
            &digits(bits ^ 1, 12),
            "-",
            &letters(bits, 24, BASE62),
        ]
        .concat(),
        // {"alg":"HS256","typ":"JWT"} . {"sub":"svc-1"} . a signature of nothing
        _ => [
            "eyJhbGciOiJIUzI1NiIs",
            "InR5cCI6IkpXVCJ9.eyJzdWIiOiJzdmMtMSJ9.",
            &letters(bits, 43, BASE62),
        ]
        .concat(),
    }
}

fn letters(bits: u64, length: u64, alphabet: &[u8]) -> String {
    (0..length)
        .map(|at| char::from(alphabet[(mix(bits ^ (at << 32)) % alphabet.len() as u64) as usize]))
        .collect()
}

fn digits(bits: u64, length: u64) -> String {
    letters(bits, length, b"123456789")
}

/// CRC-32 of the body as six base-62 digits, as access tokens of this form end.
fn base62_checksum(body: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let mut rest = !crc;
    let mut tail = [b'0'; 6];
    for place in tail.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    tail.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value of CRC-32/ISO-HDLC is 0xCBF43926 for "123456789".
        let mut number = 0_u64;
        for letter in base62_checksum(b"123456789").bytes() {
            number = number * 62 + BASE62.iter().position(|&digit| digit == letter).unwrap() as u64;
        }
        assert_eq!(number, 0xCBF4_3926);
    }

    #[test]
    fn families_have_their_lengths() {
        for bits in 0..50 {
            let text = secret(bits);
            let expected = match bits % 5 {
                0 => 40,
                1 => 20,
                2 => 32,
                3 => 55,
                _ => 101,
            };
            assert_eq!(text.len(), expected, "{text}");
        }
    }
}
