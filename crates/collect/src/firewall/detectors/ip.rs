//! IP addresses written out.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a word of the text is an address that belongs to a machine somewhere.
pub fn is_in(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_hexdigit() || matches!(character, '.' | ':');
    let mut rest = text;
    let mut before = None;
    while let Some(start) = rest.find(is_part) {
        before = rest[..start].chars().next_back().or(before.filter(|_| start == 0));
        let word = &rest[start..];
        let length = word.find(|character: char| !is_part(character)).unwrap_or(word.len());
        let after = word[length..].chars().next();
        // Part of a longer word, as in `v1.2.3.4-rc1` or `module::function`.
        let glued = before.is_some_and(char::is_alphanumeric) || after.is_some_and(|next| next.is_alphanumeric());
        if !glued && is_address(word[..length].trim_end_matches(['.', ':'])) {
            return true;
        }
        before = word[..length].chars().next_back();
        rest = &word[length..];
    }
    false
}

fn is_address(word: &str) -> bool {
    let four = word.rsplit_once(':').map_or(word, |(host, port)| {
        if host.contains(':') || port.len() > 5 {
            word
        } else {
            host
        }
    });
    if let Ok(address) = four.parse::<Ipv4Addr>() {
        return address.octets()[0] != 0 && !address.is_loopback();
    }
    // A time of day or a pair of short hex words is no address: at least four groups, or a digit and three.
    let groups = word.split(':').filter(|group| !group.is_empty()).count();
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    groups >= 3 && has_digit && word.parse::<Ipv6Addr>().is_ok_and(|address| !address.is_loopback())
}
