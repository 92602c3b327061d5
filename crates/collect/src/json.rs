//! The one JSON parser: lenient where SDKs are sloppy, bounded where attackers are not.
//!
//! Bytes become an owned, typed tree once, and everything after works on that tree: firewall, vault call and log (secrecy
//! contract, FW-1). There is no second parser that could read the same bytes differently, so what the firewall saw is
//! what is stored. The wire's leniencies (contract G16): a repeated key keeps its last value, a lone surrogate becomes
//! U+FFFD, `NaN` and `Infinity` become null, a number keeps its text so that no digit is lost before it was looked at,
//! raw control characters in strings pass, and bytes that are not UTF-8 become U+FFFD. Everything else is JSON as in
//! RFC 8259. `serde_json` rejects most of these, which is why it is not used here.

mod number;
mod parse;
mod repeats;
#[cfg(test)]
mod tests;
mod text;

pub use number::NumberText;
pub use parse::{Document, parse_document, parse_lines, parse_text};
pub use repeats::has_repeats;

/// A JSON value as it came, before the firewall. It may hold anything a client sent, hence no `Debug`.
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub enum Json {
    Null,
    Bool(bool),
    Number(NumberText),
    String(String),
    Array(Vec<Json>),
    /// Members in order of first appearance, names unique.
    Object(Members),
}

/// The members of an object.
pub type Members = Vec<(String, Json)>;

impl Json {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// A scalar as text, the way identifiers are compared (contract N4): strings as they are, numbers by their text.
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.as_str().to_owned()),
            Json::Bool(flag) => Some(flag.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// Like [`scalar_text`](Json::scalar_text), without copying a string.
    pub fn into_scalar_text(self) -> Option<String> {
        match self {
            Json::String(text) => Some(text),
            other => other.scalar_text(),
        }
    }

    /// A number, or a string that is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => number.as_str().parse().ok(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        }
        .filter(|number: &f64| number.is_finite())
    }

    /// The value in the domain's terms.
    pub fn to_value(&self) -> model::Value {
        use model::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => model::value::number_from_text(number.as_str()),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Json::to_value).collect()),
            Json::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_value()))
                    .collect(),
            ),
        }
    }

    /// Like [`to_value`](Json::to_value), without copying the texts.
    pub fn into_value(self) -> model::Value {
        use model::Value;
        match self {
            Json::String(text) => Value::String(text),
            Json::Array(items) => Value::List(items.into_iter().map(Json::into_value).collect()),
            Json::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, value.into_value()))
                    .collect(),
            ),
            scalar => scalar.to_value(),
        }
    }

    /// The value as JSON text; what the vault seals.
    pub fn write_text(&self, out: &mut String) {
        text::write(self, out);
    }
}

/// The member of that name, if there is one.
pub fn member<'a>(members: &'a Members, name: &str) -> Option<&'a Json> {
    members
        .iter()
        .find(|(candidate, _)| candidate == name)
        .map(|(_, value)| value)
}

/// Takes the members of those names out, in one pass over what there is.
pub fn take_members<const N: usize>(members: &mut Members, names: [&str; N]) -> [Option<Json>; N] {
    let mut taken = [const { None }; N];
    members.retain_mut(|(name, value)| {
        let Some(at) = names.iter().position(|wanted| wanted == name) else {
            return true;
        };
        taken[at] = Some(std::mem::replace(value, Json::Null));
        false
    });
    taken
}

/// Takes the member of that name out.
pub fn take_member(members: &mut Members, name: &str) -> Option<Json> {
    let at = members.iter().position(|(candidate, _)| candidate == name)?;
    Some(members.remove(at).1)
}
