//! What must not be stored, by what it looks like (secrecy contract 4.2).
//!
//! Two stages: one pass over the bytes says which detectors have a chance at all, prefixes of secrets are then searched
//! with Aho-Corasick, and only where something was found does a regular expression or a checksum look closer. Most
//! values of real events end after the first pass. Names and postal addresses are not recognised, and no claim is made
//! about them; free text is refused by its structure instead.

mod card;
mod email;
mod iban;
mod ip;
mod national_id;
mod phone;
mod secrets;
#[cfg(test)]
pub(super) mod tests;

use super::layers;
use crate::json::Json;
use crate::policy::key_words;
use secrets::Secrets;
use std::fmt;

/// What was recognised. The text form names it in counts and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    Email,
    Card,
    Iban,
    Phone,
    NationalId,
    IpAddress,
    OpenAiKey,
    AnthropicKey,
    GithubToken,
    AwsKey,
    StripeKey,
    SlackToken,
    NpmToken,
    PypiToken,
    HuggingFaceToken,
    SendgridKey,
    GoogleKey,
    TwilioKey,
    FrostpaneToken,
    Jwt,
    PrivateKey,
    /// More wrapped text than is looked at.
    TooManyLayers,
}

impl Detector {
    pub fn as_str(self) -> &'static str {
        match self {
            Detector::Email => "email",
            Detector::Card => "card",
            Detector::Iban => "iban",
            Detector::Phone => "phone",
            Detector::NationalId => "national_id",
            Detector::IpAddress => "ip_address",
            Detector::OpenAiKey => "openai_key",
            Detector::AnthropicKey => "anthropic_key",
            Detector::GithubToken => "github_token",
            Detector::AwsKey => "aws_key",
            Detector::StripeKey => "stripe_key",
            Detector::SlackToken => "slack_token",
            Detector::NpmToken => "npm_token",
            Detector::PypiToken => "pypi_token",
            Detector::HuggingFaceToken => "hugging_face_token",
            Detector::SendgridKey => "sendgrid_key",
            Detector::GoogleKey => "google_key",
            Detector::TwilioKey => "twilio_key",
            Detector::FrostpaneToken => "frostpane_token",
            Detector::Jwt => "jwt",
            Detector::PrivateKey => "private_key",
            Detector::TooManyLayers => "too_many_layers",
        }
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the key says, where a value alone is ambiguous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyContext {
    /// Order numbers and the like: bare digits are not a card.
    pub id_like: bool,
    /// Versions: four numbers with dots are not an address.
    pub version_like: bool,
    pub twilio: bool,
}

const ID_LIKE: [&str; 20] = [
    "id",
    "ids",
    "number",
    "no",
    "ref",
    "reference",
    "order",
    "invoice",
    "transaction",
    "sku",
    "code",
    "key",
    "tracking",
    "serial",
    "timestamp",
    "ts",
    "time",
    "ean",
    "gtin",
    "imei",
];
const VERSION_LIKE: [&str; 6] = ["version", "versions", "build", "release", "firmware", "ver"];

impl KeyContext {
    pub fn of(key: &str) -> KeyContext {
        let words = key_words::words(key);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        KeyContext {
            id_like: words.last().is_some_and(|last| ID_LIKE.contains(&last.as_str())),
            version_like: has(&VERSION_LIKE),
            twilio: has(&["twilio"]),
        }
    }
}

/// All detectors, compiled.
pub struct Detectors {
    secrets: Secrets,
    iban: iban::IbanDetector,
}

/// Shorter text can hold nothing that is looked for (`a@b.co`).
const SHORTEST_BYTES: usize = 6;

impl Detectors {
    pub fn new() -> Detectors {
        Detectors {
            secrets: Secrets::new(),
            iban: iban::IbanDetector::new(),
        }
    }

    /// Looks at a text and at every reading of it.
    pub fn find(&self, text: &str, context: KeyContext) -> Option<Detector> {
        if text.len() < SHORTEST_BYTES {
            return None;
        }
        let shape = Shape::of(text);
        if shape.is_harmless() {
            return None;
        }
        layers::search(text, &mut |reading| self.scan(reading, context)).unwrap_or(Some(Detector::TooManyLayers))
    }

    /// Looks at a scalar: numbers by their text and, where they are integers, by their digits.
    pub fn find_in_scalar(&self, value: &Json, context: KeyContext) -> Option<Detector> {
        match value {
            Json::String(text) => self.find(text, context),
            Json::Number(number) => {
                let digits = number
                    .integer_digits()
                    .filter(|digits| digits.len() >= card::DIGITS_MIN)?;
                card::is_in(&digits, context).then_some(Detector::Card)
            }
            _ => None,
        }
    }

    /// One reading, every detector that has a chance.
    fn scan(&self, text: &str, context: KeyContext) -> Option<Detector> {
        let shape = Shape::of(text);
        if let Some(secret) = self.secrets.find(text, &shape, context) {
            return Some(secret);
        }
        if shape.ats > 0 && email::is_in(text) {
            return Some(Detector::Email);
        }
        if shape.digits >= card::DIGITS_MIN && card::is_in(text, context) {
            return Some(Detector::Card);
        }
        if shape.digits >= 10 && shape.letters >= 2 && self.iban.is_in(text) {
            return Some(Detector::Iban);
        }
        if shape.pluses > 0 && shape.digits >= phone::DIGITS_MIN && phone::is_in(text) {
            return Some(Detector::Phone);
        }
        if shape.digits >= 9 && shape.length >= 11 && national_id::is_in(text) {
            return Some(Detector::NationalId);
        }
        if !context.version_like && (shape.dots >= 3 && shape.digits >= 4 || shape.colons >= 2) && ip::is_in(text) {
            return Some(Detector::IpAddress);
        }
        None
    }
}

/// Counts of one pass over the bytes; they decide who looks closer.
pub(super) struct Shape {
    pub length: usize,
    digits: usize,
    letters: usize,
    ats: usize,
    dots: usize,
    pluses: usize,
    colons: usize,
    /// Characters that a wrapping needs: `%`, `&`, `\`, controls, non-ASCII.
    wrapped: bool,
    spaces: usize,
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const WRAPPED: u8 = 3;
const AT: u8 = 4;
const DOT: u8 = 5;
const PLUS: u8 = 6;
const COLON: u8 = 7;
const SPACE: u8 = 8;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        kinds[at] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'%' | b'&' | b'\\' | 0..=0x1f | 0x7f..=0xff => WRAPPED,
            b'@' => AT,
            b'.' => DOT,
            b'+' => PLUS,
            b':' => COLON,
            b' ' => SPACE,
            _ => 0,
        };
        at += 1;
    }
    kinds
};

impl Shape {
    pub(super) fn of(text: &str) -> Shape {
        let mut counts = [0usize; 9];
        for byte in text.bytes() {
            counts[usize::from(KINDS[usize::from(byte)])] += 1;
        }
        Shape {
            length: text.len(),
            digits: counts[usize::from(DIGIT)],
            letters: counts[usize::from(LETTER)],
            ats: counts[usize::from(AT)],
            dots: counts[usize::from(DOT)],
            pluses: counts[usize::from(PLUS)],
            colons: counts[usize::from(COLON)],
            wrapped: counts[usize::from(WRAPPED)] > 0,
            spaces: counts[usize::from(SPACE)],
        }
    }

    /// Short words: too short for a secret or a card, without a sign that any other detector or wrapping needs.
    fn is_harmless(&self) -> bool {
        self.ats == 0
            && !self.wrapped
            && self.length < 8 + self.spaces
            && self.digits < phone::DIGITS_MIN
            && self.colons < 2
            && self.dots < 3
    }
}
