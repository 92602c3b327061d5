//! The parameters of `/engage` that decide which profiles match (contract EN1, EN6, EN9).

use super::super::tokens::Tokens;
use super::Query;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use model::Expression;
use model::expression::Scope;
use model::report::EventSelector;
use query::{Behavior, PeopleFilter};
use serde::Deserialize;

const PAGE_SIZE_DEFAULT: usize = 1000;
const PAGE_SIZE_MIN: usize = 100;
const BEHAVIORS_MAX: usize = 20;
const SELECTORS_MAX: usize = 100;
const WINDOW_DAYS_MAX: i64 = 3_660;

pub struct Asked {
    pub filter: PeopleFilter,
    /// Profiles of groups of this key in place of people's.
    pub group_key: Option<String>,
    /// Tokens; everybody where absent.
    pub ids: Option<Vec<String>>,
    pub order: Option<(String, bool)>,
    pub page_size: usize,
    /// Most profiles over all pages.
    pub limit: usize,
}

impl Asked {
    pub async fn read(query: &Query, tokens: &Tokens) -> ApiResult<Asked> {
        let params = &query.params;
        let expression = match query.expression("where").await? {
            Some(filter) => Some(filter),
            None => query.expression("selector").await?,
        };
        let group_key = params.text("data_group_id").map(str::to_owned);
        if let Some(key) = &group_key
            && !tokens.is_group_key(key)
        {
            return Err(ApiError::invalid("give a group key of this project").at("data_group_id"));
        }
        let behaviors = behaviors(query, tokens)?;
        if group_key.is_some() && !behaviors.is_empty() {
            return Err(ApiError::invalid("behaviors are of people, not of groups").at("behaviors"));
        }
        check_names(expression.as_ref(), &behaviors)?;
        let ids = match params.text("distinct_id") {
            Some(one) => Some(vec![one.to_owned()]),
            None => params.list("distinct_ids")?,
        };
        Ok(Asked {
            filter: PeopleFilter {
                expression,
                behaviors,
                search: params.text("search").map(str::to_owned),
            },
            group_key,
            ids,
            order: order(query)?,
            page_size: params
                .number("page_size", PAGE_SIZE_DEFAULT, 1_000_000)?
                .clamp(PAGE_SIZE_MIN, PAGE_SIZE_DEFAULT),
            limit: params.number("limit", usize::MAX, usize::MAX)?,
        })
    }
}

/// `sort_key` is a property, bare or as `properties["…"]`.
fn order(query: &Query) -> ApiResult<Option<(String, bool)>> {
    let descending = match query.params.text("sort_order") {
        None | Some("ascending" | "asc") => false,
        Some("descending" | "desc") => true,
        Some(_) => return Err(ApiError::invalid("give ascending or descending").at("sort_order")),
    };
    match query.params.expression("sort_key")? {
        None => Ok(None),
        Some(Expression::Property { name, .. }) => Ok(Some((name, descending))),
        Some(_) => Err(ApiError::invalid("give a property").at("sort_key")),
    }
}

#[derive(Deserialize)]
struct BehaviorParam {
    window: String,
    name: String,
    event_selectors: Vec<SelectorParam>,
}

#[derive(Deserialize)]
struct SelectorParam {
    #[serde(default)]
    event: Option<String>,
    /// An expression; empty for all events of the name.
    #[serde(default)]
    selector: Option<String>,
}

fn behaviors(query: &Query, tokens: &Tokens) -> ApiResult<Vec<Behavior>> {
    let refused = |message: String| ApiError::invalid(message).at("behaviors");
    let Some(given) = query.params.json("behaviors")? else {
        return Ok(Vec::new());
    };
    if query.params.text("filter_by_cohort").is_some() {
        return Err(refused("give behaviors or filter_by_cohort, not both".into()));
    }
    let given: Vec<BehaviorParam> = serde_json::from_value(given).map_err(|error| refused(error.to_string()))?;
    if given.len() > BEHAVIORS_MAX
        || given
            .iter()
            .any(|behavior| behavior.event_selectors.len() > SELECTORS_MAX)
    {
        return Err(refused(format!(
            "give at most {BEHAVIORS_MAX} behaviors of {SELECTORS_MAX} selectors"
        )));
    }
    let as_of_ms = as_of_ms(query)?;
    let behavior =
        |given: BehaviorParam| {
            let selectors = given.event_selectors.into_iter().map(|given| {
                let filter = given.selector.filter(|text| !text.trim().is_empty());
                let filter = filter.map(|text| Expression::parse(&text)).transpose();
                let filter = filter.map_err(|error| refused(error.to_string()))?;
                query::named_persons(&filter).map_err(|error| refused(error.to_string()))?;
                Ok(EventSelector {
                    event: given.event.filter(|event| !event.is_empty()),
                    filter: filter.map(|filter| tokens.read(filter)),
                })
            });
            Ok(Behavior {
                name: given.name,
                selectors: selectors.collect::<ApiResult<_>>()?,
                from_ms: as_of_ms.saturating_sub(window_ms(&given.window).ok_or_else(|| {
                    refused("give a window of hours, days or weeks: \"24h\", \"90d\", \"12w\"".into())
                })?),
                // The instant itself is in the window.
                to_ms: as_of_ms.saturating_add(1),
            })
        };
    given.into_iter().map(behavior).collect()
}

fn window_ms(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    };
    let window_ms = count.parse::<u32>().ok().map(i64::from)?.checked_mul(unit_ms)?;
    (1..=WINDOW_DAYS_MAX * 86_400_000)
        .contains(&window_ms)
        .then_some(window_ms)
}

/// The end of every behaviour's window: seconds since 1970, now where none is given.
fn as_of_ms(query: &Query) -> ApiResult<i64> {
    let Some(text) = query.params.text("as_of_timestamp") else {
        return Ok(now().0);
    };
    match text.parse::<f64>() {
        Ok(seconds) if seconds.abs() < 1e11 => Ok((seconds * 1000.0).round() as i64),
        _ => Err(ApiError::invalid("give seconds since 1970").at("as_of_timestamp")),
    }
}

/// A behaviour that did not come along would be not set for everybody, which nobody means.
fn check_names(filter: Option<&Expression>, behaviors: &[Behavior]) -> ApiResult<()> {
    let mut unknown = None;
    if let Some(filter) = filter {
        filter.walk(&mut |part| {
            if let Expression::Property {
                scope: Scope::Behaviors,
                name,
            } = part
                && !behaviors.iter().any(|behavior| behavior.name == *name)
            {
                unknown = Some(name.clone());
            }
        });
    }
    match unknown {
        None => Ok(()),
        Some(name) => Err(ApiError::invalid(format!("behaviors has no {name:?}")).at("where")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_hours_days_or_weeks() {
        let day_ms = 86_400_000;
        for (text, expected) in [
            ("90d", Some(90 * day_ms)),
            ("24h", Some(day_ms)),
            ("2w", Some(14 * day_ms)),
            ("0d", None),
            ("d", None),
            ("", None),
            ("-1d", None),
            ("5m", None),
            ("9999999999d", None),
            ("3661d", None),
            ("9€", None),
        ] {
            assert_eq!(window_ms(text), expected, "{text}");
        }
    }
}
