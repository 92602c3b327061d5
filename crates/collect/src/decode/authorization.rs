//! The `Authorization` header in the forms that shipping tools send (contract 0.2).

use super::base64;

/// Credentials as sent. Secrets, hence no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Basic { user: String, password: String },
    Bearer(String),
}

/// Reads the header. `None` where there is nothing to read as credentials.
pub fn credentials(header: Option<&str>) -> Option<Credentials> {
    let (scheme, value) = header?.trim().split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Bearer(value.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // A colon is of neither base64 alphabet, so this is the unencoded form that the docs allow (G9).
    if value.contains(':') {
        return Some(user_and_password(value));
    }
    let decoded = String::from_utf8(base64::decode(value.as_bytes())?).ok()?;
    Some(user_and_password(&decoded))
}

/// A bare secret without a colon is a user without a password (G8).
fn user_and_password(text: &str) -> Credentials {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Credentials::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, user: &str, password: &str) {
        let expected = Credentials::Basic {
            user: user.into(),
            password: password.into(),
        };
        assert!(credentials(Some(header)) == Some(expected), "{header}");
    }

    #[test]
    fn reads_every_form_in_use() {
        check("Basic VDo=", "T", "");
        check("basic c3ZjOnB3", "svc", "pw");
        check("Basic c2VjcmV0", "secret", "");
        check("Basic svc:pw", "svc", "pw");
        check("Basic YT8_fjo", "a??~", "");
        check("Basic YT8/fjo=", "a??~", "");
        check("Basic dTpwOnc=", "u", "p:w");
        assert!(credentials(Some("Bearer abc")) == Some(Credentials::Bearer("abc".into())));
        for nothing in ["", "Basic", "Digest x", "Basic !!!", "Basic _w=="] {
            assert!(credentials(Some(nothing)).is_none(), "{nothing}");
        }
        assert!(credentials(None).is_none());
    }
}
