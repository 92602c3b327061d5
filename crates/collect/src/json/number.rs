//! A number as it was written.

/// The text of a JSON number, in 24 bytes unless it is unusually long.
///
/// Text, because `4111111111111111` and `4.111111111111111e15` are the same double but only digits show a card number,
/// and because an identifier of 19 digits must not be rounded before it is known to be one.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct NumberText(Form);

const INLINE_BYTES_MAX: usize = 22;

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
enum Form {
    Inline { length: u8, bytes: [u8; INLINE_BYTES_MAX] },
    Long(Box<str>),
}

impl NumberText {
    /// Takes text that the parser has checked to be a number.
    pub fn new(text: &str) -> NumberText {
        if text.len() > INLINE_BYTES_MAX {
            return NumberText(Form::Long(text.into()));
        }
        let mut bytes = [0; INLINE_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        NumberText(Form::Inline {
            length: text.len() as u8,
            bytes,
        })
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Inline { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).expect("made from a str, cut at its end")
            }
            Form::Long(text) => text,
        }
    }

    /// The digits of the integer that the number is, if it is one of at most 30 digits: exponents are written out.
    pub fn integer_digits(&self) -> Option<String> {
        let text = self.as_str().trim_start_matches('-');
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let zeros = exponent - fraction.len() as i32;
        if !(0..=30).contains(&zeros) || whole.len() + fraction.len() + zeros as usize > 30 {
            return None;
        }
        Some(format!("{whole}{fraction}{}", "0".repeat(zeros as usize)))
    }
}
