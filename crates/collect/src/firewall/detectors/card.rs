//! Payment card numbers: issuer range, length and Luhn together. Luhn alone hits every tenth number.

use super::KeyContext;

pub const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// Most separators between two groups: a dash with a space on either side.
const SEPARATORS_MAX: usize = 3;

/// Whether a card number stands in the text, bare or in groups.
pub fn is_in(text: &str, context: KeyContext) -> bool {
    let mut run = Run::default();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => run.push(byte - b'0'),
            // White space covers line ends inside a number.
            b' ' | b'-' | b'\n' | b'\r' | b'\t' if run.separators < SEPARATORS_MAX => run.separators += 1,
            _ => {
                if run.holds_card(byte.is_ascii_alphabetic(), context) {
                    return true;
                }
                run = Run {
                    glued: byte.is_ascii_alphabetic(),
                    ..Run::default()
                };
            }
        }
    }
    run.holds_card(false, context)
}

/// Groups of digits with separators between them.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    /// Where each group starts and ends in `digits`.
    groups: Vec<(usize, usize)>,
    /// Separators since the last digit.
    separators: usize,
    /// A letter stands directly before the first group. Digits glued to letters are part of a word: a digest, a ULID,
    /// a tracking number.
    glued: bool,
}

impl Run {
    fn push(&mut self, digit: u8) {
        let at = self.digits.len();
        self.digits.push(digit);
        match self.groups.last_mut() {
            Some((_, end)) if self.separators == 0 => *end = at + 1,
            _ => {
                if self.groups.is_empty() && self.separators > 0 {
                    self.glued = false;
                }
                self.groups.push((at, at + 1));
            }
        }
        self.separators = 0;
    }

    /// Whether some neighbouring groups make up a card number. `letter_follows` the last digit or separator.
    fn holds_card(&self, letter_follows: bool, context: KeyContext) -> bool {
        if self.digits.len() < DIGITS_MIN {
            return false;
        }
        let first = usize::from(self.glued);
        let last = self.groups.len() - usize::from(letter_follows && self.separators == 0);
        (first..last).any(|from| {
            let start = self.groups[from].0;
            let within = self.groups[from..last]
                .iter()
                .take_while(|(_, end)| end - start <= DIGITS_MAX);
            within.enumerate().any(|(more, (_, end))| {
                let is_bare = more == 0;
                !(is_bare && context.id_like) && end - start >= DIGITS_MIN && is_card(&self.digits[start..*end])
            })
        })
    }
}

fn is_card(digits: &[u8]) -> bool {
    has_issuer(digits) && luhn(digits)
}

/// Issuer ranges with the lengths they are given out in.
fn has_issuer(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits[..length]
            .iter()
            .fold(0u32, |prefix, digit| prefix * 10 + u32::from(*digit))
    };
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    match digits.len() {
        13 => digits[0] == 4,
        14 => (300..=305).contains(&three) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            digits[0] == 4
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || four == 6011
                || (644..=649).contains(&three)
                || matches!(two, 62 | 65)
                || (3528..=3589).contains(&four)
        }
        17 | 18 => two == 62,
        19 => digits[0] == 4 || two == 62,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 % 10 + digit / 5,
        })
        .sum();
    sum.is_multiple_of(10)
}
