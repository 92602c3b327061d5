//! Phone numbers in international form. National forms look like any number and need a key that says so.

pub const DIGITS_MIN: usize = 8;
const DIGITS_MAX: usize = 15;

/// Digits of a number with its country code, where a country fixes them.
const LENGTHS: [(&str, std::ops::RangeInclusive<usize>); 16] = [
    ("1", 11..=11),
    ("7", 11..=11),
    ("20", 11..=12),
    ("31", 11..=11),
    ("32", 10..=11),
    ("33", 11..=11),
    ("34", 11..=11),
    ("39", 8..=13),
    ("41", 11..=11),
    ("44", 11..=12),
    ("49", 9..=14),
    ("52", 12..=13),
    ("55", 12..=13),
    ("61", 11..=11),
    ("86", 12..=13),
    ("91", 12..=12),
];

/// Whether a `+` number of the right length stands in the text.
pub fn is_in(text: &str) -> bool {
    text.match_indices('+').any(|(at, _)| {
        // After a word it is a sum or base64.
        let glued = text[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || before == '+');
        !glued && is_number(&text[at + 1..])
    })
}

fn is_number(text: &str) -> bool {
    let mut digits = String::new();
    let mut gap = 0;
    for character in text.chars() {
        match character {
            '0'..='9' => {
                digits.push(character);
                gap = 0;
            }
            ' ' | '-' | '.' | '(' | ')' | '/' | '\n' if gap < 2 => gap += 1,
            letter if letter.is_alphabetic() && gap == 0 => return false,
            _ => break,
        }
    }
    if digits.starts_with('0') || !(DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
        return false;
    }
    let fixed = LENGTHS
        .iter()
        .find(|(country, _)| digits.starts_with(country))
        .map(|(_, lengths)| lengths);
    fixed.is_none_or(|lengths| lengths.contains(&digits.len()))
}
