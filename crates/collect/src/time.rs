//! Times as SDKs write them (contract N1, N2, I13).

use crate::json::Json;
use model::EventTime;

/// How far ahead of ours a client's clock may be before a strict import refuses the event (I13).
pub const FUTURE_MS_MAX: i64 = 60 * 60 * 1000;
/// 1971-01-01: before it, a "time" is a client without a clock (I10).
const EARLIEST_MS: i64 = 365 * 24 * 60 * 60 * 1000;

/// What a time value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTime {
    Missing,
    /// Not a number, or before 1971.
    Invalid,
    At(EventTime),
}

/// Reads seconds, milliseconds, microseconds or nanoseconds, told apart by size; a numeric string is a number.
pub fn client_time(value: Option<&Json>) -> ClientTime {
    let value = match value {
        None | Some(Json::Null) => return ClientTime::Missing,
        Some(value) => value,
    };
    let Some(number) = value.as_number() else {
        return ClientTime::Invalid;
    };
    let ms = match number {
        ns if ns >= 1e17 => ns / 1e6,
        us if us >= 1e14 => us / 1e3,
        ms if ms >= 1e11 => ms,
        seconds => seconds * 1e3,
    };
    let ms = ms.round() as i64;
    if ms < EARLIEST_MS {
        ClientTime::Invalid
    } else {
        ClientTime::At(EventTime(ms))
    }
}

/// The instant an event is stored at: arrival where the client gave none that can be true (tricky point 15).
pub fn stored_time(time: ClientTime, received: EventTime) -> EventTime {
    match time {
        ClientTime::At(time) => time.min(received),
        ClientTime::Missing | ClientTime::Invalid => received,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_text;

    fn read(text: &str) -> ClientTime {
        client_time(Some(&parse_text(text).unwrap()))
    }

    #[test]
    fn units_are_told_apart_and_fractions_kept() {
        for text in [
            "1700000000.123",
            "1700000000123",
            "1700000000123000",
            "1700000000123000000",
            "\"1700000000.123\"",
        ] {
            assert_eq!(read(text), ClientTime::At(EventTime(1_700_000_000_123)), "{text}");
        }
        assert_eq!(read("99999999999"), ClientTime::At(EventTime(99_999_999_999_000)));
        for text in ["0", "-1", "\"\"", "\"now\"", "true", "[]", "31535999", "\"NaN\""] {
            assert_eq!(read(text), ClientTime::Invalid, "{text}");
        }
        assert_eq!(read("null"), ClientTime::Missing);
        assert_eq!(client_time(None), ClientTime::Missing);
    }

    #[test]
    fn the_future_is_now() {
        let now = EventTime(1_700_000_000_000);
        assert_eq!(stored_time(read("1800000000"), now), now);
        assert_eq!(stored_time(read("1e300"), now), now);
        assert_eq!(stored_time(read("1600000000"), now), EventTime(1_600_000_000_000));
        assert_eq!(stored_time(ClientTime::Invalid, now), now);
    }
}
