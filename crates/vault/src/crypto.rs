//! Keys and what is done with them. Nothing here is our own: XChaCha20-Poly1305, HMAC-SHA-256, HKDF-SHA-256 and
//! Argon2id from RustCrypto, randomness from the operating system (secrecy contract VA-1, VA-2).

mod aad;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use aad::{Aad, FieldPlace};
pub(crate) use record::{DataKey, KeyId};

use crate::error::Fault;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use zeroize::{Zeroize, Zeroizing};

pub(crate) const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// 32 bytes of key, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    pub(crate) fn random() -> Result<Key, Fault> {
        Ok(Key(Zeroizing::new(random_bytes()?)))
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Key> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Key(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA-256 of this key with the given info and no salt (RFC 5869; this key is uniform).
    pub(crate) fn expand<const N: usize>(&self, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
        let mut out = Zeroizing::new([0; N]);
        hkdf(None, self.bytes(), info, &mut *out);
        out
    }

    pub(crate) fn derive(&self, info: &str) -> Key {
        Key(self.expand(&[info.as_bytes()]))
    }

    /// Wraps another key: `nonce 24 ‖ ciphertext 32 ‖ tag 16`.
    pub(crate) fn wrap(&self, aad: &Aad, key: &Key) -> Result<Vec<u8>, Fault> {
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let mut wrapped = nonce.to_vec();
        wrapped.extend(encrypt(self, &nonce, aad, key.bytes()));
        Ok(wrapped)
    }

    pub(crate) fn unwrap(&self, aad: &Aad, wrapped: &[u8]) -> Option<Key> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_BYTES)?;
        Key::from_slice(&decrypt(self, nonce, aad, sealed)?)
    }
}

/// An HMAC-SHA-256 key with its first block done, which halves the cost of short messages.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &Key) -> MacKey {
        MacKey(Hmac::new_from_slice(key.bytes()).expect("HMAC takes keys of any length"))
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn hkdf(salt: Option<&[u8]>, key: &[u8], info: &[&[u8]], out: &mut [u8]) {
    Hkdf::<Sha256>::new(salt, key)
        .expand_multi_info(info, out)
        .expect("fewer than 255 blocks are asked for");
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Bytes of the operating system's, fetched a kilobyte at a time: an import takes eight small ones a person, and a
/// system call for each was a tenth of its time. Nothing is stretched or seeded; each byte is handed out once and wiped.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Fault> {
    const { assert!(N <= RANDOM_BYTES) };
    RANDOM.with_borrow_mut(|(stock, used)| {
        if *used + N > RANDOM_BYTES {
            getrandom::fill(&mut stock[..]).map_err(|_| Fault::Randomness)?;
            *used = 0;
        }
        let mut bytes = [0; N];
        let taken = &mut stock[*used..*used + N];
        bytes.copy_from_slice(taken);
        taken.zeroize();
        *used += N;
        Ok(bytes)
    })
}

const RANDOM_BYTES: usize = 1024;

thread_local! {
    /// The stock of this thread and how much of it is used up; at first all.
    static RANDOM: RefCell<(Zeroizing<[u8; RANDOM_BYTES]>, usize)> =
        RefCell::new((Zeroizing::new([0; RANDOM_BYTES]), RANDOM_BYTES));
}

fn encrypt(key: &Key, nonce: &[u8; NONCE_BYTES], aad: &Aad, plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.bytes().into())
        .encrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: plain,
                aad: aad.bytes(),
            },
        )
        .expect("texts are shorter than 256 GiB")
}

fn decrypt(key: &Key, nonce: &[u8], aad: &Aad, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: sealed,
                aad: aad.bytes(),
            },
        )
        .ok()
        .map(Zeroizing::new)
}
