//! A board: cards with saved reports and text, laid out in a grid.

use super::report::{check_chart, check_last_days, last_days};
use super::{DESCRIPTION_CHARS_MAX, InvalidSaved, NAME_CHARS_MAX, SavedReportBody, check_text, refuse};
use crate::Expression;
use crate::report::{DateRange, Report};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;

pub const CARDS_MAX: usize = 60;
pub const CARD_TEXT_CHARS_MAX: usize = 4_000;
/// Columns of the grid.
pub const COLUMNS: u8 = 12;
pub const CARD_COLUMNS_MIN: u8 = 3;
pub const CARD_ROWS_MAX: u8 = 8;

/// A board. Its name, number and version stand beside it.
///
/// Cards lie in a grid of 12 columns and flow in their order: each stands right of the one before, and in the next line
/// where it does not fit any more. So no two cards can overlap, the order on screen is the order for a keyboard and a
/// screen reader, and a narrow screen shows the same order in one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "description": "What we look at on Mondays.",
    "range": {"last_days": 30},
    "filter": "properties[\"plan\"] == \"pro\"",
    "cards": [
        {"id": 1, "width": 12, "height": 1, "text": "## Sign-ups\nGoal: **200** a week."},
        {"id": 2, "width": 6, "height": 3, "report": 4, "chart": "columns"},
    ],
}))]
pub struct Board {
    /// What it is for, as plain text.
    #[serde(default)]
    pub description: String,
    /// Takes the place of the range of every report on the board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<BoardRange>,
    /// Applies to every report on the board, as `filter_rule` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
    #[serde(default)]
    pub filter_rule: FilterRule,
    #[serde(default)]
    pub cards: Vec<Card>,
}

/// Days that stay, or days that move with the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum BoardRange {
    Days(DateRange),
    Last(LastDays),
}

/// The last so many days, today included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LastDays {
    pub last_days: u32,
}

/// How the filter of a board meets the filter of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterRule {
    /// Both must hold: a report named "sales of the pro plan" stays one.
    #[default]
    Narrow,
    /// The report's own filter is put aside. Filters of its metrics and steps stay.
    Replace,
}

/// A saved report, or text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Number of the card on its board; stays when cards are moved.
    pub id: u32,
    /// Columns of the 12, at least 3.
    pub width: u8,
    /// Rows of the grid, 1 to 8. A card of text grows with its text.
    pub height: u8,
    /// Shown instead of the name of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Number of a saved report. Either this or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<u64>,
    /// Shown instead of the chart that the report was saved with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// Plain text with a little Markdown: headings, lists, **bold**, *italic*, `code`, links. No HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Board {
    /// Checks what the types cannot express. Whether the reports exist is not asked: one that is deleted later leaves
    /// its card, which then says so.
    pub fn check(&self) -> Result<(), InvalidSaved> {
        check_text("/description", &self.description, DESCRIPTION_CHARS_MAX)?;
        if let Some(range) = self.range {
            range.check("/range")?;
        }
        if self.cards.len() > CARDS_MAX {
            return refuse("/cards", format!("give at most {CARDS_MAX} cards"));
        }
        let mut ids = HashSet::new();
        for (index, card) in self.cards.iter().enumerate() {
            let at = format!("/cards/{index}");
            if card.id == 0 || !ids.insert(card.id) {
                return refuse(format!("{at}/id"), "give every card a number of its own, from 1");
            }
            card.check(&at)?;
        }
        Ok(())
    }

    /// The question of a report as this board asks it on a day; `range` takes the place of the board's own.
    pub fn question(&self, saved: &SavedReportBody, range: Option<BoardRange>, today: Date) -> Report {
        let mut report = saved.asked_on(today);
        if let Some(range) = range.or(self.range) {
            report.range = range.on(today);
        }
        report.filter = match (report.filter.take(), self.filter.clone(), self.filter_rule) {
            (Some(own), Some(ours), FilterRule::Narrow) => Some(own.and(ours)),
            (own, None, _) => own,
            (_, ours, _) => ours,
        };
        report
    }
}

impl BoardRange {
    pub fn check(&self, at: &str) -> Result<(), InvalidSaved> {
        match self {
            BoardRange::Days(days) if days.from > days.to => refuse(at, "'from' is later than 'to'"),
            BoardRange::Days(_) => Ok(()),
            BoardRange::Last(LastDays { last_days }) => check_last_days(&format!("{at}/last_days"), Some(*last_days)),
        }
    }

    /// The days that it means on a day.
    pub fn on(self, today: Date) -> DateRange {
        match self {
            BoardRange::Days(days) => days,
            BoardRange::Last(last) => last_days(last.last_days, today),
        }
    }
}

impl Card {
    fn check(&self, at: &str) -> Result<(), InvalidSaved> {
        if !(CARD_COLUMNS_MIN..=COLUMNS).contains(&self.width) {
            return refuse(
                format!("{at}/width"),
                format!("give {CARD_COLUMNS_MIN} to {COLUMNS} columns"),
            );
        }
        if !(1..=CARD_ROWS_MAX).contains(&self.height) {
            return refuse(format!("{at}/height"), format!("give 1 to {CARD_ROWS_MAX} rows"));
        }
        check_text(
            &format!("{at}/title"),
            self.title.as_deref().unwrap_or(""),
            NAME_CHARS_MAX,
        )?;
        check_chart(&format!("{at}/chart"), self.chart.as_deref())?;
        match (self.report, &self.text) {
            (Some(_), None) => Ok(()),
            (None, Some(text)) => check_text(&format!("{at}/text"), text, CARD_TEXT_CHARS_MAX),
            _ => refuse(at, "give either 'report' or 'text'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TODAY: Date = jiff::civil::date(2026, 8, 31);

    fn board(json: serde_json::Value) -> Board {
        serde_json::from_value(json).unwrap()
    }

    fn saved(filter: Option<&str>) -> SavedReportBody {
        let question = json!({"kind": "insights", "metrics": [{"measure": "total"}], "unit": "day"});
        let range = json!({"from": "2026-01-01", "to": "2026-01-31"});
        let mut report = json!({"range": range, "question": question});
        if let Some(filter) = filter {
            report["filter"] = filter.into();
        }
        serde_json::from_value(json!({"report": report, "last_days": 7})).unwrap()
    }

    fn asked(board: &Board, filter: Option<&str>, range: Option<BoardRange>) -> (String, String, Option<String>) {
        let report = board.question(&saved(filter), range, TODAY);
        let days = report.range;
        (
            days.from.to_string(),
            days.to.to_string(),
            report.filter.map(|filter| filter.to_string()),
        )
    }

    #[test]
    fn a_board_changes_range_and_filter_of_its_reports() {
        let days =
            |from: &str, to: &str, filter: Option<&str>| (from.to_owned(), to.to_owned(), filter.map(str::to_owned));
        let text = |text: &str| Expression::parse(text).unwrap().to_string();
        let plain = board(json!({}));
        assert_eq!(asked(&plain, None, None), days("2026-08-25", "2026-08-31", None));
        let month = board(json!({"range": {"last_days": 30}, "filter": "properties[\"a\"] == 1"}));
        let ours = text("properties[\"a\"] == 1");
        assert_eq!(asked(&month, None, None), days("2026-08-02", "2026-08-31", Some(&ours)));
        let both = text("properties[\"b\"] == 2 and properties[\"a\"] == 1");
        assert_eq!(asked(&month, Some("properties[\"b\"] == 2"), None).2, Some(both));
        let replacing = Board {
            filter_rule: FilterRule::Replace,
            ..month
        };
        assert_eq!(asked(&replacing, Some("properties[\"b\"] == 2"), None).2, Some(ours));
        let replacing_nothing = Board {
            filter: None,
            ..replacing
        };
        assert!(
            asked(&replacing_nothing, Some("properties[\"b\"] == 2"), None)
                .2
                .is_some()
        );
        let other = serde_json::from_value(json!({"from": "2026-05-01", "to": "2026-05-02"})).unwrap();
        assert_eq!(
            asked(&replacing_nothing, None, Some(other)),
            days("2026-05-01", "2026-05-02", None)
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let card = |more: serde_json::Value| {
            let mut card = json!({"id": 1, "width": 6, "height": 3});
            card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"cards": [card]})
        };
        let twice = json!({"cards": [{"id": 1, "width": 6, "height": 3, "report": 1}, {"id": 1, "width": 6, "height": 3, "text": ""}]});
        for (at, wrong) in [
            ("/cards/0", card(json!({}))),
            ("/cards/0", card(json!({"report": 1, "text": "x"}))),
            ("/cards/0/width", card(json!({"report": 1, "width": 2}))),
            ("/cards/0/width", card(json!({"report": 1, "width": 13}))),
            ("/cards/0/height", card(json!({"report": 1, "height": 0}))),
            ("/cards/0/chart", card(json!({"report": 1, "chart": "<b>"}))),
            ("/cards/0/text", card(json!({"text": "\u{0}"}))),
            (
                "/cards/0/text",
                card(json!({"text": "x".repeat(CARD_TEXT_CHARS_MAX + 1)})),
            ),
            ("/cards/0/id", card(json!({"report": 1, "id": 0}))),
            ("/cards/1/id", twice),
            ("/range", json!({"range": {"from": "2026-02-02", "to": "2026-02-01"}})),
            ("/range/last_days", json!({"range": {"last_days": 0}})),
            (
                "/description",
                json!({"description": "x".repeat(DESCRIPTION_CHARS_MAX + 1)}),
            ),
        ] {
            assert_eq!(board(wrong.clone()).check().unwrap_err().at, at, "{wrong}");
        }
        assert_eq!(board(card(json!({"text": "two\nlines"}))).check(), Ok(()));
    }
}
