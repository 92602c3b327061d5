//! The form of everything sealed (secrecy contract 2.3):
//!
//! `magic 'F' | version | suite | key_id 16 | commit 16 | nonce 24 | ciphertext | tag 16`
//!
//! The AEAD does not commit to its key, so `commit` does: it is compared before opening, and a record made under
//! another key with the same id is refused even where its tag would verify. Texts are padded, because the length of an
//! e-mail address identifies within a small set.

use super::{Aad, Key, NONCE_BYTES, TAG_BYTES, decrypt, encrypt, random_bytes};
use crate::error::Fault;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) const SUITE_XCHACHA: u8 = 1;
const MAGIC: u8 = b'F';
const VERSION: u8 = 1;
const COMMIT_BYTES: usize = 16;
const KEY_ID_AT: usize = 3;
const COMMIT_AT: usize = KEY_ID_AT + 16;
const NONCE_AT: usize = COMMIT_AT + COMMIT_BYTES;
const SEALED_AT: usize = NONCE_AT + NONCE_BYTES;

/// Names a data key: 8 bytes of serial, big-endian, and 8 random ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub [u8; 16]);

impl KeyId {
    pub(crate) fn new(serial: u64) -> Result<KeyId, Fault> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&serial.to_be_bytes());
        id[8..].copy_from_slice(&random_bytes::<8>()?);
        Ok(KeyId(id))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<KeyId> {
        bytes.try_into().ok().map(KeyId)
    }
}

/// A key that seals texts of one person, one group or one purpose.
#[derive(Clone)]
pub(crate) struct DataKey {
    id: KeyId,
    key: Key,
    commit: [u8; COMMIT_BYTES],
}

impl DataKey {
    pub(crate) fn new(id: KeyId, key: Key) -> DataKey {
        let commit = *key.expand(&[b"commit", &id.0]);
        DataKey { id, key, commit }
    }

    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    pub(crate) fn seal(&self, aad: &Aad, text: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let sealed = encrypt(&self.key, &nonce, aad, &padded(text));
        let mut record = Vec::with_capacity(SEALED_AT + sealed.len());
        record.extend_from_slice(&[MAGIC, VERSION, SUITE_XCHACHA]);
        record.extend_from_slice(&self.id.0);
        record.extend_from_slice(&self.commit);
        record.extend_from_slice(&nonce);
        record.extend_from_slice(&sealed);
        Ok(record)
    }

    /// Opens a record of this key at this place; `None` for anything else, without saying which part was wrong.
    pub(crate) fn open(&self, aad: &Aad, record: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if record.len() < SEALED_AT + TAG_BYTES || record[..KEY_ID_AT] != [MAGIC, VERSION, SUITE_XCHACHA] {
            return None;
        }
        let same_key = record[KEY_ID_AT..COMMIT_AT].ct_eq(&self.id.0);
        let committed = record[COMMIT_AT..NONCE_AT].ct_eq(&self.commit);
        if !bool::from(same_key & committed) {
            return None;
        }
        let mut plain = decrypt(&self.key, &record[NONCE_AT..SEALED_AT], aad, &record[SEALED_AT..])?;
        let text_length = plain
            .iter()
            .rposition(|byte| *byte != 0)
            .filter(|at| plain[*at] == PAD)?;
        plain.truncate(text_length);
        Some(plain)
    }
}

/// Ends the text inside the padding (ISO/IEC 7816-4): one 0x80, then zeros.
const PAD: u8 = 0x80;

fn padded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(vec![0; padded_length(text.len() + 1)]);
    plain[..text.len()].copy_from_slice(text);
    plain[text.len()] = PAD;
    plain
}

/// 32, 64, 128, 256, then multiples of 256.
fn padded_length(length: usize) -> usize {
    match length {
        0..=32 => 32,
        33..=64 => 64,
        65..=128 => 128,
        _ => length.next_multiple_of(256),
    }
}
