//! `application/x-www-form-urlencoded`, read without judging.

use hashbrown::HashMap;

/// Field values as bytes: percent-decoded, `+` as space. The first of a repeated name wins.
pub type Fields = HashMap<String, Vec<u8>>;

/// More fields than any SDK sends; the rest is not read, so that a hostile body cannot fill a map.
const FIELDS_MAX: usize = 64;

pub fn fields(text: &[u8]) -> Fields {
    let mut fields = Fields::new();
    for pair in text.split(|byte| *byte == b'&').take(FIELDS_MAX) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or(&[]));
        if name.is_empty() {
            continue;
        }
        fields
            .entry(String::from_utf8_lossy(&decode(name)).into_owned())
            .or_insert_with(|| decode(value));
    }
    fields
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match text.get(at..at + 2).and_then(hex_pair) {
                Some(byte) => {
                    out.push(byte);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            byte => out.push(*byte),
        }
    }
    out
}

/// Values of hex digits; 16 and more for every other byte.
const HEX: [u8; 256] = {
    let mut values = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let (high, low) = (HEX[usize::from(digits[0])], HEX[usize::from(digits[1])]);
    (high < 16 && low < 16).then_some(high << 4 | low)
}
