//! A note at a time, which charts over time show.

use super::{InvalidSaved, NAME_CHARS_MAX, check_text, refuse};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ANNOTATION_CHARS_MAX: usize = 500;
pub const TAGS_MAX: usize = 10;
pub const TAG_CHARS_MAX: usize = 40;

/// A note at a time. Stored as JSON of a catalog document of kind `annotation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// The instant; what decides where a chart shows it.
    pub time_ms: i64,
    /// The same as `YYYY-MM-DD HH:MM:SS` in the project's time zone.
    pub date: String,
    /// What happened, as plain text.
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// An annotation as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"date": "2026-08-03 14:00", "description": "Release 2.0", "tags": ["release"]}))]
pub struct AnnotationBody {
    /// `YYYY-MM-DD`, or with a time `YYYY-MM-DD HH:MM[:SS]`, in the project's time zone. A day means its beginning.
    pub date: String,
    /// What happened: 1 to 500 characters of plain text.
    pub description: String,
    /// Words to find it by; at most 10.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl AnnotationBody {
    /// Checks the body and finds its instant. A time that a clock change leaves out moves behind it; one that comes
    /// twice is the first.
    pub fn placed(self, zone: &TimeZone) -> Result<Annotation, InvalidSaved> {
        let description = self.description.trim().to_owned();
        if description.is_empty() {
            return refuse("/description", "say what happened");
        }
        check_text("/description", &description, ANNOTATION_CHARS_MAX)?;
        if self.tags.len() > TAGS_MAX {
            return refuse("/tags", format!("give at most {TAGS_MAX} tags"));
        }
        let mut tags: Vec<String> = Vec::new();
        for (index, tag) in self.tags.iter().map(|tag| tag.trim()).enumerate() {
            if tag.is_empty() || tag.chars().count() > TAG_CHARS_MAX || tag.contains(char::is_control) {
                return refuse(
                    format!("/tags/{index}"),
                    format!("give tags of 1 to {TAG_CHARS_MAX} characters"),
                );
            }
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.to_owned());
            }
        }
        let Some(time) = clock_time(self.date.trim()) else {
            return refuse("/date", "give YYYY-MM-DD or YYYY-MM-DD HH:MM[:SS]");
        };
        let Ok(instant) = zone.to_timestamp(time) else {
            return refuse("/date", "this time is out of range");
        };
        Ok(Annotation {
            time_ms: instant.as_millisecond(),
            date: date_text(instant.as_millisecond(), zone),
            description,
            tags,
        })
    }
}

impl Annotation {
    /// What the list of documents calls it: the beginning of its text, on one line.
    pub fn title(&self) -> String {
        let line = self.description.lines().next().unwrap_or_default();
        line.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
    }
}

fn clock_time(text: &str) -> Option<DateTime> {
    let formats = [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    formats
        .iter()
        .find_map(|format| DateTime::strptime(format, text).ok())
        .or_else(|| {
            text.parse::<jiff::civil::Date>()
                .ok()
                .filter(|_| text.len() == 10)
                .map(DateTime::from)
        })
}

/// An instant as the clock on the wall shows it.
pub fn date_text(time_ms: i64, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(time_ms)
        .map(|instant| zone.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(date: &str, description: &str, tags: &[&str]) -> AnnotationBody {
        AnnotationBody {
            date: date.into(),
            description: description.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn a_date_is_of_the_projects_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let placed = |date: &str| {
            let annotation = body(date, " Release ", &["a", " a ", "b"]).placed(&paris).unwrap();
            assert_eq!((annotation.description.as_str(), annotation.tags.len()), ("Release", 2));
            (annotation.time_ms, annotation.date)
        };
        assert_eq!(placed("2026-08-03"), (1_785_708_000_000, "2026-08-03 00:00:00".into()));
        assert_eq!(placed("2026-08-03 14:05").1, "2026-08-03 14:05:00");
        assert_eq!(placed("2026-08-03T14:05:06"), placed("2026-08-03 14:05:06"));
        // 02:30 is left out on the last Sunday of March, and comes twice on that of October.
        assert_eq!(placed("2026-03-29 02:30").1, "2026-03-29 03:30:00");
        assert_eq!(
            placed("2026-10-25 02:30").0 + 3_600_000,
            placed("2026-10-25 03:00").0 - 1_800_000
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (at, wrong) in [
            ("/date", body("yesterday", "x", &[])),
            ("/date", body("2026-13-01", "x", &[])),
            ("/date", body("2026-02-30 10:00", "x", &[])),
            ("/description", body("2026-01-01", "  ", &[])),
            (
                "/description",
                body("2026-01-01", &"x".repeat(ANNOTATION_CHARS_MAX + 1), &[]),
            ),
            ("/description", body("2026-01-01", "bell \u{7}", &[])),
            ("/tags", body("2026-01-01", "x", &["t"; TAGS_MAX + 1])),
            ("/tags/1", body("2026-01-01", "x", &["a", ""])),
        ] {
            assert_eq!(wrong.clone().placed(&TimeZone::UTC).unwrap_err().at, at, "{wrong:?}");
        }
    }
}
