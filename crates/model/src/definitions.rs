//! What the names in a project's expressions stand for: saved cohorts, computed properties and lookup tables.
//!
//! Rules, for both engines:
//! - `cohort(12)` is true where the row's canonical person is in cohort 12 at the time of asking (see
//!   [`crate::cohort`]), false otherwise and for nobody. It is always set.
//! - `computed["x"]` means what the formula saved under the name would mean in its place. A formula may use others.
//! - `lookup("table", "column", key)`: the key's text, as `string(key)` gives it, is looked for in the first column of
//!   the table; the value is the cell of the column in that row. Not set where the key is not set or not in the table,
//!   or the cell is empty.
//! - `group["key"]["property"]` reads the profiles of the event's groups of that key. Groups without the property have
//!   no value. An event of one distinct group has that group's value; of several, the list of their values in the order
//!   of the event, each group once. Not set where no group has a value, and in questions about people.

mod lookup_table;

use crate::Expression;
use crate::cohort::Cohort;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use lookup_table::{COLUMNS_MAX, LookupTable, Place, ROWS_MAX, TableError};

/// What a project has saved, as far as a question needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Definitions {
    pub cohorts: BTreeMap<u64, Cohort>,
    pub computed: BTreeMap<String, Expression>,
    pub lookups: BTreeMap<String, LookupTable>,
}

/// Why a name cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    #[error("there is no cohort {0} in this project")]
    UnknownCohort(u64),
    #[error("there is no computed property \"{0}\" in this project")]
    UnknownComputed(String),
    #[error("there is no lookup table \"{0}\" in this project")]
    UnknownTable(String),
    #[error("the lookup table \"{table}\" has no column \"{column}\"")]
    UnknownColumn { table: String, column: String },
    #[error("computed properties refer to each other in a circle: {0}")]
    ComputedCircle(String),
    #[error("cohorts refer to each other in a circle: {0}")]
    CohortCircle(String),
    #[error("with its computed properties written out the expression is longer than {NODES_MAX} parts")]
    TooLong,
    #[error("cohort({0}) cannot be used inside the definition of a cohort")]
    CohortInCohort(u64),
}

impl DefinitionError {
    /// What the writer of the expression can do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            DefinitionError::UnknownCohort(_) => "save the cohort first, or take its number from the list of cohorts",
            DefinitionError::UnknownComputed(_) => "save the computed property first, or mend its name",
            DefinitionError::UnknownTable(_) => "upload the table first, or mend its name",
            DefinitionError::UnknownColumn { .. } => "take a name from the table's header",
            DefinitionError::ComputedCircle(_) => "take one of them out of the other's formula",
            DefinitionError::CohortCircle(_) => "take one of them out of the other's definition",
            DefinitionError::TooLong => "split it, or use fewer computed properties in one another",
            DefinitionError::CohortInCohort(_) => "add the cohort as a rule of its own",
        }
    }
}

/// Most parts of an expression whose computed properties are written out.
pub const NODES_MAX: usize = 10_000;

impl Definitions {
    /// The expression with every computed property written out, and every other name known to exist.
    pub fn resolve(&self, expression: &Expression) -> Result<Expression, DefinitionError> {
        let mut resolving = Resolving {
            definitions: self,
            open: Vec::new(),
            nodes: 0,
        };
        resolving.expression(expression)
    }
}

struct Resolving<'a> {
    definitions: &'a Definitions,
    /// Computed properties that are being written out.
    open: Vec<String>,
    nodes: usize,
}

impl Resolving<'_> {
    fn expression(&mut self, expression: &Expression) -> Result<Expression, DefinitionError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(DefinitionError::TooLong);
        }
        Ok(match expression {
            Expression::Property { .. } | Expression::Literal(_) | Expression::Group { .. } => expression.clone(),
            Expression::Not(inner) => Expression::Not(self.boxed(inner)?),
            Expression::Negate(inner) => Expression::Negate(self.boxed(inner)?),
            Expression::Binary { op, left, right } => Expression::Binary {
                op: *op,
                left: self.boxed(left)?,
                right: self.boxed(right)?,
            },
            Expression::Call { function, arguments } => Expression::Call {
                function: *function,
                arguments: arguments
                    .iter()
                    .map(|argument| self.expression(argument))
                    .collect::<Result<_, _>>()?,
            },
            Expression::Cohort(number) => {
                if !self.definitions.cohorts.contains_key(number) {
                    return Err(DefinitionError::UnknownCohort(*number));
                }
                expression.clone()
            }
            Expression::Computed(name) => self.computed(name)?,
            Expression::Lookup { table, column, key } => {
                let Some(found) = self.definitions.lookups.get(table) else {
                    return Err(DefinitionError::UnknownTable(table.clone()));
                };
                if found.place(column).is_none() {
                    return Err(DefinitionError::UnknownColumn {
                        table: table.clone(),
                        column: column.clone(),
                    });
                }
                Expression::Lookup {
                    table: table.clone(),
                    column: column.clone(),
                    key: self.boxed(key)?,
                }
            }
        })
    }

    fn boxed(&mut self, expression: &Expression) -> Result<Box<Expression>, DefinitionError> {
        self.expression(expression).map(Box::new)
    }

    fn computed(&mut self, name: &str) -> Result<Expression, DefinitionError> {
        let Some(formula) = self.definitions.computed.get(name) else {
            return Err(DefinitionError::UnknownComputed(name.to_owned()));
        };
        if self.open.iter().any(|open| open == name) {
            self.open.push(name.to_owned());
            return Err(DefinitionError::ComputedCircle(self.open.join(" → ")));
        }
        self.open.push(name.to_owned());
        let written_out = self.expression(formula)?;
        self.open.pop();
        Ok(written_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Expression {
        Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn computed(formulas: &[(&str, &str)]) -> Definitions {
        let formulas = formulas.iter();
        Definitions {
            computed: formulas
                .map(|(name, formula)| ((*name).to_owned(), expression(formula)))
                .collect(),
            lookups: BTreeMap::from([(
                "plans".to_owned(),
                LookupTable::from_csv("plan,price\npro,20\n").expect("a table"),
            )]),
            ..Definitions::default()
        }
    }

    #[test]
    fn formulas_are_written_out() {
        let definitions = computed(&[
            ("margin", r#"properties["price"] - computed["cost"]"#),
            ("cost", r#"lookup("plans", "price", user["plan"])"#),
        ]);
        let resolved = definitions.resolve(&expression(r#"not (computed["margin"] > 0)"#));
        let expected = r#"not (properties["price"] - lookup("plans", "price", user["plan"]) > 0)"#;
        assert_eq!(resolved, Ok(expression(expected)));
    }

    #[test]
    fn unknown_names_and_circles_are_refused() {
        let definitions = computed(&[
            ("a", r#"computed["b"] + 1"#),
            ("b", r#"-computed["a"]"#),
            ("deep", r#"computed["one"] + computed["one"]"#),
            ("one", "1"),
        ]);
        let refused = |text: &str| definitions.resolve(&expression(text)).expect_err(text);
        assert_eq!(
            refused(r#"computed["a"]"#),
            DefinitionError::ComputedCircle("a → b → a".into())
        );
        assert_eq!(
            refused(r#"computed["c"]"#),
            DefinitionError::UnknownComputed("c".into())
        );
        assert_eq!(refused("cohort(7)"), DefinitionError::UnknownCohort(7));
        assert_eq!(
            refused(r#"lookup("x", "y", 1)"#),
            DefinitionError::UnknownTable("x".into())
        );
        assert!(
            refused(r#"lookup("plans", "y", 1)"#)
                .to_string()
                .contains("no column \"y\"")
        );
        // Twice the same formula is no circle.
        assert!(definitions.resolve(&expression(r#"computed["deep"]"#)).is_ok());
    }

    #[test]
    fn formulas_that_double_are_refused_before_they_fill_the_memory() {
        let names: Vec<String> = (0..40).map(|number| format!("f{number}")).collect();
        let formulas: Vec<String> = names
            .iter()
            .map(|name| format!("computed[\"{name}\"] + computed[\"{name}\"]"))
            .collect();
        let mut pairs = vec![("f0", "1")];
        for (index, formula) in formulas.iter().take(39).enumerate() {
            pairs.push((&names[index + 1], formula));
        }
        let refused = computed(&pairs).resolve(&expression(r#"computed["f39"]"#));
        assert_eq!(refused, Err(DefinitionError::TooLong));
    }
}
