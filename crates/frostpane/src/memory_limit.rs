//! `--memory`: what the operator gives, and how the server and its vault share it.

use anyhow::bail;
use std::str::FromStr;
use store::{Memory, available_bytes};

/// The least that works: code and idle state of both processes, a request, a flush and a question beside each other.
const LEAST: Size = Size(256 << 20);
/// Where the operating system does not say how much there is.
const UNKNOWN_MACHINE: usize = 1 << 30;
/// Part of the limit that the vault gets, and the least and most of it. Beyond the most it has an index of everybody.
const VAULT_SHARE: usize = 6;
const VAULT_BYTES: std::ops::RangeInclusive<usize> = 64 << 20..=2 << 30;

/// An amount of memory as people write it: `512MiB`, `4GiB`, `1500MB`, or plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = (&text[..digits], text[digits..].trim());
        let factor: usize = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err(format!("'{unit}' is no unit; write an amount like 512MiB or 4GiB")),
        };
        let number: usize = number
            .parse()
            .map_err(|_| "write an amount like 512MiB or 4GiB".to_owned())?;
        let bytes = number.checked_mul(factor).ok_or("that is more than there can be")?;
        Ok(Size(bytes))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} MiB", self.0 >> 20)
    }
}

/// What each of the two processes may have.
pub struct Shares {
    pub server: Memory,
    pub vault_bytes: usize,
}

/// Divides what the operator gave; half of the machine, or of the container, where they gave nothing.
pub fn divide(given: Option<Size>) -> anyhow::Result<Shares> {
    let limit = match given {
        Some(given) if given.0 < LEAST.0 => bail!("--memory is {given}; the server works with {LEAST} and more"),
        Some(given) => given.0,
        None => (available_bytes().unwrap_or(UNKNOWN_MACHINE) / 2).max(LEAST.0),
    };
    let vault_bytes = (limit / VAULT_SHARE).clamp(*VAULT_BYTES.start(), *VAULT_BYTES.end());
    Ok(Shares {
        server: Memory::limited(limit - vault_bytes),
        vault_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        for (text, bytes) in [
            ("268435456", 256 << 20),
            ("512MiB", 512 << 20),
            (" 4 GiB ", 4 << 30),
            ("1500mb", 1_500_000_000),
            ("2g", 2 << 30),
            ("64k", 65_536),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in [
            "",
            "GiB",
            "-1",
            "1.5GiB",
            "4 apples",
            "99999999999999999999",
            "18446744073709551615GiB",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn both_processes_together_have_what_was_given() {
        for given in [256 << 20, 1 << 30, 100 << 30] {
            let shares = divide(Some(Size(given))).unwrap();
            assert_eq!(shares.server.limit_bytes().unwrap() + shares.vault_bytes, given);
            assert!(VAULT_BYTES.contains(&shares.vault_bytes));
        }
        let refused = divide(Some(Size(LEAST.0 - 1))).err().unwrap().to_string();
        assert!(refused.contains("256 MiB"), "{refused}");
        assert!(divide(None).unwrap().server.limit_bytes().unwrap() >= 192 << 20);
    }
}
