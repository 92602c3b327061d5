//! Closed lists: a value that is on one keeps its canonical spelling, every other becomes `Other`.
//!
//! Rare browsers and phone makers single people out (secrecy contract, TH-3), and a free field is where a client can
//! put anything at all.

/// What stands for everything that is not on a list.
pub const OTHER: &str = "Other";

pub const BROWSERS: &[&str] = &[
    "Chrome",
    "Chrome iOS",
    "Chromium",
    "Safari",
    "Mobile Safari",
    "Firefox",
    "Firefox iOS",
    "Microsoft Edge",
    "Edge",
    "Opera",
    "Opera Mini",
    "Internet Explorer",
    "Internet Explorer Mobile",
    "Samsung Internet",
    "UC Browser",
    "BlackBerry",
    "Konqueror",
    "Mozilla",
    "Android Mobile",
    "Facebook Mobile",
    "Whale Browser",
    "Yandex",
    "Vivaldi",
    "Brave",
    "DuckDuckGo",
    "Webview",
];

pub const OPERATING_SYSTEMS: &[&str] = &[
    "Windows",
    "Windows Phone",
    "Windows Mobile",
    "Mac OS X",
    "macOS",
    "iOS",
    "iPadOS",
    "Android",
    "Linux",
    "Chrome OS",
    "BlackBerry",
    "tvOS",
    "watchOS",
    "visionOS",
    "HarmonyOS",
    "FreeBSD",
    "KaiOS",
    "Tizen",
    "webOS",
];

pub const DEVICES: &[&str] = &[
    "iPhone",
    "iPad",
    "iPod Touch",
    "Android",
    "Android Tablet",
    "Windows Phone",
    "BlackBerry",
    "Desktop",
    "Mobile",
    "Tablet",
];

pub const MANUFACTURERS: &[&str] = &[
    "Apple",
    "Samsung",
    "Google",
    "Xiaomi",
    "Redmi",
    "POCO",
    "Huawei",
    "Honor",
    "OPPO",
    "vivo",
    "OnePlus",
    "Realme",
    "Motorola",
    "LG",
    "LGE",
    "Sony",
    "Nokia",
    "HMD Global",
    "HTC",
    "Lenovo",
    "ASUS",
    "TCL",
    "ZTE",
    "Infinix",
    "TECNO",
    "itel",
    "Microsoft",
    "Amazon",
    "Nothing",
    "Fairphone",
    "Sharp",
    "Acer",
    "Alcatel",
    "Dell",
    "HP",
];

pub const SEARCH_ENGINES: &[&str] = &[
    "google",
    "bing",
    "yahoo",
    "duckduckgo",
    "yandex",
    "baidu",
    "ecosia",
    "qwant",
    "brave",
    "naver",
    "startpage",
];

/// The value's canonical spelling, or [`OTHER`].
pub fn canonical(list: &[&'static str], value: &str) -> &'static str {
    let value = value.trim();
    // As it should be spelt it is found by comparing lengths and a few bytes.
    let exact = list.iter().find(|listed| **listed == value);
    exact
        .or_else(|| list.iter().find(|listed| listed.eq_ignore_ascii_case(value)))
        .copied()
        .unwrap_or(OTHER)
}
