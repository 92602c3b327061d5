//! The parameters beside `data`, from the query string or the form body (contract T5, I4).

use super::form::Fields;

/// What the request asks for. Fields we ignore on purpose: `_`, `test`, `redirect`, `compression`.
#[derive(Default)]
pub struct Parameters {
    /// Non-zero: a JSON reply. Rudder sends 2.
    pub verbose: bool,
    pub strict: bool,
    /// Locate by the request's address where the event has none of its own.
    pub ip: bool,
    /// The reply is an image.
    pub img: bool,
    /// The reply is a call of this (checked) expression.
    pub callback: Option<String>,
    pub project_id: Option<u32>,
    /// The legacy key of `/import`. A secret, hence no `Debug`.
    pub api_key: Option<String>,
}

impl Parameters {
    pub(super) fn from_fields(mut fields: Fields) -> Parameters {
        let mut text = |name: &str| {
            fields
                .remove(name)
                .map(|value| String::from_utf8_lossy(&value).trim().to_owned())
        };
        Parameters {
            verbose: text("verbose").is_some_and(|value| is_on(&value)),
            strict: text("strict").is_some_and(|value| is_on(&value)),
            ip: text("ip").is_some_and(|value| is_on(&value)),
            img: text("img").is_some_and(|value| is_on(&value)),
            callback: text("callback").filter(|value| is_callback(value)),
            project_id: text("project_id").and_then(|value| value.parse().ok()),
            api_key: text("api_key").filter(|value| !value.is_empty()),
        }
    }
}

fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

/// Longest callback expression.
const CALLBACK_BYTES_MAX: usize = 128;

/// Whether the text may be called in a reply (contract T6): `a.b[123]` and the SDK's literal no-op. Anything else would
/// let a link run script in our origin's name.
fn is_callback(text: &str) -> bool {
    if text == "(function(){})" {
        return true;
    }
    text.len() <= CALLBACK_BYTES_MAX && text.split('.').all(is_callback_part)
}

/// An identifier, possibly followed by numbers in brackets.
fn is_callback_part(part: &str) -> bool {
    let (name, mut brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
    while let Some((inside, rest)) = brackets.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if inside.is_empty() || !inside.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        brackets = rest;
    }
    is_name && brackets.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_callbacks_are_called() {
        for good in [
            "f",
            "mixpanel._jsc[12345678]",
            "mixpanel.my_lib._jsc[1]",
            "$a._b",
            "a[1][2]",
            "(function(){})",
        ] {
            assert!(is_callback(good), "{good}");
        }
        let bad = [
            "",
            "1f",
            "a.",
            ".a",
            "a..b",
            "alert(1)",
            "a[b]",
            "a[]",
            "a[1",
            "a]1[",
            "a b",
            "a;b",
            "a[1]b",
            "(function(){alert(1)})",
            "a<script>",
            "é",
        ];
        for text in bad {
            assert!(!is_callback(text), "{text}");
        }
        assert!(!is_callback(&"a".repeat(200)));
    }
}
