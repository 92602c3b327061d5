//! Plants that must be found in every wrapping, and look-alikes that must pass.

use super::*;
use crate::json::parse_text;

fn find(detectors: &Detectors, text: &str) -> Option<Detector> {
    detectors.find(text, KeyContext::default())
}

/// Random text of an alphabet.
fn random(generator: &mut fastrand::Rng, alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..length)
        .map(|_| alphabet[generator.usize(..alphabet.len())])
        .collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &str = "0123456789abcdef";

fn base64_encode(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for at in 0..=chunk.len() {
            out.push(char::from(alphabet[(word >> (18 - 6 * at) & 63) as usize]));
        }
        if pad {
            out.push_str(&"="[..1].repeat(3 - chunk.len()));
        }
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Digits that pass Luhn, made of a prefix and a length.
fn card(generator: &mut fastrand::Rng, prefix: &str, length: usize) -> String {
    let mut digits = prefix.to_owned() + &random(generator, "0123456789", length - prefix.len() - 1);
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            if at % 2 == 0 {
                digit * 2 % 10 + digit * 2 / 10
            } else {
                digit
            }
        })
        .sum();
    digits.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    digits
}

/// One random plant of every detector.
pub fn plants(generator: &mut fastrand::Rng) -> Vec<(Detector, String)> {
    let mut text = |alphabet: &str, length| random(generator, alphabet, length);
    let mut plants = vec![
        (
            Detector::Email,
            format!(
                "{}@{}.example.com",
                text("abcdefghij.", 6).replace('.', "x"),
                text("abcdef", 5)
            ),
        ),
        (
            Detector::Email,
            format!("{}+tag@{}.co.uk", text("abcdefghij", 6), text("abcdef", 5)),
        ),
        (Detector::Email, "jürgen@müller.de".into()),
        (
            Detector::OpenAiKey,
            format!("sk-proj-{}T3BlbkFJ{}", text(BASE64URL, 74), text(BASE64URL, 74)),
        ),
        (
            Detector::OpenAiKey,
            format!("sk-{}T3BlbkFJ{}", text(ALNUM, 20), text(ALNUM, 20)),
        ),
        (
            Detector::AnthropicKey,
            format!("sk-ant-api03-{}AA", text(BASE64URL, 93)),
        ),
        (
            Detector::GithubToken,
            format!("gh{}_{}", text("pousr", 1), text(ALNUM, 36)),
        ),
        (
            Detector::GithubToken,
            format!("github_pat_{}_{}", text(ALNUM, 22), text(ALNUM, 59)),
        ),
        (
            Detector::AwsKey,
            format!("AKIA{}", text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
        ),
        (Detector::StripeKey, format!("sk_live_{}", text(ALNUM, 24))),
        (
            Detector::SlackToken,
            format!("xoxb-{}-{}", text("0123456789", 12), text(ALNUM, 24)),
        ),
        (Detector::NpmToken, format!("npm_{}", text(ALNUM, 36))),
        (
            Detector::PypiToken,
            format!("pypi-AgEIcHlwaS5vcmc{}", text(BASE64URL, 60)),
        ),
        (
            Detector::HuggingFaceToken,
            format!(
                "hf_{}",
                text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 34)
            ),
        ),
        (
            Detector::SendgridKey,
            format!("SG.{}.{}", text(BASE64URL, 22), text(BASE64URL, 43)),
        ),
        (Detector::GoogleKey, format!("AIza{}", text(BASE64URL, 35))),
        (Detector::TwilioKey, format!("twilio SK{}", text(HEX, 32))),
        (Detector::FrostpaneToken, format!("fpw_{}", text(ALNUM, 32))),
        (Detector::PrivateKey, "-----BEGIN RSA PRIVATE KEY-----".into()),
        (Detector::Iban, "DE89370400440532013000".into()),
        (Detector::Iban, "gb29 nwbk 6016 1331 9268 19".into()),
        (Detector::Iban, "FR14 2004 1010 0505 0001 3M02 606".into()),
        (Detector::Phone, format!("+336{}", text("0123456789", 8))),
        (Detector::Phone, "+1 (415) 555-2671".into()),
        (Detector::NationalId, "078-05-1120".into()),
        (Detector::NationalId, "2 55 08 14 168 025 38".into()),
        (Detector::IpAddress, "203.0.113.77".into()),
        (Detector::IpAddress, "2001:db8:85a3::8a2e:370:7334".into()),
    ];
    let header = base64_encode(br#"{"alg":"HS256","typ":"JWT"}"#, URL_SAFE, false);
    let payload = base64_encode(br#"{"sub":"1234567890"}"#, URL_SAFE, false);
    plants.push((Detector::Jwt, format!("{header}.{payload}.{}", text(BASE64URL, 43))));
    for (prefix, length) in [
        ("4", 16),
        ("51", 16),
        ("2221", 16),
        ("34", 15),
        ("37", 15),
        ("36", 14),
        ("6011", 16),
        ("3528", 16),
        ("62", 19),
        ("4", 13),
    ] {
        plants.push((Detector::Card, card(generator, prefix, length)));
    }
    plants
}

/// The wrappings of FW-5 and the mutations of 4.3 that keep a plant usable.
pub fn wrappings(plant: &str) -> Vec<(&'static str, String)> {
    let percent = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let all_percent: String = plant.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let escapes: String = plant.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let entities: String = plant.chars().map(|c| format!("&#{};", c as u32)).collect();
    let wide: String = plant
        .chars()
        .map(|c| {
            if ('!'..='~').contains(&c) {
                char::from_u32(c as u32 + 0xfee0).unwrap()
            } else {
                c
            }
        })
        .collect();
    let zero_width: String = plant.chars().flat_map(|c| [c, '\u{200b}']).collect();
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let json = |text: &str| format!("{{\"note\":{}}}", quoted(text));
    vec![
        ("plain", plant.into()),
        ("in a sentence", format!("see {plant} for more")),
        ("in quotes", format!("\"{plant}\"")),
        ("percent", percent(plant)),
        ("percent twice", percent(&percent(plant))),
        ("all percent", all_percent),
        ("unicode escapes", escapes),
        ("entities", entities),
        ("full width", wide),
        ("zero width", zero_width),
        ("base64", base64_encode(plant.as_bytes(), STANDARD, true)),
        (
            "base64 twice",
            base64_encode(
                base64_encode(plant.as_bytes(), STANDARD, true).as_bytes(),
                STANDARD,
                true,
            ),
        ),
        (
            "base64url in a sentence",
            format!(
                "token: {}",
                base64_encode(format!("value {plant}").as_bytes(), URL_SAFE, false)
            ),
        ),
        ("JSON", json(plant)),
        ("JSON three deep", json(&json(&json(plant)))),
        ("base64 of JSON", base64_encode(json(plant).as_bytes(), URL_SAFE, false)),
        ("query of a URL", format!("https://x.example/?q={}", percent(plant))),
        ("straddling 255", format!("{} {plant}", "x ".repeat(124))),
    ]
}

#[test]
fn plants_are_found_in_every_wrapping() {
    let detectors = Detectors::new();
    let mut generator = fastrand::Rng::with_seed(7);
    let mut checked = 0;
    for _ in 0..20 {
        for (detector, plant) in plants(&mut generator) {
            for (wrapping, text) in wrappings(&plant) {
                let found = find(&detectors, &text);
                // A wrapping may look like something else too (a URL in a sentence); found is what counts.
                assert!(found.is_some(), "{detector} as {wrapping}: {text}");
                if wrapping == "plain" {
                    assert_eq!(found, Some(detector), "{text}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 10_000);
}

#[test]
fn cards_are_found_with_separators_and_as_numbers() {
    let detectors = Detectors::new();
    let mut generator = fastrand::Rng::with_seed(11);
    for _ in 0..300 {
        let digits = card(&mut generator, "4", 16);
        let groups: Vec<&str> = (0..4).map(|at| &digits[at * 4..at * 4 + 4]).collect();
        let spaced: String = digits.chars().flat_map(|digit| [digit, ' ']).collect();
        let texts = [
            groups.join(" "),
            groups.join("-"),
            groups.join("\n"),
            groups.join(" - "),
            format!("card: {} exp 12/27 cvc 123", groups.join(" ")),
            format!("{} 12 27", groups.join(" ")),
            spaced,
        ];
        for text in texts {
            assert_eq!(find(&detectors, &text), Some(Detector::Card), "{text}");
        }
        let exponent = format!("{}.{}e15", &digits[..1], &digits[1..]);
        for number in [digits.clone(), format!("{digits}.0"), exponent] {
            let value = parse_text(&number).unwrap();
            assert_eq!(
                detectors.find_in_scalar(&value, KeyContext::default()),
                Some(Detector::Card),
                "{number}"
            );
        }
        let context = KeyContext::of("order_id");
        assert_eq!(
            detectors.find(&digits, context),
            None,
            "bare digits under an id-like key are only counted"
        );
        assert_eq!(detectors.find(&groups.join(" "), context), Some(Detector::Card));
    }
}

#[test]
fn look_alikes_pass() {
    let detectors = Detectors::new();
    let harmless = [
        "pro",
        "Chrome",
        "/pricing/enterprise",
        "2024-03-05T10:20:30.123Z",
        "1700000000123",
        "1700000000123456",
        "1700000000123456789",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "v1.2.3",
        "10.0.19045.4170",
        "5901234123457",
        "48.858370, 2.294481",
        "#ff8800",
        "1Z999AA10123456784",
        "user@localhost",
        "icon@2x",
        "@mention hello",
        "sk-learn",
        "skip-proj-x",
        "ghp_short",
        "monkey.business.today",
        "hf_model",
        "SKU-1234567890",
        "key=value",
        "12:34:56",
        "std::fmt::Display",
        "aa:bb",
        "10:20:30:40",
        "3 + 4 = 7",
        "UTC+02:00",
        "a+b+12345",
        "100% sure",
        "Tom & Jerry; friends",
        "AKIA",
        "eyJust a sentence.with dots.and more",
        "checkout-started",
        "com.example.app",
        "sha256-47DEQpj8HBSa",
        "50%25 off",
        "xn--80ak6aa92e.com",
        "W3siZXZlbnQiOiJ4In1d",
        "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "-----BEGIN PUBLIC KEY-----",
        "GB00 0000 0000",
        "DE00370400440532013000",
        "+12",
        "+0000000000",
        "call 0612345678 at home",
        "1234567812345678",
        "7992739871300001",
        "192.168",
        "1.2.3.4.5",
        "0.0.0.0",
        "127.0.0.1",
    ];
    for text in harmless {
        assert_eq!(find(&detectors, text), None, "{text}");
    }
    assert_eq!(detectors.find("10.2.3.4", KeyContext::of("app_version")), None);
    assert_eq!(
        detectors.find("10.2.3.4", KeyContext::of("origin")),
        Some(Detector::IpAddress)
    );
}

#[test]
fn the_key_says_what_digits_and_dots_are() {
    for key in ["app_version", "buildVersion", "release", "os.ver"] {
        assert!(KeyContext::of(key).version_like, "{key}");
    }
    for key in ["server", "host", "cost", "position", "delivery", "observed"] {
        assert!(!KeyContext::of(key).version_like, "{key}");
    }
    assert!(KeyContext::of("orderId").id_like && KeyContext::of("tracking-number").id_like);
    assert!(!KeyContext::of("paid").id_like && !KeyContext::of("id_card").id_like);
}

#[test]
fn chance_hits_are_as_rare_as_computed() {
    let detectors = Detectors::new();
    let mut generator = fastrand::Rng::with_seed(3);
    let mut rate = |make: &dyn Fn(&mut fastrand::Rng) -> String| {
        let hits = (0..20_000)
            .filter(|_| find(&detectors, &make(&mut generator)).is_some())
            .count();
        hits as f64 / 20_000.0
    };
    let sixteen = rate(&|generator| random(generator, "0123456789", 16));
    assert!((0.015..0.035).contains(&sixteen), "bare random 16 digits: {sixteen}");
    type Make<'a> = &'a dyn Fn(&mut fastrand::Rng) -> String;
    let zero: [(&str, Make); 7] = [
        ("ms", &|generator| {
            format!(
                "1{}",
                random(generator, "56789", 1) + &random(generator, "0123456789", 11)
            )
        }),
        ("µs", &|generator| format!("17{}", random(generator, "0123456789", 14))),
        ("snowflake", &|generator| {
            format!("1{}", random(generator, "0123456789", 17))
        }),
        ("ulid", &|generator| {
            format!("01{}", random(generator, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24))
        }),
        ("git hash", &|generator| random(generator, HEX, 40)),
        ("order", &|generator| {
            format!(
                "ORD-{}-{}",
                random(generator, "0123456789", 6),
                random(generator, "ABCDEF", 4)
            )
        }),
        ("base62 id", &|generator| random(generator, ALNUM, 22)),
    ];
    for (name, make) in zero {
        let rate = rate(make);
        assert!(rate <= 0.0001, "{name}: {rate}");
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    let detectors = Detectors::new();
    let long = [
        "4 ".repeat(32_000),
        "@a".repeat(32_000),
        "ey".repeat(32_000),
        "DE12".repeat(16_000),
        "+1".repeat(32_000),
        "1.".repeat(32_000),
        "a:".repeat(32_000),
        "sk-".repeat(20_000),
        "%25".repeat(20_000),
        "&#38;".repeat(12_000),
        "\\\\".repeat(32_000),
        "SG.".repeat(20_000),
        "-----BEGIN ".repeat(6_000),
        "a@b.".repeat(16_000),
        "é@é.".repeat(10_000),
        "/AAAA".repeat(12_000),
        "xoxb-".repeat(12_000),
    ];
    for text in long {
        let started = std::time::Instant::now();
        let _ = find(&detectors, &text);
        // Some hundred times what it takes; quadratic work would be seconds.
        assert!(
            started.elapsed().as_secs_f64() < 2.0,
            "{}…: {:?}",
            &text[..8],
            started.elapsed()
        );
    }
}
