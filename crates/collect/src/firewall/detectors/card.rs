//! Payment card numbers: issuer range, length and Luhn together. Luhn alone hits every tenth number.

use super::KeyContext;

pub const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// Whether a card number stands in the text, bare or in groups.
pub fn is_in(text: &str, context: KeyContext) -> bool {
    let mut groups = Groups::default();
    let mut separators = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if separators > 0 || groups.ends.is_empty() {
                    groups.ends.push(groups.digits.len());
                }
                separators = 0;
                groups.digits.push(byte - b'0');
                *groups.ends.last_mut().expect("a group was begun") = groups.digits.len();
            }
            // White space covers line ends inside a number; one separator of each kind may stand between groups.
            b' ' | b'-' | b'\n' | b'\r' | b'\t' if !groups.digits.is_empty() && separators < 3 => separators += 1,
            _ => {
                if groups.hold_card(context) {
                    return true;
                }
                groups.clear();
                separators = 0;
                // Digits glued to letters are part of a word: a digest, a ULID, a tracking number.
                groups.glued = byte.is_ascii_alphanumeric() && at + 1 < text.len();
                continue;
            }
        }
        if separators >= 3 {
            if groups.hold_card(context) {
                return true;
            }
            groups.clear();
            separators = 0;
        }
    }
    groups.hold_card(context)
}

/// A run of digits and where its groups end.
#[derive(Default)]
struct Groups {
    digits: Vec<u8>,
    ends: Vec<usize>,
    /// A letter stands directly before.
    glued: bool,
}

impl Groups {
    fn clear(&mut self) {
        self.digits.clear();
        self.ends.clear();
        self.glued = false;
    }

    /// Whether some neighbouring groups make up a card number.
    fn hold_card(&self, context: KeyContext) -> bool {
        if self.digits.len() < DIGITS_MIN {
            return false;
        }
        if let [_] = self.ends.as_slice() {
            return !self.glued && !context.id_like && is_card(&self.digits);
        }
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.enumerate().take(self.ends.len()).any(|(first, start)| {
            let whole = |end: usize| (DIGITS_MIN..=DIGITS_MAX).contains(&(end - start));
            self.ends[first..].iter().any(|end| {
                whole(*end) && !(context.id_like && *end == self.ends[first]) && is_card(&self.digits[start..*end])
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
