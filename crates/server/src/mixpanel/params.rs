//! Parameters of the query API: query string, form body or JSON body, merged, the query string winning.

use crate::error::{ApiError, ApiResult};
use axum::extract::Request;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::Expression;
use model::report::{DateRange, Unit};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest form or JSON body.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Most units that an interval goes back.
const INTERVAL_MAX: usize = 3_660;

#[derive(Clone)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    pub async fn read(request: Request) -> ApiResult<Params> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
            ApiError::new(
                model::ErrorCode::TooLarge,
                format!("the body is larger than {BODY_BYTES_MAX} bytes"),
            )
        })?;
        let mut merged = BTreeMap::new();
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => merged.extend(json_members(&bytes)?),
            Some(_) => merged.extend(form(&String::from_utf8_lossy(&bytes))),
            None => {}
        }
        merged.extend(form(parts.uri.query().unwrap_or("")));
        Ok(Params(merged))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub fn required(&self, name: &str) -> ApiResult<&str> {
        self.text(name)
            .ok_or_else(|| ApiError::invalid("this parameter is required").at(name))
    }

    pub fn number(&self, name: &str, default: usize, max: usize) -> ApiResult<usize> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(ApiError::invalid(format!("give a whole number up to {max}")).at(name)),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true" | "True"))
    }

    /// A list as JSON text; a bare string is a list of one (contract Q8).
    pub fn list(&self, name: &str) -> ApiResult<Option<Vec<String>>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let as_text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(Some(match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(items)) => items.iter().map(as_text).collect(),
            Ok(Value::String(one)) => vec![one],
            _ => vec![text.to_owned()],
        }))
    }

    pub fn json(&self, name: &str) -> ApiResult<Option<Value>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        serde_json::from_str(text)
            .map(Some)
            .map_err(|error| ApiError::invalid(format!("not JSON: {error}")).at(name))
    }

    pub fn expression(&self, name: &str) -> ApiResult<Option<Expression>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        Expression::parse(text)
            .map(Some)
            .map_err(|error| ApiError::new(model::ErrorCode::InvalidExpression, error.to_string()).at(name))
    }

    pub fn unit(&self, default: Unit) -> ApiResult<Unit> {
        parse_unit(self.text("unit"), default)
    }

    /// `from_date` and `to_date`, or the last `interval` units, in the project's time zone (contract Q7, Q14).
    pub fn range(&self, timezone: &str, unit: Unit, now_ms: i64) -> ApiResult<DateRange> {
        let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
        let today = Timestamp::from_millisecond(now_ms)
            .unwrap_or_default()
            .to_zoned(zone.clone())
            .date();
        if self.text("from_date").is_some() || self.text("to_date").is_some() {
            let range = DateRange {
                from: self.date("from_date")?,
                to: self.date("to_date")?,
            };
            // Clients east of us are a day ahead for some hours; later than tomorrow is a mistake (contract EX10).
            if range.to > today.saturating_add(1.day()) {
                return Err(ApiError::invalid("to_date cannot be later than today"));
            }
            return match range.from <= range.to {
                true => Ok(range),
                false => Err(ApiError::invalid("from_date is later than to_date").at("from_date")),
            };
        }
        let interval = self.number("interval", 30, INTERVAL_MAX)?.max(1) as i64;
        let from = match unit {
            Unit::Minute | Unit::Hour => {
                // Without an interval, today; a day more than needed where a clock is changed.
                let length_ms = within_a_day(unit).map_or(0, |unit| unit.length_ms);
                let hours_back = match self.text("interval") {
                    Some(_) => ((interval - 1) * length_ms / 3_600_000 + 1).hours(),
                    None => 0.hours(),
                };
                let back = Timestamp::from_millisecond(now_ms)
                    .unwrap_or_default()
                    .saturating_sub(hours_back);
                back.map_or(today, |start| start.to_zoned(zone.clone()).date())
            }
            Unit::Day => today.saturating_sub((interval - 1).days()),
            Unit::Week => {
                today.saturating_sub(((interval - 1) * 7 + i64::from(today.weekday().to_monday_zero_offset())).days())
            }
            Unit::Month => today.first_of_month().saturating_sub((interval - 1).months()),
            Unit::Quarter => today.first_of_month().saturating_sub((3 * (interval - 1)).months()),
        };
        Ok(DateRange { from, to: today })
    }

    /// Which buckets an `interval` of hours or minutes means; `None` where whole days are asked for.
    pub fn buckets_shown(&self, timezone: &str, unit: Unit, now_ms: i64) -> ApiResult<Option<BucketsShown>> {
        let by_date = self.text("from_date").is_some() || self.text("to_date").is_some();
        let Some(unit) = within_a_day(unit).filter(|_| !by_date && self.text("interval").is_some()) else {
            return Ok(None);
        };
        let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(zone);
        Ok(Some(BucketsShown {
            last: now.strftime(unit.label).to_string(),
            count: self.number("interval", 1, INTERVAL_MAX)?.max(1),
        }))
    }

    pub fn date(&self, name: &str) -> ApiResult<Date> {
        self.required(name)?
            .parse()
            .map_err(|_| ApiError::invalid(format!("Error in {name}: invalid date, give yyyy-mm-dd")))
    }
}

/// The buckets that an interval within days covers.
pub struct BucketsShown {
    /// Label of the bucket that now is in.
    pub last: String,
    pub count: usize,
}

struct WithinADay {
    length_ms: i64,
    /// How its buckets are labelled.
    label: &'static str,
}

fn within_a_day(unit: Unit) -> Option<WithinADay> {
    match unit {
        Unit::Minute => Some(WithinADay {
            length_ms: 60_000,
            label: "%Y-%m-%d %H:%M:00",
        }),
        Unit::Hour => Some(WithinADay {
            length_ms: 3_600_000,
            label: "%Y-%m-%d %H:00:00",
        }),
        Unit::Day | Unit::Week | Unit::Month | Unit::Quarter => None,
    }
}

pub fn parse_unit(text: Option<&str>, default: Unit) -> ApiResult<Unit> {
    Ok(match text {
        None => default,
        Some("minute") => Unit::Minute,
        Some("hour") => Unit::Hour,
        Some("day") => Unit::Day,
        Some("week") => Unit::Week,
        Some("month") => Unit::Month,
        Some("quarter") => Unit::Quarter,
        Some(_) => return Err(ApiError::invalid("give minute, hour, day, week, month or quarter").at("unit")),
    })
}

fn form(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let spaces = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaces)
        .decode_utf8_lossy()
        .into_owned()
}

fn json_members(bytes: &[u8]) -> ApiResult<Vec<(String, String)>> {
    let members: serde_json::Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(method: &str, uri: &str, body: &'static str) -> Params {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(uri)
            .body(body.into())
            .unwrap();
        Params::read(request).await.unwrap()
    }

    #[tokio::test]
    async fn merges_query_form_and_json() {
        let params = read("POST", "/x?event=a%20b&limit=3", "event=other&where=1+%3D%3D+1").await;
        assert_eq!(
            (params.text("event"), params.text("where")),
            (Some("a b"), Some("1 == 1"))
        );
        let params = read("POST", "/x", r#"{"event":["a","b"],"limit":3}"#).await;
        assert_eq!(params.list("event").unwrap().unwrap(), ["a", "b"]);
        assert_eq!(params.number("limit", 1, 10).unwrap(), 3);
        assert!(params.number("limit", 1, 2).is_err());
    }

    #[tokio::test]
    async fn ranges_by_dates_or_interval() {
        let noon = 1_700_049_600_000; // 2023-11-15T12:00:00Z, a Wednesday.
        let range = |uri: &'static str, unit| async move {
            read("GET", uri, "")
                .await
                .range("UTC", unit, noon)
                .map(|r| (r.from.to_string(), r.to.to_string()))
        };
        assert_eq!(
            range("/?interval=2", Unit::Day).await.unwrap(),
            ("2023-11-14".into(), "2023-11-15".into())
        );
        assert_eq!(
            range("/?interval=1", Unit::Week).await.unwrap(),
            ("2023-11-13".into(), "2023-11-15".into())
        );
        assert_eq!(
            range("/?interval=2", Unit::Month).await.unwrap(),
            ("2023-10-01".into(), "2023-11-15".into())
        );
        assert_eq!(
            range("/?interval=13", Unit::Hour).await.unwrap(),
            ("2023-11-14".into(), "2023-11-15".into())
        );
        assert_eq!(
            range("/?interval=12", Unit::Hour).await.unwrap(),
            ("2023-11-15".into(), "2023-11-15".into())
        );
        let shown = read("GET", "/?interval=13", "")
            .await
            .buckets_shown("Asia/Kathmandu", Unit::Hour, noon)
            .unwrap()
            .unwrap();
        assert_eq!((shown.last.as_str(), shown.count), ("2023-11-15 17:00:00", 13));
        assert!(
            range("/?from_date=2023-11-01&to_date=2023-12-01", Unit::Day)
                .await
                .unwrap_err()
                .message
                .contains("to_date cannot be later")
        );
        assert!(
            range("/?from_date=2023-11-01&to_date=x", Unit::Day)
                .await
                .unwrap_err()
                .message
                .contains("to_date")
        );
    }
}
