//! A number of a report in words, as the end of "persons who are …".

use super::unit;
use model::report::{
    DayCount, FlowCell, FlowNumber, FlowSide, Frequency, FrequencyCell, FunnelCell, FunnelSide, Insights, InsightsCell,
    Lifecycle, LifecycleCell, LifecycleStage, NodeKind, PathStep, Question, Report, ReportCell, Retention,
    RetentionCell, RetentionSide, Segment, Stickiness, StickinessCell, Unit,
};

pub(super) fn words(report: &Report, cell: &ReportCell) -> String {
    match (cell, &report.question) {
        (ReportCell::Insights(cell), Question::Insights(asked)) => insights(asked, cell),
        (ReportCell::Funnel(cell), Question::Funnel(_)) => funnel(cell),
        (ReportCell::Retention(cell), Question::Retention(asked)) => retention(asked, cell),
        (ReportCell::Frequency(cell), Question::Frequency(asked)) => frequency(asked, cell),
        (ReportCell::Stickiness(cell), Question::Stickiness(asked)) => stickiness(asked, cell),
        (ReportCell::Lifecycle(cell), Question::Lifecycle(asked)) => lifecycle(asked, cell),
        (ReportCell::Flow(cell), Question::Flow(_)) => flow(cell),
        // A definition that passed its check has no such pair.
        (_, _) => "behind no number".into(),
    }
}

fn insights(asked: &Insights, cell: &InsightsCell) -> String {
    let letter = char::from(b'A' + cell.metric as u8);
    let mut words = format!("among those whose events metric {letter} is measured over");
    if let Some(bucket) = cell.bucket {
        words.push_str(&format!(" in {}", bucket_words(asked.unit, bucket)));
    }
    if cell.other {
        words.push_str(" in the segments beyond the limit");
    }
    words.push_str(&segment(&cell.segment));
    if cell.previous {
        words.push_str(", in what it is compared to");
    }
    words
}

fn funnel(cell: &FunnelCell) -> String {
    let side = match cell.side {
        FunnelSide::Reached => "reached",
        FunnelSide::DroppedOff => "came no further than",
    };
    let mut words = format!("among those who {side} step {}", cell.step + 1);
    if let Some(bucket) = cell.bucket {
        words.push_str(&format!(" in bucket {}", bucket + 1));
    }
    words + &segment(&cell.segment)
}

fn retention(asked: &Retention, cell: &RetentionCell) -> String {
    let born = bucket_words(asked.unit, cell.bucket);
    let words = match (cell.interval, cell.side) {
        (None, _) => format!("among those born in {born}"),
        (Some(interval), RetentionSide::Returned) => {
            format!("among those born in {born} who returned in interval {interval}")
        }
        (Some(interval), RetentionSide::NotReturned) => {
            format!("among those born in {born} who did not return in interval {interval}")
        }
    };
    words + &segment(&cell.segment)
}

fn frequency(asked: &Frequency, cell: &FrequencyCell) -> String {
    format!(
        "among those active in at least {} of {}{}",
        counted(cell.at_least, unit(asked.part)),
        bucket_words(asked.unit, cell.bucket),
        segment(&cell.segment)
    )
}

fn stickiness(asked: &Stickiness, cell: &StickinessCell) -> String {
    let how = match cell.count {
        DayCount::Exactly => "exactly",
        DayCount::AtLeast => "at least",
    };
    format!(
        "among those active on {how} {} of {}{}",
        counted(cell.days, "day"),
        bucket_words(asked.unit, cell.bucket),
        segment(&cell.segment)
    )
}

fn lifecycle(asked: &Lifecycle, cell: &LifecycleCell) -> String {
    let stage = match cell.stage {
        LifecycleStage::New => "new",
        LifecycleStage::Returning => "returning",
        LifecycleStage::Resurrected => "resurrected",
        LifecycleStage::Dormant => "dormant",
    };
    let bucket = bucket_words(asked.unit, cell.bucket);
    format!("among those {stage} in {bucket}{}", segment(&cell.segment))
}

fn flow(cell: &FlowCell) -> String {
    let words = match &cell.number {
        FlowNumber::Complete => "among those with a path".into(),
        FlowNumber::Incomplete => "among those who started and missed an anchor".into(),
        FlowNumber::Reached { column } => format!("among those whose path has a node in column {}", column + 1),
        FlowNumber::Node { at, side } => {
            let (how, then) = match side {
                FlowSide::Through => ("goes through", ""),
                FlowSide::Began => ("begins at", ""),
                FlowSide::DroppedOff => ("ends at", ", with nothing after it"),
                FlowSide::WindowEnded => ("ends at", ", going on after the window"),
            };
            format!("among those whose path {how} {}{then}", node(at))
        }
        FlowNumber::Link { from, to } => {
            format!("among those whose path goes from {} to {}", node(from), node(to))
        }
        FlowNumber::Path { steps, side } => {
            let steps: Vec<String> = steps.iter().map(node).collect();
            let then = match side {
                FlowSide::Through | FlowSide::Began => "",
                FlowSide::DroppedOff => ", with nothing after it",
                FlowSide::WindowEnded => ", going on after the window",
            };
            format!("among those whose path is {}{then}", steps.join(", then "))
        }
    };
    words + &segment(&cell.segment)
}

fn node(PathStep { column, name }: &PathStep) -> String {
    let column = column + 1;
    match (name.kind, &name.event) {
        (NodeKind::Other, _) => format!("a rare node of column {column}"),
        (NodeKind::More, _) => format!("the further steps of column {column}"),
        (NodeKind::Event, event) => {
            let event = event.as_deref().unwrap_or_default();
            let value = match name.value.as_slice() {
                [] => String::new(),
                values => format!(" ({})", listed(values)),
            };
            format!("\"{event}\"{value} in column {column}")
        }
    }
}

/// `week 3 of the range`.
fn bucket_words(of: Unit, bucket: usize) -> String {
    format!("{} {} of the range", unit(of), bucket + 1)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn segment(segment: &Segment) -> String {
    match segment.as_slice() {
        [] => String::new(),
        values => format!(" in segment {}", listed(values)),
    }
}

fn listed(values: &[Option<serde_json::Value>]) -> String {
    let text = |value: &Option<serde_json::Value>| value.as_ref().map_or("not set".into(), ToString::to_string);
    values.iter().map(text).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn said(question: Value, mut number: Value) -> String {
        number["kind"] = question["kind"].clone();
        let report = json!({"range": {"from": "2026-08-01", "to": "2026-08-31"}, "question": question});
        let report: Report = serde_json::from_value(report).unwrap();
        let cell: ReportCell = serde_json::from_value(number).unwrap();
        report.check().unwrap();
        cell.check(&report).unwrap();
        words(&report, &cell)
    }

    #[test]
    fn every_kind_of_number_is_said() {
        let insights = json!({"kind": "insights", "metrics": [{"measure": "total"}, {"measure": "unique"}], "unit": "day",
            "breakdown": ["properties[\"plan\"]"], "other": true, "compare_previous": true});
        let funnel = json!({"kind": "funnel", "steps": [{}, {}], "window_ms": 1000, "unit": "day"});
        let retention = json!({"kind": "retention", "born": {}, "returning": {}, "unit": "week", "intervals": 3,
            "breakdown": "properties[\"plan\"]"});
        let frequency = json!({"kind": "frequency", "active": {}, "unit": "day", "part": "hour"});
        let stickiness = json!({"kind": "stickiness", "active": {}, "unit": "week"});
        let lifecycle = json!({"kind": "lifecycle", "active": {}, "unit": "month"});
        let flow = json!({"kind": "flow", "anchors": [{"event": "A"}, {"event": "B"}], "before": 1, "after": 1});
        let a = json!({"column": 1, "kind": "event", "event": "A", "value": ["/x", null]});
        let b = json!({"column": 3, "kind": "event", "event": "B"});
        let cases = [
            (
                &insights,
                json!({"metric": 1, "bucket": 2, "segment": ["pro"]}),
                "among those whose events metric B is measured over in day 3 of the range in segment \"pro\"",
            ),
            (
                &insights,
                json!({"metric": 0, "other": true, "previous": true}),
                "among those whose events metric A is measured over in the segments beyond the limit, in what it is \
                 compared to",
            ),
            (
                &funnel,
                json!({"step": 0, "side": "dropped_off", "bucket": 4}),
                "among those who came no further than step 1 in bucket 5",
            ),
            (
                &retention,
                json!({"bucket": 1}),
                "among those born in week 2 of the range",
            ),
            (
                &retention,
                json!({"bucket": 1, "interval": 2, "side": "not_returned", "segment": [null]}),
                "among those born in week 2 of the range who did not return in interval 2 in segment not set",
            ),
            (
                &frequency,
                json!({"bucket": 0, "at_least": 1}),
                "among those active in at least 1 hour of day 1 of the range",
            ),
            (
                &stickiness,
                json!({"bucket": 0, "days": 3}),
                "among those active on exactly 3 days of week 1 of the range",
            ),
            (
                &lifecycle,
                json!({"bucket": 0, "stage": "dormant"}),
                "among those dormant in month 1 of the range",
            ),
            (
                &flow,
                json!({"number": "incomplete"}),
                "among those who started and missed an anchor",
            ),
            (
                &flow,
                json!({"number": {"node": {"at": b, "side": "dropped_off"}}}),
                "among those whose path ends at \"B\" in column 4, with nothing after it",
            ),
            (
                &flow,
                json!({"number": {"link": {"from": a, "to": {"column": 2, "kind": "more"}}}}),
                "among those whose path goes from \"A\" (\"/x\", not set) in column 2 to the further steps of column 3",
            ),
            (
                &flow,
                json!({"number": {"path": {"steps": [a, b]}}}),
                "among those whose path is \"A\" (\"/x\", not set) in column 2, then \"B\" in column 4",
            ),
            (
                &flow,
                json!({"number": {"node": {"at": {"column": 0, "kind": "other"}}}}),
                "among those whose path goes through a rare node of column 1",
            ),
        ];
        for (question, number, expected) in cases {
            assert_eq!(said(question.clone(), number), expected);
        }
    }
}
