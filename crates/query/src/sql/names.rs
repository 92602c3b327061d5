//! What the columns of properties are called in SQL.
//!
//! A property has one column per kind of value it came with. If it came with one kind only, the column has the property's
//! name. If it came with several, the first of text, number, boolean, JSON and group numbers has the name alone and the
//! others say their kind behind a colon: `plan`, `"plan:number"`. A property called like a column that every row has
//! (`person`, `time`) always says its kind: `"person:string"`.

use serde::Serialize;
use std::collections::HashSet;
use store::{ColumnKind, physical_name};
use utoipa::ToSchema;

/// A view, for a page that shows what there is to ask about.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SqlView)]
pub struct SqlView {
    pub name: String,
    pub columns: Vec<super::SqlColumn>,
}

/// Name in SQL, property and kind of every column, in order of name.
pub(crate) fn columns(
    reserved: &[&str],
    properties: impl Iterator<Item = (String, ColumnKind)>,
) -> Vec<(String, String, ColumnKind)> {
    let mut properties: Vec<(String, ColumnKind)> = properties.collect();
    let order = |kind: &ColumnKind| ColumnKind::ALL.iter().position(|other| other == kind);
    properties.sort_by(|(left, left_kind), (right, right_kind)| {
        left.cmp(right).then_with(|| order(left_kind).cmp(&order(right_kind)))
    });
    properties.dedup();
    let mut taken: HashSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
    // Names alone first: a property may itself be called `plan:number`.
    let mut named: Vec<Option<String>> = properties
        .iter()
        .map(|(property, _)| taken.insert(property.clone()).then(|| property.clone()))
        .collect();
    for (name, (property, kind)) in named.iter_mut().zip(&properties) {
        let mut with_kind = physical_name(property, *kind);
        while name.is_none() {
            if taken.insert(with_kind.clone()) {
                *name = Some(with_kind.clone());
            }
            with_kind.push('\'');
        }
    }
    let named = named.into_iter().flatten().zip(properties);
    named.map(|(name, (property, kind))| (name, property, kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_said_where_they_must_be() {
        let properties = [
            ("plan", ColumnKind::Number),
            ("plan", ColumnKind::String),
            ("person", ColumnKind::String),
            ("plan:number", ColumnKind::Bool),
            ("price", ColumnKind::Number),
        ];
        let properties = properties.map(|(name, kind)| (name.to_owned(), kind));
        let named = columns(&["event", "time", "person"], properties.into_iter());
        let names: Vec<&str> = named.iter().map(|(name, _, _)| name.as_str()).collect();
        assert_eq!(names, ["person:string", "plan", "plan:number'", "plan:number", "price"]);
        assert_eq!(named[1].2, ColumnKind::String);
        assert_eq!(named[2].2, ColumnKind::Number);
    }
}
