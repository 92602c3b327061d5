//! International bank account numbers: country, its length, and the remainder modulo 97 (ISO 13616).

use regex::Regex;

/// Lengths by country, from the IBAN registry.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 \
    EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 \
    LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

pub struct IbanDetector {
    form: Regex,
}

impl IbanDetector {
    pub fn new() -> IbanDetector {
        let form = r"(?i)(?-u:\b)[a-z]{2}[ -]?[0-9]{2}(?:[ -]?[a-z0-9]){11,30}";
        IbanDetector {
            form: Regex::new(form).expect("the pattern is tested"),
        }
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.form.find_iter(text).any(|found| is_iban(&text[found.start()..]))
    }
}

/// Whether the text begins with an IBAN. Words that follow a spaced number look like its next group, so the length comes
/// from the country; letters or digits glued to the end make it part of a digest.
fn is_iban(text: &str) -> bool {
    let mut letters = text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric());
    let country: String = letters.by_ref().take(2).map(|(_, c)| c.to_ascii_uppercase()).collect();
    let Some(length) = length_of(&country) else {
        return false;
    };
    let (mut compact, mut end) = (country, 0);
    for (at, letter) in letters.take(length - 2) {
        compact.push(letter.to_ascii_uppercase());
        end = at + 1;
    }
    let glued = text[end..].starts_with(|next: char| next.is_ascii_alphanumeric());
    compact.len() == length && !glued && has_remainder_one(&compact)
}

fn length_of(country: &str) -> Option<usize> {
    LENGTHS
        .split_whitespace()
        .find(|entry| &entry[..2] == country)
        .and_then(|entry| entry[2..].parse().ok())
}

fn has_remainder_one(iban: &str) -> bool {
    let rotated = iban[4..].bytes().chain(iban[..4].bytes());
    let remainder = rotated.fold(0u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    remainder == 1
}
