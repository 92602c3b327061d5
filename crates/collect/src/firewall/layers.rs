//! "Decode once more": the other readings of a string, so that a wrapping does not hide what is inside (FW-5).
//!
//! Each layer yields candidates that are scanned and taken apart again, to depth 3. The work is bounded by a budget of
//! output bytes a value, so a hostile string costs no more than a long one; a value that uses the budget up is refused
//! as a whole, because what was not looked at cannot be called clean.

use crate::decode::base64;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// How many wrappings are taken off.
pub const DEPTH_MAX: usize = 3;
/// Most bytes of decoded text a value may give.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Shortest base64 word inside other text. The whole value is tried from 8 on.
const EMBEDDED_BASE64_BYTES_MIN: usize = 12;
const WHOLE_BASE64_BYTES_MIN: usize = 8;

/// A value's budget was used up before all of its layers were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// Calls `scan` on the text and on every reading of it until one answers.
pub fn search<T>(text: &str, scan: &mut impl FnMut(&str) -> Option<T>) -> Result<Option<T>, Exhausted> {
    let mut budget = OUTPUT_BYTES_MAX + text.len();
    search_at(text, 0, &mut budget, scan)
}

fn search_at<T>(
    text: &str,
    depth: usize,
    budget: &mut usize,
    scan: &mut impl FnMut(&str) -> Option<T>,
) -> Result<Option<T>, Exhausted> {
    *budget = budget.checked_sub(text.len()).ok_or(Exhausted)?;
    if let Some(hit) = scan(text) {
        return Ok(Some(hit));
    }
    if is_plain(text) {
        // Nothing to fold, and no sign of the other wrappings.
        return search_words(text, depth, budget, scan);
    }
    let folded = fold(text);
    if let Cow::Owned(folded) = &folded
        && folded != text
    {
        *budget = budget.checked_sub(folded.len()).ok_or(Exhausted)?;
        if let Some(hit) = scan(folded) {
            return Ok(Some(hit));
        }
    }
    if depth == DEPTH_MAX {
        return Ok(None);
    }
    for layer in [percent, entities, backslashes] {
        if let Some(decoded) = layer(&folded) {
            let hit = search_at(&decoded, depth + 1, budget, scan)?;
            if hit.is_some() {
                return Ok(hit);
            }
        }
    }
    search_words(&folded, depth, budget, scan)
}

/// Whether there is only printable ASCII, and nothing of it that a percent, entity or backslash wrapping needs.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, 0x20..0x7f) && !matches!(byte, b'%' | b'&' | b'\\'))
}

/// The readings of the base64 words of a text.
fn search_words<T>(
    text: &str,
    depth: usize,
    budget: &mut usize,
    scan: &mut impl FnMut(&str) -> Option<T>,
) -> Result<Option<T>, Exhausted> {
    if depth == DEPTH_MAX {
        return Ok(None);
    }
    for decoded in base64_words(text) {
        let hit = search_at(&decoded, depth + 1, budget, scan)?;
        if hit.is_some() {
            return Ok(hit);
        }
    }
    Ok(None)
}

/// NFKC without invisible and control characters, all decimal digits as ASCII, look-alikes of `@` and `.` too.
/// Borrowed where there is nothing to do.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .filter(|character| !is_invisible(*character))
            .nfkc()
            .filter(|character| !is_invisible(*character))
            .map(fold_character)
            .collect(),
    )
}

/// Zero-width characters, soft hyphens, direction marks, variation selectors and controls.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The zero of every script with decimal digits in the basic plane.
const ZEROS: [u32; 36] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

fn fold_character(character: char) -> char {
    let code = character as u32;
    if code < 0x80 {
        return character;
    }
    if let Some(zero) = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)) {
        return char::from(b'0' + (code - zero) as u8);
    }
    match character {
        // Dashes and spaces that NFKC leaves: separators of card numbers.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' => '-',
        // Letters that look like digits where a number was meant.
        '\u{41e}' | '\u{43e}' | '\u{39f}' | '\u{3bf}' => 'o',
        // Ideographic and one-dot full stops.
        '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
        other => other,
    }
}

fn percent(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    (decoded != text).then(|| decoded.into_owned())
}

const ENTITIES: [(&str, char); 12] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("commat", '@'),
    ("period", '.'),
    ("dash", '-'),
    ("hyphen", '-'),
    ("plus", '+'),
    ("lowbar", '_'),
];

/// HTML entities: numeric ones and those that matter inside addresses and keys.
fn entities(text: &str) -> Option<String> {
    if !text.contains('&') || !text.contains(';') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest[1..]
            .split_once(';')
            .and_then(|(name, _)| Some((name.len(), entity(name)?)))
        {
            Some((length, character)) => {
                out.push(character);
                rest = &rest[length + 2..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

fn entity(name: &str) -> Option<char> {
    if name.len() > 12 {
        return None;
    }
    match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
        None => ENTITIES
            .iter()
            .find(|(listed, _)| *listed == name)
            .map(|(_, character)| *character),
    }
}

/// JSON and script escapes: `\u0040`, `\x40`, `\"`, `\/`, `\n`. Line escapes become nothing, as line ends do in `fold`.
fn backslashes(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(kind) = rest.chars().next() else { break };
        rest = &rest[kind.len_utf8()..];
        let digits = match kind {
            'u' => 4,
            'x' => 2,
            'n' | 'r' | 't' | 'b' | 'f' => continue,
            other => {
                out.push(other);
                continue;
            }
        };
        match rest
            .get(..digits)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32)
        {
            Some(character) => {
                out.push(character);
                rest = &rest[digits..];
            }
            None => out.push(kind),
        }
    }
    out.push_str(rest);
    Some(out)
}

/// The base64 words of a text that decode to text again.
fn base64_words(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| base64::is_digit(**byte)).count();
        let minimum = if length == bytes.len() || bytes[at + length..].iter().all(|byte| *byte == b'=') && at == 0 {
            WHOLE_BASE64_BYTES_MIN
        } else {
            EMBEDDED_BASE64_BYTES_MIN
        };
        if length >= minimum {
            let word = &bytes[at..at + length];
            words.extend(base64_text(word));
            // A URL path is of the alphabet as a whole; its parts may be words of their own.
            if word.contains(&b'/') {
                let parts = word
                    .split(|byte| *byte == b'/')
                    .filter(|part| part.len() >= EMBEDDED_BASE64_BYTES_MIN);
                words.extend(parts.filter_map(base64_text));
            }
        }
        at += length + 1;
    }
    words
}

/// The decoded text, where it is text: UTF-8 without control characters other than white space.
fn base64_text(word: &[u8]) -> Option<String> {
    // One left-over digit is no base64; the word may have been cut, and all but its end still decodes.
    let word = if word.len() % 4 == 1 {
        &word[..word.len() - 1]
    } else {
        word
    };
    // Most ids fail at their first bytes, which saves decoding them.
    let head = base64::decode(&word[..word.len().min(8)])?;
    if head
        .iter()
        .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
    {
        return None;
    }
    let text = String::from_utf8(base64::decode(word)?).ok()?;
    text.chars()
        .all(|character| !character.is_control() || character.is_ascii_whitespace())
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, needle: &str) -> bool {
        search(text, &mut |reading| reading.contains(needle).then_some(()))
            .expect("within the budget")
            .is_some()
    }

    #[test]
    fn wrappings_come_off() {
        let wrapped = [
            "a@b.co",
            "a%40b.co",
            "a%2540b.co",
            "a&#64;b.co",
            "a&#x40;b&period;co",
            "a&amp;#64;b.co",
            "YUBiLmNv",
            "x YUBiLmNvIGFuZCBtb3Jl y",
            r"a\u0040b.co",
            r"a\\u0040b.co",
            "a\u{200b}@\u{ad}b.co",
            "ａ＠ｂ．ｃｏ",
            "a@b.\nco",
            "WVVCaUxtTnY=",
            "%59%55%42%69%4c%6d%4e%76",
            r#"{"x":"{\"y\":\"a\\u0040b.co\"}"}"#,
        ];
        for text in wrapped {
            assert!(found(text, "a@b.co"), "{text}");
        }
        assert!(found("٤١١١", "4111"));
        assert!(!found("plain words with nothing", "a@b.co"));
    }

    #[test]
    fn a_hostile_value_is_given_up_on() {
        let hostile = "%25".repeat(20_000);
        let result = search(&hostile, &mut |_| None::<()>);
        assert!(matches!(result, Ok(None) | Err(Exhausted)));
        let nested: String = (0..60_000).map(|at| if at % 13 == 0 { ' ' } else { 'Y' }).collect();
        let _ = search(&nested, &mut |_| None::<()>);
    }
}
