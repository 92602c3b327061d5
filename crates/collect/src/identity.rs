//! Identity strings of events and profile updates, and which of them count (contract S1, N4–N6; secrecy contract ID-4,
//! ID-5).

use crate::json::{Json, Members, take_members};
use vault_client::Personal;

/// Values that SDKs send when they have no id (N6). Compared without regard to case.
const NOT_AN_ID: [&str; 18] = [
    NIL_UUID,
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
    "",
];

const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";
/// Longest of the others, in bytes: `undefined` and `anonymous`.
const LISTED_WORD_BYTES_MAX: usize = 9;

/// Longest identity, in Unicode scalars. A longer one is not cut, because two people could become one.
const SCALARS_MAX: usize = 255;

const DEVICE_PREFIX: &str = "$device:";

/// Whether a value stands for "no id".
pub fn is_listed(text: &str) -> bool {
    let text = text.trim();
    let may_be = text.len() <= LISTED_WORD_BYTES_MAX || text.len() == NIL_UUID.len();
    may_be && NOT_AN_ID.iter().any(|listed| listed.eq_ignore_ascii_case(text))
}

/// Who an event or update says it is about.
#[derive(Clone, Default)]
pub struct Identity {
    pub device: Option<Personal>,
    pub user: Option<Personal>,
}

/// Something about an identity that was not used, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityFault {
    /// On the list of N6.
    NotAnId,
    TooLong,
    /// A `$user_id` that starts with `$device:`.
    DeviceAsUser,
}

impl IdentityFault {
    pub fn as_str(self) -> &'static str {
        match self {
            IdentityFault::NotAnId => "not_an_id",
            IdentityFault::TooLong => "identity_too_long",
            IdentityFault::DeviceAsUser => "device_as_user",
        }
    }
}

impl Identity {
    /// Takes the identity out of an event's properties. The reserved two override `distinct_id` (S1).
    pub fn of_event(properties: &mut Members, faults: &mut Vec<IdentityFault>) -> Identity {
        let [distinct, device, user] = take_members(properties, ["distinct_id", "$device_id", "$user_id"]);
        let device = usable(device, faults);
        let user = usable(user, faults).filter(|text| {
            let is_device = text.starts_with(DEVICE_PREFIX);
            if is_device {
                faults.push(IdentityFault::DeviceAsUser);
            }
            !is_device
        });
        if device.is_none() && user.is_none() {
            return Identity::of_distinct_id(distinct, faults);
        }
        // A device may come with the prefix that only `distinct_id` should have.
        let device = device.map(|text| text.strip_prefix(DEVICE_PREFIX).map(str::to_owned).unwrap_or(text));
        Identity {
            device: device.map(Personal::new),
            user: user.map(Personal::new),
        }
    }

    /// One id of either kind, told apart by its prefix.
    pub fn of_distinct_id(value: Option<Json>, faults: &mut Vec<IdentityFault>) -> Identity {
        let Some(text) = usable(value, faults) else {
            return Identity::default();
        };
        match text.strip_prefix(DEVICE_PREFIX) {
            Some("") => Identity::default(),
            Some(device) => Identity {
                device: Some(Personal::new(device)),
                user: None,
            },
            None => Identity {
                device: None,
                user: Some(Personal::new(text)),
            },
        }
    }
}

fn usable(value: Option<Json>, faults: &mut Vec<IdentityFault>) -> Option<String> {
    let text = value?.into_scalar_text()?;
    let fault = if is_listed(&text) {
        IdentityFault::NotAnId
    } else if text.len() > SCALARS_MAX && text.chars().nth(SCALARS_MAX).is_some() {
        IdentityFault::TooLong
    } else {
        return Some(text);
    };
    faults.push(fault);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_text;

    fn check(properties: &str, device: Option<&str>, user: Option<&str>) {
        let Ok(Json::Object(mut members)) = parse_text(properties) else {
            panic!("{properties}")
        };
        let identity = Identity::of_event(&mut members, &mut Vec::new());
        assert_eq!(identity.device.as_ref().map(Personal::expose), device, "{properties}");
        assert_eq!(identity.user.as_ref().map(Personal::expose), user, "{properties}");
        assert!(members.is_empty(), "nothing of the identity stays");
    }

    #[test]
    fn reserved_properties_win_over_the_distinct_id() {
        check(
            r#"{"distinct_id":"x","$device_id":"d","$user_id":"u"}"#,
            Some("d"),
            Some("u"),
        );
        check(r#"{"distinct_id":"x","$device_id":"d"}"#, Some("d"), None);
        check(r#"{"distinct_id":"x","$user_id":"u"}"#, None, Some("u"));
        check(r#"{"distinct_id":"x"}"#, None, Some("x"));
        check(r#"{"distinct_id":"$device:d"}"#, Some("d"), None);
        check(
            r#"{"distinct_id":12345678901234567890}"#,
            None,
            Some("12345678901234567890"),
        );
        check(r#"{}"#, None, None);
    }

    #[test]
    fn every_listed_value_is_short_or_the_nil_uuid() {
        for listed in NOT_AN_ID {
            assert!(listed == NIL_UUID || listed.len() <= LISTED_WORD_BYTES_MAX, "{listed}");
            assert!(is_listed(&format!(" {} ", listed.to_uppercase())), "{listed}");
        }
    }

    #[test]
    fn what_is_not_an_id_is_nobody() {
        for text in [
            "\"\"",
            "\"Undefined\"",
            "0",
            "-1",
            "false",
            "[]",
            "{}",
            "null",
            "\"$device:\"",
            "\"N/A\"",
        ] {
            check(&format!(r#"{{"distinct_id":{text}}}"#), None, None);
        }
        check(
            r#"{"distinct_id":"u","$user_id":"$device:x","$device_id":"d"}"#,
            Some("d"),
            None,
        );
        check(r#"{"distinct_id":"u","$user_id":"null"}"#, None, Some("u"));
        check(&format!(r#"{{"distinct_id":"{}"}}"#, "é".repeat(256)), None, None);
        let longest = "é".repeat(255);
        check(&format!(r#"{{"distinct_id":"{longest}"}}"#), None, Some(&longest));
    }
}
