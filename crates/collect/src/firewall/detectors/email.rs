//! E-mail addresses: a local part, a host, and a suffix of the public suffix list, so that `user@host` in a log line or
//! `name@2x.png` is none.

/// Longest host looked at, in bytes.
const HOST_BYTES_MAX: usize = 253;

/// Whether an e-mail address stands in the text. A quoted local part counts by its closing quote.
pub fn is_in(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let local = text[..at].chars().next_back();
        if !local.is_some_and(|last| last.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-\"".contains(last)) {
            return false;
        }
        let rest = &text[at + 1..];
        // Internationalised hosts are hosts: letters and digits of any script.
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || c == '\u{200c}';
        let length = rest
            .char_indices()
            .find(|(at, c)| !is_part(*c) || *at > HOST_BYTES_MAX)
            .map_or(rest.len(), |(at, _)| at);
        has_public_suffix(&rest[..length].to_lowercase())
    })
}

/// Text after an address is not part of it (`a@b.com.thanks`), so shorter hosts count too.
fn has_public_suffix(host: &str) -> bool {
    let host = host.trim_end_matches(['-', '_', '.']);
    let mut end = host.len();
    loop {
        let candidate = &host[..end];
        if is_host(candidate) {
            return true;
        }
        match candidate.rfind('.') {
            Some(dot) => end = dot,
            None => return false,
        }
    }
}

fn is_host(host: &str) -> bool {
    let ascii = if host.is_ascii() {
        Ok(host.to_owned())
    } else {
        idna::domain_to_ascii(host)
    };
    let known = |host: &str| psl::domain(host.as_bytes()).is_some_and(|domain| domain.suffix().is_known());
    known(host) || ascii.is_ok_and(|ascii| known(&ascii))
}
