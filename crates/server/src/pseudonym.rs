//! Numbers of persons and groups as tokens, for answers in Mixpanel's shape (secrecy contract, 8.1).
//!
//! A token is the AES-SIV encryption of the number under a key that belongs to one stream (one service account), so
//! that a script can join its own calls and nobody can join two streams. The vault derives the key; `query` keeps it in
//! memory only. AES-SIV also authenticates: a token that this key did not make is refused, not mapped to a stranger.

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use data_encoding::{Encoding, Specification};
use model::{GroupNumber, InsertId, PersonNumber, ProjectId};
use std::sync::LazyLock;

/// What every token begins with.
pub const PREFIX: &str = "fpx";
const VERSION: u8 = 1;
const NUMBER_BYTES: usize = 6;
const SEALED_BYTES: usize = 16 + NUMBER_BYTES;
const TOKEN_BYTES: usize = 1 + 4 + SEALED_BYTES;

static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.translate.from.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    specification.translate.to.push_str("abcdefghijklmnopqrstuvwxyz");
    // The last character of 27 bytes carries bits that nothing uses.
    specification.check_trailing_bits = false;
    specification.encoding().expect("32 distinct symbols are an encoding")
});

/// Makes and reads the tokens of one stream.
pub struct Pseudonyms {
    key: zeroize::Zeroizing<[u8; 64]>,
    project: ProjectId,
    stream_number: u32,
}

impl Pseudonyms {
    /// `stream_number` is shown in clear in every token, to find the key again.
    pub fn new(key: zeroize::Zeroizing<[u8; 64]>, project: ProjectId, stream_number: u32) -> Pseudonyms {
        Pseudonyms {
            key,
            project,
            stream_number,
        }
    }

    pub fn token(&self, person: PersonNumber) -> String {
        self.seal("person", person.0)
    }

    /// The person of a token of this stream; `None` for every other text.
    pub fn person(&self, token: &str) -> Option<PersonNumber> {
        self.open("person", token).map(PersonNumber)
    }

    /// The same number under two keys has two tokens: a company id is no team id.
    pub fn group_token(&self, key: &str, group: GroupNumber) -> String {
        self.seal(&format!("group/{key}"), group.0)
    }

    /// The group of a token of this stream and key; `None` for every other text.
    pub fn group(&self, key: &str, token: &str) -> Option<GroupNumber> {
        self.open(&format!("group/{key}"), token).map(GroupNumber)
    }

    fn seal(&self, kind: &str, number: u64) -> String {
        let number = number.to_be_bytes();
        let sealed = self
            .cipher()
            .encrypt(self.headers(kind), &number[8 - NUMBER_BYTES..])
            .expect("AES-SIV encrypts a few bytes under three headers");
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.stream_number.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        format!("{PREFIX}{}", BASE32.encode(&bytes))
    }

    fn open(&self, kind: &str, token: &str) -> Option<u64> {
        let prefix = token.get(..PREFIX.len())?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let bytes = BASE32.decode(&token.as_bytes()[PREFIX.len()..]).ok()?;
        if bytes.len() != TOKEN_BYTES || bytes[0] != VERSION {
            return None;
        }
        let number = self.cipher().decrypt(self.headers(kind), &bytes[5..]).ok()?;
        Some(number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// An `$insert_id` for a row of this stream: a digest under the stream's key, so that two streams cannot be joined
    /// by it. Hexadecimal, which every client takes.
    pub fn insert_id(&self, id: InsertId) -> String {
        self.digest(b"frostpane/export-insert-id/1", id.0)
    }

    /// An `$insert_id` for a row that came without one: of its place in the log, so that two pulls of it are copies.
    pub fn row_id(&self, seq: u64) -> String {
        self.digest(b"frostpane/export-row-id/1", seq)
    }

    fn digest(&self, header: &[u8], number: u64) -> String {
        let sealed = self
            .cipher()
            .encrypt([header], &number.to_be_bytes())
            .expect("AES-SIV encrypts a few bytes under one header");
        data_encoding::HEXLOWER.encode(&sealed[..16])
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new((&*self.key).into())
    }

    fn headers(&self, kind: &str) -> [Vec<u8>; 4] {
        [
            b"frostpane/export-pseudonym/1".to_vec(),
            self.project.0.to_be_bytes().to_vec(),
            self.stream_number.to_be_bytes().to_vec(),
            kind.as_bytes().to_vec(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(byte: u8) -> Pseudonyms {
        Pseudonyms::new(zeroize::Zeroizing::new([byte; 64]), ProjectId(1), 7)
    }

    #[test]
    fn a_groups_token_is_of_its_key() {
        let token = stream(1).group_token("company_id", GroupNumber(12));
        assert_eq!(stream(1).group("company_id", &token), Some(GroupNumber(12)));
        assert_eq!(stream(1).group("team_id", &token), None);
        assert_eq!(stream(1).person(&token), None);
        assert_eq!(stream(2).group("company_id", &token), None);
        assert_ne!(stream(1).insert_id(InsertId(5)), stream(1).row_id(5));
    }

    #[test]
    fn a_token_names_its_person_in_its_own_stream_only() {
        let token = stream(1).token(PersonNumber(184_467));
        assert_eq!(token.len(), 47);
        assert_eq!(token, stream(1).token(PersonNumber(184_467)));
        assert_eq!(stream(1).person(&token.to_uppercase()), Some(PersonNumber(184_467)));
        assert_eq!(stream(2).person(&token), None);
        let mut altered = token.clone().into_bytes();
        altered[20] = if altered[20] == b'a' { b'b' } else { b'a' };
        assert_eq!(stream(1).person(std::str::from_utf8(&altered).unwrap()), None);
        assert_eq!(stream(1).person("alice@acme.example"), None);
        assert_eq!(stream(1).person("é"), None);
    }
}
