use super::*;
use proptest::prelude::*;

/// What `serde_json` would make of the tree; only for trees without our leniencies.
fn to_serde(json: &Json) -> serde_json::Value {
    let mut text = String::new();
    json.write_text(&mut text);
    serde_json::from_str(&text).expect("our writer writes JSON")
}

fn check(text: &str, expected: &str) {
    let read = parse_text(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let mut written = String::new();
    read.write_text(&mut written);
    assert_eq!(written, expected, "{text:?}");
}

#[test]
fn is_lenient_where_sdks_are_sloppy() {
    check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
    check(r#"[NaN, Infinity, -Infinity]"#, "[null,null,null]");
    check(
        r#"["\ud83d\ude00", "\ud83d", "\ude00x", "\ud83d\u0041"]"#,
        "[\"😀\",\"\u{fffd}\",\"\u{fffd}x\",\"\u{fffd}A\"]",
    );
    check("[\"tab\there\nline\"]", r#"["tab\u0009here\u000aline"]"#);
    check("12345678901234567890123456789", "12345678901234567890123456789");
    check("[1.50, -0, 1E+2]", "[1.50,-0,1E+2]");
    check(r#""\/\b\f\n\r\t\"\\""#, r#""/\u0008\u000c\u000a\u000d\u0009\"\\""#);
}

#[test]
fn many_members_keep_the_last_of_each_name() {
    let text: Vec<String> = (0..200).map(|at| format!("\"k{}\":{at}", at % 100)).collect();
    let Ok(Json::Object(members)) = parse_text(&format!("{{{}}}", text.join(","))) else {
        panic!("an object")
    };
    assert_eq!(members.len(), 100);
    assert!(
        members
            .iter()
            .enumerate()
            .all(|(at, (name, value))| { *name == format!("k{at}") && value.as_number() == Some((at + 100) as f64) })
    );
}

#[test]
fn refuses_what_is_not_json() {
    let nasty = [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "-",
        "--1",
        "tru",
        "nul",
        "Nan",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "'a'",
        "[1 2]",
        "1 2",
        "{} []",
        "\"\\ud83d\\u12\"",
        "// x\n1",
        "undefined",
        "\u{0}",
        "-Inf",
        "{\"a\" 1}",
        "{1:2}",
    ];
    for text in nasty {
        assert!(parse_text(text).is_err(), "{text:?} is not JSON");
    }
    assert!(parse_text(&format!("{}{}", "[".repeat(65), "]".repeat(65))).is_ok());
    assert!(parse_text(&"[".repeat(100_000)).is_err());
    assert!(parse_text(&"{\"a\":".repeat(100_000)).is_err());
}

#[test]
fn invalid_utf8_is_replaced_and_reported() {
    let document = parse_document(b"[\"a\xffb\", 1]").unwrap();
    assert!(document.invalid_utf8);
    assert_eq!(document.items[0].0, Json::String("a\u{fffd}b".into()));
    assert!(parse_document(b"{\"a\xc3\":1}").unwrap().invalid_utf8);
    assert!(!parse_document("\u{feff}[1]".as_bytes()).unwrap().invalid_utf8);
}

#[test]
fn a_document_knows_the_size_of_its_items() {
    let document = parse_document(b" [ {\"a\":1} , 22 ] ").unwrap();
    assert_eq!(
        document.items.iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(),
        [7, 2]
    );
    assert_eq!(parse_lines(b"{\"a\":1}\r\n\n{\"b\":2}\n").unwrap().items.len(), 2);
    assert!(parse_lines(b"{\"a\":1} x\n").is_err());
}

#[test]
fn integers_are_written_out() {
    let digits = |text: &str| match parse_text(text) {
        Ok(Json::Number(number)) => number.integer_digits(),
        _ => panic!("{text} is a number"),
    };
    assert_eq!(digits("4.111111111111111e15").as_deref(), Some("4111111111111111"));
    assert_eq!(digits("41111111111111110e-1").as_deref(), None);
    assert_eq!(digits("-12.000").as_deref(), Some("12"));
    assert_eq!(digits("1.5"), None);
    assert_eq!(digits("1e99"), None);
    assert_eq!(digits("1e99999999999"), None);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>()
            .prop_map(|number| serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, Into::into)),
        "\\PC{0,12}|[\\x00-\\x7f]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec(("\\PC{0,6}", inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_valid_json_as_serde_does(json in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let read = parse_text(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(to_serde(&read), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }

    #[test]
    fn accepts_everything_that_serde_accepts(text in "[\\[\\]{}\",:0-9eE.+tfnuals \\\\-]{0,24}") {
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert!(parse_text(&text).is_ok());
        }
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse_document(&bytes);
        let _ = parse_lines(&bytes);
    }

    #[test]
    fn mutations_of_json_never_panic(json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&json).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = parse_document(&bytes);
    }
}
