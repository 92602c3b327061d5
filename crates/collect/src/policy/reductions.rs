//! The reductions of the policy table, one function each. `None`: nothing of the value may stay.

use super::Reduction;
use super::closed_lists::{self, canonical};
use super::url;
use crate::country::CountryTable;
use crate::json::{Json, Members, NumberText, member, take_member};

/// Longest campaign text, in Unicode scalars.
const CAMPAIGN_SCALARS_MAX: usize = 100;
/// Most classes kept of a DOM node.
const CLASSES_MAX: usize = 8;
/// Most DOM nodes kept of an autocaptured path.
const ELEMENTS_MAX: usize = 32;
/// Lower bounds of width buckets.
const WIDTHS: [u32; 8] = [0, 576, 768, 992, 1200, 1600, 1920, 2560];

pub fn reduce(reduction: Reduction, value: Json, countries: &CountryTable) -> Option<Json> {
    let reduced = match reduction {
        Reduction::Browser => return listed(value, closed_lists::BROWSERS),
        Reduction::Os => return listed(value, closed_lists::OPERATING_SYSTEMS),
        Reduction::Device => return listed(value, closed_lists::DEVICES),
        Reduction::Manufacturer => return listed(value, closed_lists::MANUFACTURERS),
        Reduction::SearchEngine => return listed(value, closed_lists::SEARCH_ENGINES),
        Reduction::MajorVersion => major_version(&value),
        Reduction::Width => width(&value),
        Reduction::Url => text(&value).and_then(url::scrub),
        Reduction::Path => text(&value).map(url::scrub_path),
        Reduction::Host => text(&value).map(url::scrub_host),
        Reduction::QueryString => text(&value).and_then(url::scrub_query),
        Reduction::Referrer => text(&value).and_then(url::referrer),
        Reduction::ReferringDomain => text(&value).and_then(url::registrable_domain),
        Reduction::CountryCode => country_code(&value, countries),
        Reduction::Campaign => return campaign(value),
        Reduction::Day => day(&value),
        Reduction::Elements => return elements(value),
        Reduction::Classes => return Some(classes(value)),
        Reduction::ElementId => text(&value).filter(|id| !url::is_id_like(id)).map(str::to_owned),
        Reduction::Transactions => return transactions(value),
    };
    reduced.map(|text| {
        if reduction_is_number(reduction) {
            Json::Number(NumberText::new(&text))
        } else {
            Json::String(text)
        }
    })
}

fn reduction_is_number(reduction: Reduction) -> bool {
    matches!(reduction, Reduction::MajorVersion | Reduction::Width)
}

fn text(value: &Json) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The canonical spelling, which is mostly the one that was sent.
fn listed(value: Json, list: &[&'static str]) -> Option<Json> {
    let canonical = canonical(list, text(&value)?);
    if value.as_str() == Some(canonical) {
        return Some(value);
    }
    Some(Json::String(canonical.to_owned()))
}

fn campaign(value: Json) -> Option<Json> {
    let trimmed = text(&value)?;
    // Not longer in bytes is not longer in scalars.
    if trimmed.len() <= CAMPAIGN_SCALARS_MAX && value.as_str() == Some(trimmed) {
        return Some(value);
    }
    Some(Json::String(trimmed.chars().take(CAMPAIGN_SCALARS_MAX).collect()))
}

/// `"17.4.1"`, `17.4` and `"v17"` are 17.
fn major_version(value: &Json) -> Option<String> {
    let text = value.scalar_text()?;
    let digits: String = text
        .trim_start_matches(|first: char| !first.is_ascii_digit())
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let major: u32 = digits.parse().ok()?;
    (major < 10_000).then(|| major.to_string())
}

fn width(value: &Json) -> Option<String> {
    let width = value.as_number().filter(|width| *width >= 0.0)?;
    WIDTHS
        .iter()
        .rfind(|bound| f64::from(**bound) <= width)
        .map(u32::to_string)
}

fn country_code(value: &Json, countries: &CountryTable) -> Option<String> {
    let code = text(value)?.to_ascii_uppercase();
    countries.is_country(&code).then_some(code)
}

/// `2024-03-05T10:20:30Z` is `2024-03-05`. A number is left as text of nothing: it cannot be told from a phone number.
fn day(value: &Json) -> Option<String> {
    let day = text(value)?.get(..10)?;
    day.parse::<jiff::civil::Date>().ok().map(|date| date.to_string())
}

/// Keeps of each DOM node its tag, its place among its siblings, a few classes and an id that is none of a person.
fn elements(value: Json) -> Option<Json> {
    let Json::Array(nodes) = value else { return None };
    let nodes = nodes.into_iter().take(ELEMENTS_MAX).filter_map(|node| match node {
        Json::Object(members) => Some(Json::Object(element(members))),
        _ => None,
    });
    Some(Json::Array(nodes.collect()))
}

fn element(mut node: Members) -> Members {
    let mut kept = Members::new();
    for name in [
        "$tag_name",
        "tag_name",
        "$nth_child",
        "nth_child",
        "$nth_of_type",
        "nth_of_type",
    ] {
        if let Some(value) =
            take_member(&mut node, name).filter(|value| !matches!(value, Json::Array(_) | Json::Object(_)))
        {
            kept.push((name.to_owned(), value));
        }
    }
    if let Some(value) = take_member(&mut node, "$classes") {
        kept.push(("$classes".to_owned(), classes(value)));
    }
    if let Some(id) = member(&node, "$id").and_then(text).filter(|id| !url::is_id_like(id)) {
        kept.push(("$id".to_owned(), Json::String(id.to_owned())));
    }
    kept
}

fn classes(value: Json) -> Json {
    let list = match value {
        Json::Array(list) => list,
        Json::String(text) => text
            .split_whitespace()
            .map(|class| Json::String(class.to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    let masked = list.into_iter().take(CLASSES_MAX).filter_map(|class| match class {
        Json::String(class) if url::is_id_like(&class) => Some(Json::String(url::MASK.to_owned())),
        Json::String(class) => Some(Json::String(class)),
        _ => None,
    });
    Json::Array(masked.collect())
}

/// A purchase keeps its time and amount; the other members go through the firewall like any property.
fn transactions(value: Json) -> Option<Json> {
    matches!(value, Json::Array(_) | Json::Object(_)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_text;

    fn check(reduction: Reduction, value: &str, expected: &str) {
        let reduced = reduce(reduction, parse_text(value).unwrap(), &CountryTable::bundled());
        let mut text = String::new();
        reduced.unwrap_or(Json::Null).write_text(&mut text);
        assert_eq!(text, expected, "{value}");
    }

    #[test]
    fn values_become_coarse() {
        check(Reduction::Browser, r#""chrome""#, r#""Chrome""#);
        check(Reduction::Browser, r#""Alice's browser""#, r#""Other""#);
        check(Reduction::MajorVersion, "17.4", "17");
        check(Reduction::MajorVersion, r#""Android 14.0.1""#, "14");
        check(Reduction::MajorVersion, r#""4111111111111111""#, "null");
        check(Reduction::Width, "1440", "1200");
        check(Reduction::Width, r#""320""#, "0");
        check(Reduction::Width, "-5", "null");
        check(Reduction::CountryCode, r#""fr""#, r#""FR""#);
        check(Reduction::CountryCode, r#""Alice""#, "null");
        check(Reduction::Day, r#""2024-03-05T10:20:30Z""#, r#""2024-03-05""#);
        check(Reduction::Day, r#""2024-13-05""#, "null");
        check(Reduction::ReferringDomain, r#""$direct""#, r#""$direct""#);
        check(
            Reduction::Classes,
            r#""btn btn-primary user-1234567""#,
            r#"["btn","btn-primary",":id"]"#,
        );
        check(
            Reduction::Elements,
            r#"[{"$tag_name":"a","$classes":["x"],"$attr-title":"Alice","$id":"main","href":"y"},3]"#,
            r#"[{"$tag_name":"a","$classes":["x"],"$id":"main"}]"#,
        );
    }
}
