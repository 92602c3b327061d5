//! Property columns: mixed types, odd names, and more properties than there may be columns.

use crate::support::*;
use ::model::Value;
use store::{ColumnKind, ScanRequest, Store, StoreError};

#[test]
fn one_name_with_several_types_has_several_columns() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let values = [
        Value::String("a:b".into()),
        Value::Number(-0.5),
        Value::Bool(true),
        Value::List(vec![Value::Null, Value::String("é".into())]),
    ];
    for (value, step) in values.iter().zip(0..) {
        let mut open = event("open", 1, NOW_MS + step, None);
        open.properties = vec![("odd:name.x".into(), value.clone()), ("null".into(), Value::Null)];
        store.append(record(vec![open])).unwrap();
    }
    for _ in 0..2 {
        let snapshot = store.snapshot(PROJECT);
        let columns: Vec<(&str, ColumnKind, u64)> = snapshot
            .columns()
            .iter()
            .map(|column| (column.physical.as_str(), column.kind, column.rows))
            .collect();
        let expected = [
            ("odd:name.x:string", ColumnKind::String, 1),
            ("odd:name.x:number", ColumnKind::Number, 1),
            ("odd:name.x:bool", ColumnKind::Bool, 1),
            ("odd:name.x:json", ColumnKind::Json, 1),
        ];
        assert_eq!(columns, expected);
        let rows = scan(&snapshot, &everything(&snapshot));
        for ((row, value), (physical, _, _)) in rows.iter().zip(&values).zip(expected) {
            assert_eq!(row.properties.len(), 1);
            assert_eq!(row.properties[physical], *value);
        }
        store.flush().unwrap();
    }
}

#[test]
fn properties_beyond_the_limit_can_be_read_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let mut wide = event("open", 1, NOW_MS, None);
    wide.properties = (0..2_050)
        .map(|n| (format!("p{n}"), Value::Number(f64::from(n))))
        .collect();
    // The name of the column that the others share, as a property of its own.
    wide.properties
        .insert(0, ("overflow".into(), Value::List(vec![Value::Bool(true)])));
    store.append(record(vec![wide])).unwrap();
    let mut late = event("open", 2, NOW_MS, None);
    late.properties = vec![
        ("late \"name\"".into(), Value::String("x".into())),
        ("p3".into(), Value::Bool(true)),
    ];
    late.groups = vec![("company".into(), vec![::model::GroupNumber(u64::MAX)])];
    store.append(record(vec![late])).unwrap();
    let check = |store: &Store| {
        let snapshot = store.snapshot(PROJECT);
        assert_eq!(snapshot.columns().len(), 2_000);
        let wanted = [
            "p3:number",
            "p2049:number",
            "late \"name\":string",
            "p3:bool",
            "overflow:json",
            "never:bool",
        ];
        let request = ScanRequest {
            properties: wanted.iter().map(|name| (*name).to_owned()).collect(),
            with_event: true,
            with_seq: true,
            ..ScanRequest::everything()
        };
        let rows = scan(&snapshot, &request);
        let found: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| row.properties.keys().map(String::as_str).collect())
            .collect();
        assert_eq!(
            found,
            [
                vec!["overflow:json", "p2049:number", "p3:number"],
                vec!["late \"name\":string", "p3:bool"]
            ]
        );
        assert_eq!(rows[0].properties["p2049:number"], Value::Number(2_049.0));
        assert_eq!(
            rows[0].properties["overflow:json"],
            Value::List(vec![Value::Bool(true)])
        );
        let request = ScanRequest {
            properties: vec!["company:group".into()],
            ..request
        };
        for partition in 0..snapshot.scan_count() {
            for batch in snapshot.scan(partition, &request).unwrap() {
                batch.unwrap();
            }
        }
    };
    check(&store);
    store.flush().unwrap();
    check(&store);
    store.close();
    check(&Store::open(options(directory.path())).unwrap());
}

#[test]
fn a_name_without_kind_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = create(options(directory.path()));
    let request = ScanRequest {
        properties: vec!["plan".into()],
        ..ScanRequest::everything()
    };
    let refused = store.snapshot(PROJECT).scan(0, &request);
    assert!(matches!(refused.map(drop), Err(StoreError::Invalid(_))));
}
