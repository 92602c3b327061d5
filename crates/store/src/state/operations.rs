//! The profile operations of the Mixpanel wire, exactly (contract 2.2).

use model::{ProfileOp, Value};
use std::collections::BTreeMap;

/// Most properties a profile holds. A property beyond it is dropped, the rest of the update applies (P9).
pub(crate) const PROPERTIES_MAX: usize = 2_000;

type Properties = BTreeMap<String, Value>;

/// Whether the operation makes a profile that is not there yet (P3).
pub(super) fn creates(op: &ProfileOp) -> bool {
    !matches!(op, ProfileOp::Delete | ProfileOp::Unset(_) | ProfileOp::Remove(_))
}

/// Changes the properties. `Delete` is the caller's: it takes the whole profile away.
pub(super) fn apply(properties: &mut Properties, op: &ProfileOp) {
    match op {
        ProfileOp::Set(values) => {
            for (name, value) in values {
                put(properties, name, || value.clone());
            }
        }
        ProfileOp::SetOnce(values) => {
            for (name, value) in values {
                if !properties.contains_key(name) {
                    put(properties, name, || value.clone());
                }
            }
        }
        ProfileOp::Add(amounts) => {
            for (name, amount) in amounts {
                add(properties, name, *amount);
            }
        }
        ProfileOp::Append(values) => {
            for (name, value) in values {
                append(properties, name, value);
            }
        }
        ProfileOp::Union(lists) => {
            for (name, values) in lists {
                union(properties, name, values);
            }
        }
        ProfileOp::Remove(values) => {
            for (name, value) in values {
                if let Some(Value::List(items)) = properties.get_mut(name) {
                    items.retain(|item| item != value);
                }
            }
        }
        ProfileOp::Unset(names) => {
            for name in names {
                properties.remove(name);
            }
        }
        ProfileOp::Merge(values) => {
            for (name, value) in values {
                match properties.get_mut(name) {
                    Some(present) => merge(present, value),
                    None => put(properties, name, || value.clone()),
                }
            }
        }
        ProfileOp::Delete => {}
    }
}

fn put(properties: &mut Properties, name: &str, value: impl FnOnce() -> Value) {
    if let Some(present) = properties.get_mut(name) {
        *present = value();
    } else if properties.len() < PROPERTIES_MAX {
        properties.insert(name.to_owned(), value());
    }
}

/// A missing property counts as 0; one that is no number is left alone.
fn add(properties: &mut Properties, name: &str, amount: f64) {
    match properties.get_mut(name) {
        Some(Value::Number(number)) => {
            // A sum that overflows would be no JSON number any more.
            let sum = *number + amount;
            if sum.is_finite() {
                *number = sum;
            }
        }
        Some(_) => {}
        None => put(properties, name, || Value::Number(amount)),
    }
}

fn append(properties: &mut Properties, name: &str, value: &Value) {
    match properties.get_mut(name) {
        Some(Value::List(items)) => items.push(value.clone()),
        // `[old, new]` is not made of a scalar: the operation is ignored, as upstream.
        Some(_) => {}
        None => put(properties, name, || Value::List(vec![value.clone()])),
    }
}

fn union(properties: &mut Properties, name: &str, values: &[Value]) {
    match properties.get_mut(name) {
        Some(Value::List(items)) => add_missing(items, values),
        Some(_) => {}
        None => put(properties, name, || {
            let mut items = Vec::new();
            add_missing(&mut items, values);
            Value::List(items)
        }),
    }
}

fn add_missing(items: &mut Vec<Value>, values: &[Value]) {
    for value in values {
        if !items.contains(value) {
            items.push(value.clone());
        }
    }
}

/// Objects merge member by member; anything else is overwritten.
fn merge(present: &mut Value, value: &Value) {
    match (present, value) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                match members.iter_mut().find(|(member, _)| member == name) {
                    Some((_, member)) => merge(member, change),
                    None => members.push((name.clone(), change.clone())),
                }
            }
        }
        (present, value) => *present = value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn object(json: &Json) -> Vec<(String, Value)> {
        match Value::from_json(json) {
            Value::Object(members) => members,
            other => panic!("not an object: {other:?}"),
        }
    }

    fn operation(name: &str, argument: &Json) -> ProfileOp {
        let numbers = |members: Vec<(String, Value)>| {
            members
                .into_iter()
                .map(|(name, value)| (name, value.as_f64().unwrap()))
                .collect()
        };
        let lists = |members: Vec<(String, Value)>| {
            members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::List(items) => (name, items),
                    other => panic!("not a list: {other:?}"),
                })
                .collect()
        };
        match name {
            "set" => ProfileOp::Set(object(argument)),
            "set_once" => ProfileOp::SetOnce(object(argument)),
            "add" => ProfileOp::Add(numbers(object(argument))),
            "append" => ProfileOp::Append(object(argument)),
            "union" => ProfileOp::Union(lists(object(argument))),
            "remove" => ProfileOp::Remove(object(argument)),
            "merge" => ProfileOp::Merge(object(argument)),
            "unset" => ProfileOp::Unset(serde_json::from_value(argument.clone()).unwrap()),
            other => panic!("no such operation: {other}"),
        }
    }

    fn check(name: &str, before: Json, argument: Json, after: Json) {
        let mut properties: Properties = object(&before).into_iter().collect();
        apply(&mut properties, &operation(name, &argument));
        let expected: Properties = object(&after).into_iter().collect();
        assert_eq!(properties, expected, "{name} {argument} on {before}");
    }

    #[test]
    fn table_of_operations() {
        check(
            "set",
            json!({"a": 1, "b": 2}),
            json!({"a": "x", "c": null}),
            json!({"a": "x", "b": 2, "c": null}),
        );
        check(
            "set_once",
            json!({"a": null}),
            json!({"a": 1, "b": 2}),
            json!({"a": null, "b": 2}),
        );
        check(
            "add",
            json!({"a": 1.5}),
            json!({"a": -2, "b": 3}),
            json!({"a": -0.5, "b": 3}),
        );
        check(
            "add",
            json!({"a": "1", "l": [1], "n": null}),
            json!({"a": 1, "l": 1, "n": 1}),
            json!({"a": "1", "l": [1], "n": null}),
        );
        check(
            "append",
            json!({"l": [1]}),
            json!({"l": [2], "m": "x"}),
            json!({"l": [1, [2]], "m": ["x"]}),
        );
        check("append", json!({"a": 1}), json!({"a": 2}), json!({"a": 1}));
        check(
            "union",
            json!({"l": [1, 2]}),
            json!({"l": [2, 3, 3], "m": [1, 1]}),
            json!({"l": [1, 2, 3], "m": [1]}),
        );
        check("union", json!({"a": 1}), json!({"a": [1]}), json!({"a": 1}));
        check(
            "remove",
            json!({"l": [1, 2, 1, "1"], "a": 1}),
            json!({"l": 1, "a": 1, "z": 1}),
            json!({"l": [2, "1"], "a": 1}),
        );
        check("unset", json!({"a": 1, "b": 2}), json!(["a", "z"]), json!({"b": 2}));
        check(
            "merge",
            json!({"o": {"a": 1, "p": {"x": 1}}, "s": 1}),
            json!({"o": {"b": 2, "p": {"y": 2}}, "s": {"t": 1}, "n": {"u": 1}}),
            json!({"o": {"a": 1, "p": {"x": 1, "y": 2}, "b": 2}, "s": {"t": 1}, "n": {"u": 1}}),
        );
    }

    #[test]
    fn an_update_beyond_the_limit_drops_only_new_properties() {
        let mut properties: Properties = (0..PROPERTIES_MAX)
            .map(|n| (format!("p{n}"), Value::Bool(true)))
            .collect();
        let change = json!({"p0": 1, "new": 1});
        apply(&mut properties, &operation("set", &change));
        assert_eq!(properties.len(), PROPERTIES_MAX);
        assert_eq!(properties["p0"], Value::Number(1.0));
    }

    #[test]
    fn only_some_operations_make_a_profile() {
        assert!(creates(&operation("add", &json!({"a": 1}))));
        assert!(creates(&operation("merge", &json!({}))));
        assert!(!creates(&operation("remove", &json!({"a": 1}))));
        assert!(!creates(&operation("unset", &json!(["a"]))));
        assert!(!creates(&ProfileOp::Delete));
    }
}
