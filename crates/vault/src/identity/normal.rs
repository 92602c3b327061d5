//! Identity strings: which are usable, how they are stored, and the normal form in which e-mail addresses and phone
//! numbers are found again.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Longest identity in scalars (ID-5). Longer ones are nobody's: cut off, two people could collide.
const IDENTITY_SCALARS_MAX: usize = 255;

/// Values that clients send when they mean "nobody" (Mixpanel contract N6), compared without case.
const REJECTED: [&str; 16] = [
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
];

/// Whether the string names anybody. Everything else is compared byte by byte as it came (ID-5).
pub(super) fn is_usable(text: &str) -> bool {
    let listed = || text == "{}" || REJECTED.iter().any(|rejected| text.eq_ignore_ascii_case(rejected));
    !text.is_empty() && text.chars().nth(IDENTITY_SCALARS_MAX).is_none() && !listed()
}

/// A user id must not look like a device (S3).
pub(super) fn is_usable_user(text: &str) -> bool {
    is_usable(text) && !text.starts_with("$device:")
}

const PLAIN: u8 = 0;
const UUID: u8 = 1;

/// The bytes that are sealed: a lower-case UUID as its 16 bytes, anything else as it is.
pub(super) fn pack(text: &str) -> Zeroizing<Vec<u8>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(1 + text.len()));
    match uuid_bytes(text) {
        Some(uuid) => {
            packed.push(UUID);
            packed.extend_from_slice(&uuid);
        }
        None => {
            packed.push(PLAIN);
            packed.extend_from_slice(text.as_bytes());
        }
    }
    packed
}

pub(super) fn unpack(packed: &[u8]) -> Option<Zeroizing<String>> {
    match packed.split_first()? {
        (&PLAIN, text) => std::str::from_utf8(text)
            .ok()
            .map(|text| Zeroizing::new(text.to_owned())),
        (&UUID, bytes) if bytes.len() == 16 => {
            let mut text = Zeroizing::new(String::with_capacity(36));
            for (at, byte) in bytes.iter().enumerate() {
                if [4, 6, 8, 10].contains(&at) {
                    text.push('-');
                }
                for nibble in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(nibble.into(), 16)?);
                }
            }
            Some(text)
        }
        _ => None,
    }
}

fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let mut nibbles = bytes.iter().filter(|byte| **byte != b'-').map(|byte| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    });
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = (nibbles.next()?? << 4) | nibbles.next()??;
    }
    nibbles.next().is_none().then_some(uuid)
}

/// Which kind of contact a normal form is of; part of the MAC, so the two never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    Email,
    Phone,
}

impl Contact {
    pub(super) fn tag(self) -> &'static [u8] {
        match self {
            Contact::Email => b"email",
            Contact::Phone => b"phone",
        }
    }
}

/// NFKC, lower case, IDNA domain; dots are not folded. `None` when it is no address.
pub(super) fn email(text: &str) -> Option<Zeroizing<String>> {
    // Most user ids are plain and no address; they are not worth folding.
    if text.is_ascii() && !text.contains('@') {
        return None;
    }
    let folded = Zeroizing::new(text.trim().nfkc().collect::<String>().to_lowercase());
    let (local, domain) = folded.rsplit_once('@')?;
    let shaped = !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !folded.chars().any(char::is_whitespace)
        && local.chars().count() <= 64;
    let domain = shaped.then(|| idna::domain_to_ascii(domain).ok()).flatten()?;
    Some(Zeroizing::new(format!("{local}@{domain}")))
}

/// Digits in international form as far as the text says: `+` and `00` are the same, separators fall away.
///
/// A national number stays national; which country it belongs to is not in the text.
pub(super) fn phone(text: &str) -> Option<Zeroizing<String>> {
    let text = text.trim();
    let allowed = |c: char| c.is_ascii_digit() || " +-()./\u{a0}".contains(c);
    if !text.chars().all(allowed) || text.chars().skip(1).any(|c| c == '+') {
        return None;
    }
    let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(char::is_ascii_digit).collect());
    let international = text.starts_with('+') || digits.starts_with("00");
    let bare = if text.starts_with('+') {
        &digits
    } else {
        digits.strip_prefix("00").unwrap_or(&digits)
    };
    if !(7..=15).contains(&bare.len()) {
        return None;
    }
    Some(Zeroizing::new(format!(
        "{}{bare}",
        if international { "+" } else { "" }
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_nobody() {
        for text in [
            "",
            "anon",
            "NULL",
            "Undefined",
            "00000000-0000-0000-0000-000000000000",
            "{}",
            "0",
        ] {
            assert!(!is_usable(text), "{text:?}");
        }
        assert!(is_usable("00"));
        assert!(is_usable(&"é".repeat(255)) && !is_usable(&"é".repeat(256)));
        assert!(!is_usable_user("$device:abc") && is_usable_user("abc") && is_usable("$device:abc"));
    }

    #[test]
    fn packing_loses_nothing() {
        for text in [
            "alice",
            "",
            "123e4567-e89b-12d3-a456-426614174000",
            "123E4567-e89b-12d3-a456-426614174000",
            "123e4567-e89b-12d3-a456-42661417400g",
            "123e4567-e89b-12d3-a456-4266141740000",
            "123e4567-e89b-12d3-a4564266141740000",
        ] {
            assert_eq!(unpack(&pack(text)).unwrap().as_str(), text);
        }
        assert_eq!(pack("123e4567-e89b-12d3-a456-426614174000").len(), 17);
        assert_eq!(pack("123E4567-e89b-12d3-a456-426614174000").len(), 37);
    }

    #[test]
    fn contacts_have_one_form() {
        let same = |a: &str, b: &str| assert_eq!(email(a).unwrap().as_str(), b, "{a}");
        same("Alice@Example.ORG", "alice@example.org");
        same(" ａlice@example.org ", "alice@example.org");
        same("a.lice@bücher.example", "a.lice@xn--bcher-kva.example");
        for text in [
            "alice",
            "@example.org",
            "a b@example.org",
            "alice@localhost",
            "alice@.org",
        ] {
            assert!(email(text).is_none(), "{text}");
        }
        let same = |a: &str, b: &str| assert_eq!(phone(a).unwrap().as_str(), b, "{a}");
        same("+33 6 12 34 56 78", "+33612345678");
        same("0033 (6) 12-34-56-78", "+33612345678");
        same("06.12.34.56.78", "0612345678");
        for text in ["123456", "12345678901234567", "alice", "1+2345678", "call 0612345678"] {
            assert!(phone(text).is_none(), "{text}");
        }
    }
}
