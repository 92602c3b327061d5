//! What a value's shape says: free text, chats, markup and blobs are refused without being understood (FW-3).
//!
//! Prompts and personal letters are found by length and shape, not by pattern, because no pattern knows them.

use crate::json::{Json, parse_text};

const TEXT_SCALARS_MAX: usize = 200;
const TEXT_WORDS_MAX: usize = 25;
/// Deepest JSON inside a string.
const NESTED_JSON_DEPTH_MAX: usize = 3;

/// Why a value's structure is refused, if it is.
pub fn fault(value: &Json) -> Option<&'static str> {
    match value {
        Json::String(text) => text_fault(text),
        Json::Array(items) => items.iter().find_map(fault),
        Json::Object(members) => {
            let has = |name: &str| members.iter().any(|(member, _)| member.eq_ignore_ascii_case(name));
            if has("role") && (has("content") || has("parts")) {
                return Some("chat");
            }
            members.iter().find_map(|(_, value)| fault(value))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => None,
    }
}

fn text_fault(text: &str) -> Option<&'static str> {
    // Most values are short words: nothing below can be true of them.
    if text.len() < 8 {
        return None;
    }
    if text.len() > TEXT_SCALARS_MAX && text.chars().nth(TEXT_SCALARS_MAX).is_some() {
        return Some("free_text");
    }
    if text.len() > TEXT_WORDS_MAX * 2 && text.split_whitespace().nth(TEXT_WORDS_MAX).is_some() {
        return Some("free_text");
    }
    let start = text.trim_start();
    if start
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
        && text.contains(',')
    {
        return Some("data_url");
    }
    if text.contains('<') && has_tag(text) {
        return Some("html");
    }
    if start.starts_with(['{', '['])
        && let Ok(json) = parse_text(text)
    {
        if depth(&json) > NESTED_JSON_DEPTH_MAX {
            return Some("nested_json");
        }
        return fault(&json);
    }
    None
}

/// `<name …>` or `</name>`.
fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let inside = text[at + 1..].trim_start_matches('/');
        let name = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let starts = inside.starts_with(|first: char| first.is_ascii_alphabetic());
        starts && inside[name..].starts_with([' ', '>', '/', '\n', '\t']) && inside.contains('>')
    })
}

fn depth(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
