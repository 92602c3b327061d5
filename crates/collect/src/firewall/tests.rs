use super::*;
use crate::json::parse_text;
use proptest::prelude::*;

fn members(text: &str) -> Members {
    match parse_text(text) {
        Ok(Json::Object(members)) => members,
        _ => panic!("{text} is an object"),
    }
}

fn clean(properties: &str, kind: Kind) -> (Clean, Tally) {
    let mut tally = Tally::default();
    let clean = Firewall::new().clean(
        "e".into(),
        members(properties),
        kind,
        &["company".to_owned()],
        &mut tally,
    );
    (clean, tally)
}

fn text(members: Members) -> String {
    let mut text = String::new();
    Json::Object(members).write_text(&mut text);
    text
}

/// What stays of an event's properties.
fn check(properties: &str, expected: &str) {
    assert_eq!(
        text(clean(properties, Kind::Event).0.properties),
        expected,
        "{properties}"
    );
}

#[test]
fn known_keys_are_kept_reduced_or_dropped() {
    check(
        r#"{"$browser":"Chrome","$browser_version":126.3,"$os":"TempleOS","$screen_width":1440,"$screen_height":900,"mp_lib":"web"}"#,
        r#"{"$browser":"Chrome","$browser_version":126,"$os":"Other","$screen_width":1200,"mp_lib":"web"}"#,
    );
    check(
        r#"{"$current_url":"https://x.example/a?utm_source=n&token=1#f","$referrer":"https://www.google.com/search?q=me","$city":"Lyon","mp_country_code":"FR"}"#,
        r#"{"$current_url":"https://x.example/a?utm_source=n","$referrer":"https://google.com/","mp_country_code":"FR"}"#,
    );
    check(
        r#"{"gclid":"x","$el_text":"Hi Bob","$el_attr__role":"button","$name":"Bob","ip":"1.2.3.4"}"#,
        r#"{"$el_attr__role":"button"}"#,
    );
    check(r#"{"a":null,"b":[null,1],"c":{}}"#, r#"{"b":[null,1],"c":{}}"#);
}

#[test]
fn key_names_decide_whatever_the_value() {
    check(
        r#"{"password":"x","userPassword":5,"form":{"card_number":"a","step":2},"list":[{"otp":1,"n":2}],"password_strength":"weak"}"#,
        r#"{"form":{"step":2},"list":[{"n":2}],"password_strength":"weak"}"#,
    );
    check(
        r#"{"user_email":"x","is_mobile":true,"mobile":"no","plan_name":"Pro","name":"Start"}"#,
        r#"{"is_mobile":true,"plan_name":"Pro","name":"Start"}"#,
    );
}

#[test]
fn free_text_chats_and_markup_are_refused() {
    let long = "word ".repeat(26);
    check(
        &format!(r#"{{"note":"{long}","ok":"two words"}}"#),
        r#"{"ok":"two words"}"#,
    );
    check(&format!(r#"{{"note":"{}"}}"#, "x".repeat(201)), "{}");
    check(
        r#"{"log":[{"role":"user","content":"hello"}],"h":"<p>Hi</p>","d":"data:text/plain,hello","lt":"a < b"}"#,
        r#"{"log":[{"role":"user"}],"lt":"a < b"}"#,
    );
    check(
        r#"{"j":"[[[[1]]]]","k":"{\"a\":1}","m":"[{\"role\":\"user\",\"content\":\"hi\"}]"}"#,
        r#"{"k":"{\"a\":1}"}"#,
    );
}

#[test]
fn hits_are_taken_out_where_they_stand() {
    check(
        r#"{"a":"bob@example.com","b":{"c":"sk_live_abcdefghijklmnop","d":1},"e":["x","+33612345678"],"f":4111111111111111}"#,
        r#"{"b":{"d":1},"e":["x"]}"#,
    );
    let (_, tally) = clean(r#"{"a":"bob@example.com","b":{"c":"bob@example.com"}}"#, Kind::Event);
    let counts: Vec<_> = tally.into_counts().collect();
    assert_eq!(counts, [("a".to_owned(), "email", 1), ("b.c".to_owned(), "email", 1)]);
}

#[test]
fn names_are_scanned_too() {
    let mut tally = Tally::default();
    let properties = members(r#"{"bob@example.com":1,"sk_live_abcdefghijklmnop":2,"ok":{"bob@example.com":3}}"#);
    let clean = Firewall::new().clean("hello bob@example.com".into(), properties, Kind::Event, &[], &mut tally);
    assert_eq!(clean.name, REDACTED_NAME);
    assert_eq!(
        text(clean.properties),
        r#"{"redacted_name":1,"ok":{"redacted_name":3}}"#
    );
    assert!(tally.into_counts().all(|(path, _, _)| !path.contains('@')));
}

#[test]
fn profiles_seal_what_identifies() {
    let (clean, _) = clean(
        r#"{"$email":"a@b.co","$name":"Ann","name":"Ann","Phone Number":"1","plan":"pro","company":"Acme","password":"x","$created":"2024-01-02T03:04:05","bio":"a text that is longer than sixty-four characters and thus about a person, perhaps"}"#,
        Kind::Profile,
    );
    let names = |members: &Members| {
        members
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&clean.sealed), "$email $name name Phone Number bio");
    assert_eq!(names(&clean.references), "company");
    assert_eq!(text(clean.properties), r#"{"plan":"pro","$created":"2024-01-02"}"#);
}

#[test]
fn long_values_are_cut_after_they_were_looked_at() {
    let campaign = format!("{} a@example.com", "é".repeat(80));
    check(&format!(r#"{{"utm_source":"{campaign}"}}"#), "{}");
    let (kept, _) = clean(&format!(r#"{{"utm_source":"{}"}}"#, "é".repeat(300)), Kind::Event);
    assert_eq!(kept.properties[0].1.as_str().unwrap().chars().count(), 100);
    check(&format!(r#"{{"big":"{}"}}"#, "x".repeat(70_000)), "{}");
    check(
        r#"{"deep":{"a":{"b":{"c":{}}}},"flat":{"a":{"b":1}}}"#,
        r#"{"flat":{"a":{"b":1}}}"#,
    );
}

#[test]
fn many_properties_are_cut() {
    let many: Vec<String> = (0..300).map(|at| format!("\"p{at}x\":{at}")).collect();
    assert_eq!(
        clean(&format!("{{{}}}", many.join(",")), Kind::Event)
            .0
            .properties
            .len(),
        255
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_tree_passes_without_panic(name in "\\PC{0,20}", key in "\\PC{0,20}", value in "\\PC{0,60}", number in any::<f64>()) {
        let mut tally = Tally::default();
        let properties = vec![
            (key.clone(), Json::String(value.clone())),
            (format!("{key}.x"), Json::Array(vec![Json::Object(vec![(value, Json::Number(crate::json::NumberText::new(&number.to_string())))])])),
        ];
        Firewall::new().clean(name, properties, Kind::Event, &[], &mut tally);
    }
}
