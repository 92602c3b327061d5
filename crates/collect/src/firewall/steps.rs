//! The steps of the firewall, in the order of `STEPS`.

use super::keys::KeyClass;
use super::{Context, Draft, Kind, structure};
use crate::firewall::detectors::KeyContext;
use crate::json::{Json, Members};
use crate::policy::{Reduction, Treatment, reductions, url};

/// Values above this are dropped without being looked into (FW-2).
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most properties that are kept (contract T3); SDKs put their own first.
const PROPERTIES_MAX: usize = crate::raw_event::PROPERTIES_MAX;
/// Longest string, in Unicode scalars (contract N9).
const STRING_SCALARS_MAX: usize = 255;
/// Most elements of a list, most members of an object (T3).
const ELEMENTS_MAX: usize = 255;
/// Deepest nesting (N9). Opaque values known to the policy table may be deeper.
const DEPTH_MAX: usize = 3;
/// Profile text longer than this is taken to be about the person (PO-5).
const ORDINARY_PROFILE_SCALARS_MAX: usize = 64;

pub fn drop_unread(context: &mut Context, draft: &mut Draft) {
    if draft.properties.len() > PROPERTIES_MAX {
        for property in draft.properties.drain(PROPERTIES_MAX..) {
            context.tally.count(&property.name, "too_many_properties");
        }
    }
    let tally = &mut *context.tally;
    draft.properties.retain(|property| {
        let fits = size(&property.value, VALUE_BYTES_MAX) <= VALUE_BYTES_MAX;
        if !fits {
            tally.count(&property.name, "too_large");
        }
        fits
    });
}

/// Bytes of text in a value, counted until they are too many.
fn size(value: &Json, enough: usize) -> usize {
    match value {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().fold(0, |sum, item| {
            if sum > enough {
                sum
            } else {
                sum + 1 + size(item, enough)
            }
        }),
        Json::Object(members) => members.iter().fold(0, |sum, (name, value)| {
            if sum > enough {
                sum
            } else {
                sum + name.len() + size(value, enough)
            }
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => 1,
    }
}

/// The table of 3.3: keep, reduce, drop. Sealing is where the property ends up, not what becomes of its value.
pub fn apply_policy(context: &mut Context, draft: &mut Draft) {
    let countries = context.firewall.countries();
    let tally = &mut *context.tally;
    draft.properties.retain_mut(|property| match property.class {
        KeyClass::Known(Treatment::Drop) => {
            tally.count(&property.name, "policy");
            false
        }
        KeyClass::Known(Treatment::Reduce(reduction)) => {
            let value = std::mem::replace(&mut property.value, Json::Null);
            match reductions::reduce(reduction, value, countries) {
                Some(reduced) => property.value = reduced,
                None => {
                    tally.count(&property.name, "reduced_to_nothing");
                    return false;
                }
            }
            true
        }
        _ => true,
    });
}

/// Names that say what their values are. A truth value under such a name says nothing about anybody.
pub fn drop_by_key_words(context: &mut Context, draft: &mut Draft) {
    let kind = draft.kind;
    draft.properties.retain_mut(|property| {
        match property.class {
            KeyClass::NeverStored => {
                context.tally.count(&property.name, "key_name");
                return false;
            }
            KeyClass::IdentifyingOnEvent if !matches!(property.value, Json::Bool(_)) => {
                context.tally.count(&property.name, "personal_key");
                return false;
            }
            // What goes to the vault goes there whole; known values are opaque.
            KeyClass::Sealed | KeyClass::Reference => return true,
            KeyClass::Known(treatment) if treatment != Treatment::Reduce(Reduction::Transactions) => return true,
            _ => {}
        }
        drop_nested_by_key_words(context, &mut property.value, &property.name, kind);
        true
    });
}

fn drop_nested_by_key_words(context: &mut Context, value: &mut Json, path: &str, kind: Kind) {
    match value {
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| drop_nested_by_key_words(context, item, path, kind)),
        Json::Object(members) => {
            let judged: Vec<(String, bool, Option<&'static str>)> = members
                .iter()
                .map(|(name, value)| nested_verdict(context, name, value, kind))
                .collect();
            let mut at = 0;
            members.retain_mut(|(name, value)| {
                let (kept_name, keep, redacted) = &judged[at];
                at += 1;
                if let Some(detector) = redacted {
                    context.tally.count(path, detector);
                }
                let nested_path = format!("{path}.{kept_name}");
                if !keep {
                    context.tally.count(&nested_path, "key_name");
                    return false;
                }
                *name = kept_name.clone();
                drop_nested_by_key_words(context, value, &nested_path, kind);
                true
            });
            unique_names(members);
        }
        _ => {}
    }
}

/// The name as it is kept, whether the member stays, and which detector the name hit. Names of people and of
/// organisations inside an object cannot be sealed or numbered there, so they go.
fn nested_verdict(context: &Context, name: &str, value: &Json, kind: Kind) -> (String, bool, Option<&'static str>) {
    let judged = context.firewall.keys.judge(context.firewall, name, kind, &[]);
    let keep = match judged.class {
        KeyClass::NeverStored => false,
        KeyClass::Sealed | KeyClass::IdentifyingOnEvent | KeyClass::Reference => matches!(value, Json::Bool(_)),
        KeyClass::Known(Treatment::Drop | Treatment::Seal) => false,
        KeyClass::Known(_) | KeyClass::Ordinary(_) => true,
    };
    (
        judged.renamed.unwrap_or_else(|| name.to_owned()),
        keep,
        judged.redacted.map(|detector| detector.as_str()),
    )
}

fn unique_names(members: &mut Members) {
    let mut seen = hashbrown::HashSet::new();
    members.retain(|(name, _)| seen.insert(name.clone()));
}

pub fn drop_by_structure(context: &mut Context, draft: &mut Draft) {
    let kind = draft.kind;
    draft.properties.retain_mut(|property| {
        let KeyClass::Ordinary(_) = property.class else {
            return true;
        };
        if let Some(reason) = structure::fault(&property.value) {
            context.tally.count(&property.name, reason);
            return false;
        }
        // On a profile longer text is more likely the person's than the product's; the vault may hold it.
        let is_long = |text: &str| text.chars().nth(ORDINARY_PROFILE_SCALARS_MAX).is_some();
        if kind == Kind::Profile
            && property
                .value
                .as_str()
                .is_some_and(|text| is_long(text) && !text.contains("://"))
        {
            property.class = KeyClass::Sealed;
        }
        true
    });
}

/// URLs under any name (FW-4).
pub fn scrub_urls(_: &mut Context, draft: &mut Draft) {
    for property in &mut draft.properties {
        if let KeyClass::Ordinary(_) = property.class {
            scrub_urls_in(&mut property.value);
        }
    }
}

fn scrub_urls_in(value: &mut Json) {
    match value {
        Json::String(text) if text.contains("://") => {
            let is_url = !text.trim().contains(char::is_whitespace);
            if is_url && let Some(scrubbed) = url::scrub(text) {
                *text = scrubbed;
            }
        }
        Json::Array(items) => items.iter_mut().for_each(scrub_urls_in),
        Json::Object(members) => members.iter_mut().for_each(|(_, value)| scrub_urls_in(value)),
        _ => {}
    }
}

/// Detectors, on whatever will be stored in clear. Vault-bound values are sealed and not looked at.
pub fn drop_detected(context: &mut Context, draft: &mut Draft) {
    draft.properties.retain_mut(|property| match property.class {
        KeyClass::Sealed | KeyClass::Reference => true,
        class => keep_clean(context, &mut property.value, &property.name, class.context()),
    });
}

/// Takes hits out of a value; `false` when the value itself is one.
fn keep_clean(context: &mut Context, value: &mut Json, path: &str, key: KeyContext) -> bool {
    match value {
        Json::Array(items) => items.retain_mut(|item| keep_clean(context, item, path, key)),
        Json::Object(members) => members.retain_mut(|(name, value)| {
            let nested_path = format!("{path}.{name}");
            keep_clean(context, value, &nested_path, KeyContext::of(name))
        }),
        scalar => {
            if let Some(detector) = context.firewall.detectors.find_in_scalar(scalar, key) {
                context.tally.count(path, detector.as_str());
                return false;
            }
        }
    }
    true
}

/// Limits of length and depth on what is left (contract N9).
pub fn shorten(context: &mut Context, draft: &mut Draft) {
    draft.properties.retain_mut(|property| {
        let opaque = matches!(property.class, KeyClass::Known(_));
        // What is sealed or referenced is not cut: two values could become one.
        if !matches!(property.class, KeyClass::Sealed | KeyClass::Reference) {
            shorten_value(&mut property.value);
            if !opaque && depth(&property.value) > DEPTH_MAX {
                context.tally.count(&property.name, "too_deep");
                return false;
            }
        }
        !property.value.is_null()
    });
}

fn shorten_value(value: &mut Json) {
    match value {
        Json::String(text) => {
            if text.len() > STRING_SCALARS_MAX
                && let Some((end, _)) = text.char_indices().nth(STRING_SCALARS_MAX)
            {
                text.truncate(end);
            }
        }
        Json::Array(items) => {
            items.truncate(ELEMENTS_MAX);
            items.iter_mut().for_each(shorten_value);
        }
        Json::Object(members) => {
            members.truncate(ELEMENTS_MAX);
            members.iter_mut().for_each(|(_, value)| shorten_value(value));
        }
        _ => {}
    }
}

fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
