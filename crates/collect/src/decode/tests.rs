use super::*;
use crate::json::Json;
use crate::request::Endpoint;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;
use store::{Memory, MemoryUse};

const B64A: &str = "W3siZXZlbnQiOiJhPj9+IiwicHJvcGVydGllcyI6eyJ0b2tlbiI6IlQiLCJkaXN0aW5jdF9pZCI6InUxIn19XQ==";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn post<'a>(query: &'a str, encoding: Option<&'a str>, body: &'a [u8]) -> Decoded {
    decoded(&request(Method::Post, query, encoding, body))
}

fn decoded(request: &IngestRequest) -> Decoded {
    decode(request, &mut Memory::unlimited().nothing(MemoryUse::Ingestion))
}

fn request<'a>(method: Method, query: &'a str, encoding: Option<&'a str>, body: &'a [u8]) -> IngestRequest<'a> {
    IngestRequest {
        endpoint: Endpoint::Track,
        method,
        query,
        content_type: None,
        content_encoding: encoding,
        authorization: None,
        user_agent: None,
        opted_out: false,
        peer: None,
        body,
    }
}

fn first_event(decoded: &Decoded) -> &str {
    let document = decoded.payload.as_ref().unwrap_or_else(|error| panic!("{error}"));
    let Json::Object(members) = &document.items[0].0 else {
        panic!("an object")
    };
    json::member(members, "event")
        .and_then(Json::as_str)
        .expect("an event name")
}

#[test]
fn every_wrapping_gives_the_same_event() {
    let json = br#" [{"event":"a>?~","properties":{"token":"T","distinct_id":"u1"}}]"#;
    let encoded = B64A.replace('+', "%2B").replace('=', "%3D");
    let url_safe = B64A.replace('+', "-").replace('/', "_").replace('=', "");
    let percent: String = json.iter().map(|byte| format!("%{byte:02X}")).collect();
    let lines = B64A
        .as_bytes()
        .chunks(40)
        .map(|part| std::str::from_utf8(part).unwrap())
        .collect::<Vec<_>>()
        .join("\r\n");
    let bodies = [
        json.to_vec(),
        format!("data={encoded}").into_bytes(),
        format!("data={B64A}&verbose=1").into_bytes(),
        format!("data={url_safe}").into_bytes(),
        format!("data={percent}&ip=0").into_bytes(),
        format!("data={lines}").into_bytes(),
        format!("verbose=1&data={B64A}").into_bytes(),
    ];
    for body in &bodies {
        assert_eq!(first_event(&post("", None, body)), "a>?~");
        assert_eq!(first_event(&post("", Some("GZip"), &gzip(body))), "a>?~");
        assert_eq!(
            first_event(&post("", Some("x-gzip"), body)),
            "a>?~",
            "header left by a proxy"
        );
    }
    let query = format!("ip=0&data={encoded}");
    assert_eq!(first_event(&decoded(&request(Method::Get, &query, None, b""))), "a>?~");
}

#[test]
fn gzip_inside_base64_is_unpacked() {
    use crate::json::parse_text;
    let packed = gzip(br#"{"event":"x"}"#);
    let mut alphabet = String::new();
    for chunk in packed.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for at in 0..=chunk.len() {
            let code = (word >> (18 - 6 * at) & 63) as usize;
            alphabet.push(char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[code],
            ));
        }
    }
    assert!(parse_text("1").is_ok());
    assert_eq!(first_event(&post("", None, format!("data={alphabet}").as_bytes())), "x");
}

#[test]
fn parameters_come_from_query_and_body_and_the_query_wins() {
    let decoded = post(
        "verbose=0&project_id=7",
        None,
        b"data=e30&verbose=1&ip=1&api_key=k&strict=1&project_id=8",
    );
    assert!(!decoded.parameters.verbose);
    assert!(decoded.parameters.ip && decoded.parameters.strict);
    assert_eq!(decoded.parameters.project_id, Some(7));
    assert_eq!(decoded.parameters.api_key.as_deref(), Some("k"));
    assert!(post("verbose=2", None, b"").parameters.verbose);
}

#[test]
fn ndjson_is_read_line_by_line() {
    let decoded = post("", None, b"{\"event\":\"a\"}\n\n{\"event\":\"b\"}\r\n");
    assert_eq!(decoded.payload.unwrap_or_else(|_| panic!("two lines")).items.len(), 2);
}

#[test]
fn says_why_there_is_nothing() {
    let error = |body: &[u8], encoding| post("", encoding, body).payload.expect_err("an error");
    assert_eq!(error(b"", None), PayloadError::Missing);
    assert_eq!(error(b"data=", None), PayloadError::Missing);
    assert_eq!(error(b"data=+%20", None), PayloadError::Missing);
    assert_eq!(error(b"[]", None), PayloadError::Missing);
    assert_eq!(error(b"data=%%%", None), PayloadError::NotJson);
    assert_eq!(error(b"data=QUJD", None), PayloadError::NotJson);
    assert_eq!(error(b"[{", None), PayloadError::NotJson);
    assert_eq!(error(&[0x1f, 0x8b, 8, 0, 1, 2, 3], Some("gzip")), PayloadError::NotGzip);
    assert_eq!(
        error(&gzip(&vec![b' '; 30_000_000]), Some("gzip")),
        PayloadError::TooLarge
    );
    assert_eq!(error(&vec![b' '; BODY_BYTES_MAX + 1], None), PayloadError::TooLarge);
    let nested = gzip(&gzip(&vec![b'['; 9_000_000]));
    assert!(matches!(
        error(&nested, Some("gzip")),
        PayloadError::Missing | PayloadError::NotJson
    ));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200), packed in any::<bool>(), query in "\\PC{0,40}") {
        let body = if packed { gzip(&body) } else { body };
        let _ = post(&query, packed.then_some("gzip"), &body);
    }
}

#[test]
fn what_there_is_no_memory_for_is_not_unpacked_and_not_parsed() {
    let text: String = (0..300_000).map(|number| format!("{number:x} ")).collect();
    let json = format!(r#"[{{"event":"a","properties":{{"text":"{text}"}}}}]"#);
    let packed = gzip(json.as_bytes());
    let attempt = |limit_bytes: usize| {
        let memory = Memory::limited(limit_bytes);
        let mut held = memory.nothing(MemoryUse::Ingestion);
        let payload = decode(&request(Method::Post, "", Some("gzip"), &packed), &mut held).payload;
        assert!(held.bytes() <= limit_bytes);
        (payload.map(|document| document.items.len()), held.bytes())
    };
    let (refused, held) = attempt(1 << 20);
    assert_eq!(refused, Err(PayloadError::MemoryShort));
    assert!(held < json.len(), "given up in the middle of unpacking");
    let (refused, held) = attempt(6 << 20);
    assert_eq!(refused, Err(PayloadError::MemoryShort));
    assert!(held >= json.len(), "unpacked, then not parsed");
    assert_eq!(attempt(32 << 20).0, Ok(1));
}
