//! URLs without what singles people out (secrecy contract FW-4).
//!
//! Written by hand instead of with a URL parser: the input is whatever a page put there, nothing is ever fetched, and
//! what cannot be taken apart is better lost than normalised.

use std::net::IpAddr;

/// What stands for a path segment or class that looks like an identifier.
pub const MASK: &str = ":id";
/// Longest scrubbed URL.
const URL_BYTES_MAX: usize = 512;
/// Query keys that are kept, besides `utm_*`.
const QUERY_KEYS: [&str; 3] = ["ref", "source", "campaign"];

/// A URL without user-info, fragment, identifiers and unlisted query keys. Schemes other than http keep the scheme only.
pub fn scrub(url: &str) -> Option<String> {
    let Some((scheme, rest)) = split_scheme(url) else {
        // A relative reference is a path.
        return Some(scrub_path(url));
    };
    if scheme != "http" && scheme != "https" {
        return Some(format!("{scheme}:"));
    }
    let rest = rest.trim_start_matches('/');
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let host = scrub_host(authority);
    Some(capped(format!(
        "{scheme}://{host}{}",
        scrub_path(&rest[authority.len()..])
    )))
}

/// A path and its query.
pub fn scrub_path(path: &str) -> String {
    let path = path.split('#').next().unwrap_or("");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut out = String::with_capacity(path.len());
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        out.push_str(mask_segment(segment));
    }
    if let Some(query) = scrub_query(query) {
        out.push('?');
        out.push_str(&query);
    }
    capped(out)
}

/// The allow-listed part of a query string, or nothing.
pub fn scrub_query(query: &str) -> Option<String> {
    let kept: Vec<String> = query
        .trim_start_matches('?')
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| key.starts_with("utm_") || QUERY_KEYS.contains(key))
        .filter(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .map(|(key, value)| format!("{key}={}", mask_segment(value)))
        .collect();
    (!kept.is_empty()).then(|| capped(kept.join("&")))
}

/// The host of an authority, lower case; `ip` for an address; the port stays.
pub fn scrub_host(authority: &str) -> String {
    let host_port = authority.rsplit('@').next().unwrap_or("").to_lowercase();
    let is_port = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if is_port(port) => (host, Some(port)),
        _ => (host_port.as_str(), None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    // Browsers take one number for an IPv4 address too.
    let is_number = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
    let host = if bare.parse::<IpAddr>().is_ok() || is_number {
        "ip".to_owned()
    } else {
        masked_labels(host)
    };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

fn masked_labels(host: &str) -> String {
    let mut out = String::with_capacity(host.len());
    for (at, label) in host.split('.').enumerate() {
        if at > 0 {
            out.push('.');
        }
        out.push_str(mask_segment(label));
    }
    out
}

/// `scheme://registrable-domain/` of a referrer.
pub fn referrer(url: &str) -> Option<String> {
    if url == DIRECT {
        return Some(DIRECT.to_owned());
    }
    let (scheme, rest) = split_scheme(url)?;
    if scheme != "http" && scheme != "https" {
        return Some(format!("{scheme}:"));
    }
    let rest = rest.trim_start_matches('/');
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    Some(format!("{scheme}://{}/", registrable_domain(authority)?))
}

const DIRECT: &str = "$direct";

/// The registrable domain of a host (`mail.google.com` is `google.com`); `$direct` is kept.
pub fn registrable_domain(host: &str) -> Option<String> {
    if host == DIRECT {
        return Some(DIRECT.to_owned());
    }
    let scrubbed = scrub_host(host);
    let host = scrubbed.split(':').next().unwrap_or("").trim_end_matches('.');
    match psl::domain_str(host) {
        Some(domain) => Some(domain.to_owned()),
        None => (host == "ip" || host == "localhost").then(|| host.to_owned()),
    }
}

/// Whether a word looks like an identifier: an e-mail, a UUID, many digits, hex, base64 or noise.
pub fn is_id_like(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if text.len() < NOISE_BYTES_MIN && digits < 5 {
        // Too short for the rest.
        return text.contains('@');
    }
    text.contains('@')
        || digits >= 5
        || is_hex(text)
        || is_base64_like(text)
        // Words joined by dashes are a slug, not noise, so each is looked at on its own.
        || text.split(['-', '_', '.', '+', ' ']).any(is_noise)
}

/// UUIDs and digests: 16 hex digits or more, dashes apart.
fn is_hex(text: &str) -> bool {
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    hex >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_base64_like(text: &str) -> bool {
    let has = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    text.len() >= 20
        && text
            .bytes()
            .all(|byte| crate::decode::base64::is_digit(byte) || byte == b'=')
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

const NOISE_BYTES_MIN: usize = 12;

/// More than 3.5 bits a character over at least 12, with digits or inner capitals: long words alone are no noise.
fn is_noise(part: &str) -> bool {
    let mixed =
        part.bytes().any(|byte| byte.is_ascii_digit()) || part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    part.len() >= NOISE_BYTES_MIN && mixed && entropy_bits(part) > 3.5
}

/// Shannon entropy of the bytes, in bits a byte.
pub fn entropy_bits(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

fn mask_segment(segment: &str) -> &str {
    let is_masked = if segment.contains('%') {
        is_id_like(&percent_encoding::percent_decode_str(segment).decode_utf8_lossy())
    } else {
        is_id_like(segment)
    };
    if is_masked { MASK } else { segment }
}

/// `scheme` in lower case and what follows `:`, for absolute URLs only.
fn split_scheme(url: &str) -> Option<(String, &str)> {
    let (scheme, rest) = url.trim().split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.len() <= 32
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

fn capped(mut url: String) -> String {
    if url.len() > URL_BYTES_MAX {
        let end = (0..=URL_BYTES_MAX)
            .rev()
            .find(|at| url.is_char_boundary(*at))
            .unwrap_or(0);
        url.truncate(end);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_what_singles_out() {
        let check = |url: &str, expected: &str| assert_eq!(scrub(url).as_deref(), Some(expected), "{url}");
        check(
            "https://u:p@Shop.Example/cart?utm_source=mail&sid=9&ref=home#top",
            "https://shop.example/cart?utm_source=mail&ref=home",
        );
        check("https://x.example/users/12345/edit", "https://x.example/users/:id/edit");
        check("https://x.example/u/alice@example.com", "https://x.example/u/:id");
        check(
            "https://x.example/u/alice%40example.com?ref=bob%40example.com",
            "https://x.example/u/:id?ref=:id",
        );
        check(
            "https://x.example/6fa459ea-ee8a-3ca4-894e-db77e160355e",
            "https://x.example/:id",
        );
        check(
            "https://x.example/blog/getting-started-with-behavioural-analytics",
            "https://x.example/blog/getting-started-with-behavioural-analytics",
        );
        check("https://x.example/s/dGhpcyBpcyBhIHNlY3JldA1", "https://x.example/s/:id");
        check("https://x.example/d/9f86d081884c7d65", "https://x.example/d/:id");
        check("http://192.168.1.7:8080/admin", "http://ip:8080/admin");
        check("http://[2001:db8::1]/", "http://ip/");
        check("file:///home/alice/secret.txt", "file:");
        check("javascript:alert(1)", "javascript:");
        check("/relative/123456?q=1", "/relative/:id");
        check("https://x.example?email=a@b.co", "https://x.example");
        check("https://alice@example.com@evil.example/", "https://evil.example/");
    }

    #[test]
    fn referrers_keep_the_registrable_domain() {
        assert_eq!(
            referrer("https://mail.google.co.uk/u/0?q=x").as_deref(),
            Some("https://google.co.uk/")
        );
        assert_eq!(referrer("$direct").as_deref(), Some("$direct"));
        assert_eq!(
            referrer("android-app://com.google.android.gm/").as_deref(),
            Some("android-app:")
        );
        assert_eq!(registrable_domain("www.Example.com").as_deref(), Some("example.com"));
        assert_eq!(registrable_domain("10.0.0.1").as_deref(), Some("ip"));
        assert_eq!(registrable_domain("co.uk"), None);
    }

    #[test]
    fn long_urls_are_cut_at_a_character() {
        let url = scrub(&format!("https://x.example/{}", "é/".repeat(400))).unwrap();
        assert!(url.len() <= URL_BYTES_MAX);
    }
}
