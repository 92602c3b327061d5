//! Sessions, as `model::report::SESSION_TIMEOUT_MS` defines them.

use crate::history::Row;
use model::PersonNumber;

/// For each of `rows`, which session it belongs to; `None` for events of nobody. Sessions are numbered in order of
/// their persons' first rows and then of time.
///
/// `rows` must be all events in the interval of the question, whatever the report's filter says about them.
pub(crate) fn sessions(rows: &[&Row<'_>], timeout_ms: i64) -> Vec<Option<usize>> {
    let mut persons: Vec<PersonNumber> = Vec::new();
    for row in rows {
        if !row.person.is_nobody() && !persons.contains(&row.person) {
            persons.push(row.person);
        }
    }
    let mut sessions = vec![None; rows.len()];
    let mut next = 0;
    for person in persons {
        let mut own: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].person == person).collect();
        own.sort_by_key(|row| (rows[*row].event.time, rows[*row].seq));
        let mut before: Option<i64> = None;
        for row in own {
            let time_ms = rows[row].event.time.0;
            if before.is_none_or(|before_ms| time_ms - before_ms > timeout_ms) {
                next += 1;
            }
            sessions[row] = Some(next - 1);
            before = Some(time_ms);
        }
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, HistoryEvent, rows};
    use crate::surroundings::Surroundings;
    use model::{Event, EventTime};

    #[test]
    fn sessions_are_of_one_person_and_end_with_a_long_gap() {
        let told = [(1, 0), (2, 5), (1, 10), (0, 11), (1, 21), (2, 15), (1, 21), (2, 100)];
        let events = told.iter().zip(1..).map(|((person, time_ms), seq)| HistoryEvent {
            seq,
            event: Event {
                name: "E".into(),
                person: PersonNumber(*person),
                time: EventTime(*time_ms),
                insert_id: None,
                properties: Vec::new(),
                groups: Vec::new(),
            },
        });
        let history = History {
            events: events.collect(),
            ..History::default()
        };
        let around = Surroundings::new(&history, "UTC", EventTime(0));
        let rows = rows(&around);
        let rows: Vec<&Row<'_>> = rows.iter().collect();
        let expected = [Some(0), Some(2), Some(0), None, Some(1), Some(2), Some(1), Some(3)];
        assert_eq!(sessions(&rows, 10), expected);
    }
}
