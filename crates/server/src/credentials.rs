//! Tokens and secrets of machines: how they are made, written down and recognised (secrecy contract, LG-7).
//!
//! `prefix` + 30 random base62 characters + 6 base62 digits of the CRC-32C over both. The checksum lets a scanner tell a real
//! token from a look-alike without asking us; 178 bits of entropy make a plain SHA-256 the right thing to store.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY_CHARS: usize = 30;
const CHECK_CHARS: usize = 6;

/// What a token is for; decides its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Sends events; public by nature.
    Write,
    /// The project's API secret.
    ApiSecret,
    /// A service account's secret.
    ServiceAccount,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            TokenKind::Write => "fpw_",
            TokenKind::ApiSecret => "fpa_",
            TokenKind::ServiceAccount => "fps_",
        }
    }
}

/// Makes a new token from the operating system's randomness.
pub fn new_token(kind: TokenKind) -> Result<String, getrandom::Error> {
    let mut token = kind.prefix().to_owned();
    token.push_str(&random_base62(BODY_CHARS)?);
    let check = checksum(&token);
    Ok(token + &check)
}

/// A random name part, for service account usernames.
pub fn random_base62(chars: usize) -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(chars);
    while text.len() < chars {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        // 248 = 4 × 62: larger bytes would favour the first characters.
        text.extend(
            bytes
                .iter()
                .filter(|byte| **byte < 248)
                .map(|byte| ALPHABET[usize::from(*byte) % 62] as char),
        );
    }
    text.truncate(chars);
    Ok(text)
}

fn checksum(text: &str) -> String {
    let mut rest = crc32c::crc32c(text.as_bytes());
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| *digit as char).collect()
}

/// What is stored of a token.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The user and password of a `Basic` header, in every form that Mixpanel's clients send (contract G8, G9): either
/// base64 alphabet, with or without padding, with or without a colon inside, or not encoded at all.
pub fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, value) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let value = value.trim();
    // ':' is in neither base64 alphabet, so a value that has one is plain text.
    let text = match value.contains(':') {
        true => value.to_owned(),
        false => {
            let bare = value.trim_end_matches('=').as_bytes();
            let bytes = BASE64_NOPAD
                .decode(bare)
                .or_else(|_| BASE64URL_NOPAD.decode(bare))
                .ok()?;
            String::from_utf8(bytes).ok()?
        }
    };
    Some(match text.split_once(':') {
        Some((user, password)) => (user.to_owned(), password.to_owned()),
        None => (text, String::new()),
    })
}

/// The token of a `Bearer` header.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_of_their_kind_and_check_themselves() {
        let token = new_token(TokenKind::Write).unwrap();
        assert!(token.starts_with("fpw_") && token.len() == 40, "{token}");
        let (body, check) = token.split_at(34);
        assert_eq!(checksum(body), check);
        assert_ne!(token, new_token(TokenKind::Write).unwrap());
    }

    #[test]
    fn basic_in_every_form() {
        let check = |header: &str, user: &str, password: &str| {
            assert_eq!(basic(header), Some((user.into(), password.into())), "{header}");
        };
        check("Basic c3ZjOnB3", "svc", "pw");
        check("basic c2VjcmV0", "secret", "");
        check("Basic VDo=", "T", "");
        check("Basic VDo", "T", "");
        check("Basic svc:p:w", "svc", "p:w");
        check("Basic Pz8_Og", "???", "");
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(basic("Basic ****"), None);
    }
}
