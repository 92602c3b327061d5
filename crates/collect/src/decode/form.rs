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
    while at < text.len() {
        match text[at] {
            b'+' => out.push(b' '),
            b'%' => match hex_pair(text, at + 1) {
                Some(byte) => {
                    out.push(byte);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    out
}

fn hex_pair(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    Some((digit(at)? << 4 | digit(at + 1)?) as u8)
}
