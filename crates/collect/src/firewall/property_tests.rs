//! No plant survives in the record that would go to the log, however it is wrapped and wherever it is put.

use super::detectors::tests::{plants, wrappings};
use crate::benchmark::Offline;
use crate::request::{Endpoint, IngestRequest, Method};
use model::{EventTime, Record};
use proptest::prelude::*;

fn record(offline: &Offline, body: &str) -> Record {
    let request = IngestRequest {
        endpoint: Endpoint::Track,
        method: Method::Post,
        query: "",
        content_type: None,
        content_encoding: None,
        authorization: None,
        user_agent: None,
        opted_out: false,
        peer: None,
        body: body.as_bytes(),
    };
    offline
        .record(&request, EventTime(1_710_000_000_000))
        .expect("it is JSON")
}

/// Where a plant is put: JSON text around its quoted form.
const PLACES: [(&str, &str); 9] = [
    (r#"{"event":"e","properties":{"x":"#, "}}"),
    (r#"{"event":"e","properties":{"list":["a",{"b":"#, "}]}}"),
    (r#"{"event":"e","properties":{"a":{"b":{"c":"#, "}}}}"),
    (r#"{"event":"e","properties":{"utm_source":"#, "}}"),
    (r#"{"event":"e","properties":{"$current_url":"#, "}}"),
    (r#"{"event":"e","properties":{"$elements":[{"$tag_name":"#, "}]}}"),
    (r#"{"event":"e","properties":{"$duration":"#, "}}"),
    (r#"{"event":"e","properties":{"#, ":1}}"),
    (r#"{"event":"#, r#","properties":{}}"#),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_plant_survives(seed in any::<u64>()) {
        let offline = Offline::default();
        let mut generator = fastrand::Rng::with_seed(seed);
        for (detector, plant) in plants(&mut generator) {
            for (wrapping, wrapped) in wrappings(&plant) {
                let quoted = serde_json::to_string(&wrapped).unwrap();
                let (before, after) = PLACES[generator.usize(..PLACES.len())];
                let record = record(&offline, &format!("{before}{quoted}{after}"));
                let kept = format!("{record:?}");
                let debug_form = format!("{wrapped:?}");
                prop_assert!(
                    !kept.contains(debug_form.trim_matches('"')) && !kept.contains(&plant),
                    "{} as {} in {}: {}", detector, wrapping, before, kept
                );
                prop_assert_eq!(record.events.len(), 1, "the event stays");
            }
        }
    }
}
