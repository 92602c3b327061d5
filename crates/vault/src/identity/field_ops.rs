//! What a profile operation does to one field (Mixpanel contract 2.2). Pure: values in, value out.

use model::Value;
use vault_client::FieldOp;

/// The new state of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Keep,
    Put(Value),
    Remove,
}

/// `Delete` is not a change of one field and is handled before it comes to this.
pub(super) fn apply(op: FieldOp, current: Option<&Value>, argument: Option<Value>) -> Change {
    match (op, current, argument) {
        (FieldOp::Unset | FieldOp::Delete, None, _) => Change::Keep,
        (FieldOp::Unset | FieldOp::Delete, Some(_), _) => Change::Remove,
        (_, _, None) => Change::Keep,
        (FieldOp::Set, _, Some(value)) => Change::Put(value),
        (FieldOp::SetOnce, None, Some(value)) => Change::Put(value),
        (FieldOp::SetOnce, Some(_), _) => Change::Keep,
        (FieldOp::Add, current, Some(by)) => add(current, &by),
        (FieldOp::Append, None, Some(value)) => Change::Put(Value::List(vec![value])),
        (FieldOp::Append, Some(Value::List(items)), Some(value)) => {
            Change::Put(Value::List(items.iter().cloned().chain([value]).collect()))
        }
        (FieldOp::Append, Some(_), _) => Change::Keep,
        (FieldOp::Union, current, Some(values)) => union(current, values),
        (FieldOp::Remove, Some(Value::List(items)), Some(value)) if items.contains(&value) => Change::Put(Value::List(
            items.iter().filter(|item| **item != value).cloned().collect(),
        )),
        (FieldOp::Remove, _, _) => Change::Keep,
        (FieldOp::Merge, current, Some(value)) => Change::Put(merged(current, value)),
    }
}

fn add(current: Option<&Value>, by: &Value) -> Change {
    let start = current.map_or(Some(0.0), Value::as_f64);
    match start.zip(by.as_f64()).map(|(a, b)| a + b) {
        Some(sum) if sum.is_finite() => Change::Put(Value::Number(sum)),
        _ => Change::Keep,
    }
}

fn union(current: Option<&Value>, values: Value) -> Change {
    let added = match values {
        Value::List(items) => items,
        single => vec![single],
    };
    let mut items = match current {
        None => Vec::new(),
        Some(Value::List(items)) => items.clone(),
        Some(_) => return Change::Keep,
    };
    for value in added {
        if !items.contains(&value) {
            items.push(value);
        }
    }
    Change::Put(Value::List(items))
}

fn merged(current: Option<&Value>, value: Value) -> Value {
    let (Some(Value::Object(old)), Value::Object(new)) = (current, &value) else {
        return value;
    };
    let mut members = old.clone();
    for (name, value) in new {
        match members.iter_mut().find(|(old_name, _)| old_name == name) {
            Some((_, old)) => *old = merged(Some(old), value.clone()),
            None => members.push((name.clone(), value.clone())),
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operation_on_every_kind_of_field() {
        use FieldOp::*;
        let keep = || None;
        let put = |value: serde_json::Value| Some(value);
        let cases = [
            (Set, None, json!("a"), put(json!("a"))),
            (Set, Some(json!([1])), json!(null), put(json!(null))),
            (SetOnce, None, json!(1), put(json!(1))),
            (SetOnce, Some(json!(null)), json!(1), keep()),
            (Add, None, json!(2), put(json!(2))),
            (Add, Some(json!(1.5)), json!(-2), put(json!(-0.5))),
            (Add, Some(json!("x")), json!(1), keep()),
            (Add, Some(json!(1)), json!("1"), keep()),
            (Append, None, json!("a"), put(json!(["a"]))),
            (Append, Some(json!(["a"])), json!("a"), put(json!(["a", "a"]))),
            (Append, Some(json!("a")), json!("b"), keep()),
            (Union, None, json!(["a", "a", "b"]), put(json!(["a", "b"]))),
            (Union, Some(json!(["b"])), json!(["a", "b"]), put(json!(["b", "a"]))),
            (Union, Some(json!(["b"])), json!("c"), put(json!(["b", "c"]))),
            (Union, Some(json!(1)), json!([1]), keep()),
            (Remove, None, json!("a"), keep()),
            (Remove, Some(json!(["a", "b", "a"])), json!("a"), put(json!(["b"]))),
            (Remove, Some(json!(["a"])), json!("b"), keep()),
            (Remove, Some(json!("a")), json!("a"), keep()),
            (Merge, None, json!({"a": 1}), put(json!({"a": 1}))),
            (
                Merge,
                Some(json!({"a": {"b": 1}})),
                json!({"a": {"c": 2}}),
                put(json!({"a": {"b": 1, "c": 2}})),
            ),
            (Merge, Some(json!("x")), json!({"a": 1}), put(json!({"a": 1}))),
        ];
        for (op, current, argument, expected) in cases {
            let label = format!("{op:?} {argument} on {current:?}");
            let current = current.as_ref().map(Value::from_json);
            let change = apply(op, current.as_ref(), Some(Value::from_json(&argument)));
            let expected = expected.map_or(Change::Keep, |value| Change::Put(Value::from_json(&value)));
            assert_eq!(change, expected, "{label}");
        }
        assert_eq!(apply(Unset, Some(&Value::Null), None), Change::Remove);
        assert_eq!(apply(Unset, None, None), Change::Keep);
        assert_eq!(apply(Set, Some(&Value::Null), None), Change::Keep);
    }
}
