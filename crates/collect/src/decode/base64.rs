//! Base64 as SDKs send it (contract 0.3, step 6).

const SKIP: u8 = 64;
const END: u8 = 65;
const BAD: u8 = 66;

/// Both alphabets at once; a space is the `+` that a form parser took away; line ends are ignored.
const CODES: [u8; 256] = {
    let mut codes = [BAD; 256];
    let mut at = 0;
    while at < 26 {
        codes[b'A' as usize + at] = at as u8;
        codes[b'a' as usize + at] = 26 + at as u8;
        at += 1;
    }
    at = 0;
    while at < 10 {
        codes[b'0' as usize + at] = 52 + at as u8;
        at += 1;
    }
    codes[b'+' as usize] = 62;
    codes[b'-' as usize] = 62;
    codes[b' ' as usize] = 62;
    codes[b'/' as usize] = 63;
    codes[b'_' as usize] = 63;
    codes[b'\r' as usize] = SKIP;
    codes[b'\n' as usize] = SKIP;
    codes[b'=' as usize] = END;
    codes
};

/// Decodes standard or URL-safe base64 with or without padding. `None` where a byte is of neither alphabet.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut quantum = 0u32;
    let mut held = 0;
    let mut rest = text.iter();
    for byte in rest.by_ref() {
        match CODES[usize::from(*byte)] {
            SKIP => {}
            END => break,
            BAD => return None,
            code => {
                quantum = quantum << 6 | u32::from(code);
                held += 1;
                if held == 4 {
                    out.extend_from_slice(&quantum.to_be_bytes()[1..]);
                    (quantum, held) = (0, 0);
                }
            }
        }
    }
    // After the padding only padding may follow; a space or a line end there is dirt of the transport.
    if rest.any(|byte| !matches!(byte, b'=' | b' ' | b'\r' | b'\n')) {
        return None;
    }
    match held {
        0 => {}
        2 => out.push((quantum >> 4) as u8),
        3 => out.extend_from_slice(&((quantum >> 2) as u16).to_be_bytes()),
        _ => return None,
    }
    Some(out)
}

/// Whether the byte is of either alphabet (padding is not).
pub fn is_digit(byte: u8) -> bool {
    byte != b' ' && CODES[usize::from(byte)] < SKIP
}
