//! `$os` and `$browser` from the `User-Agent` header, for clients that send neither.
//!
//! The header is read in memory and forgotten. Versions are not taken: they are what makes a browser rare.

use woothee::parser::Parser;

/// What a user agent says, in the words of the policy's closed lists.
pub struct Agent {
    pub os: Option<&'static str>,
    pub browser: Option<&'static str>,
}

/// Browsers only: a crawler or an HTTP library speaks for nobody in front of a screen.
pub fn parse(user_agent: &str) -> Agent {
    let nothing = Agent {
        os: None,
        browser: None,
    };
    let Some(found) = Parser::new().parse(user_agent) else {
        return nothing;
    };
    if !matches!(found.category, "pc" | "smartphone" | "mobilephone" | "appliance") {
        return nothing;
    }
    Agent {
        os: os(found.os),
        browser: browser(found.name),
    }
}

fn os(name: &str) -> Option<&'static str> {
    Some(match name {
        name if name.starts_with("Windows Phone") => "Windows Phone",
        name if name.starts_with("Windows") => "Windows",
        "Mac OSX" | "Mac OS Classic" => "Mac OS X",
        "iPhone" | "iPad" | "iPod" | "iOS" => "iOS",
        "Android" => "Android",
        "ChromeOS" => "Chrome OS",
        "Linux" => "Linux",
        "BSD" => "FreeBSD",
        "BlackBerry" | "BlackBerry 10" => "BlackBerry",
        _ => return None,
    })
}

fn browser(name: &str) -> Option<&'static str> {
    Some(match name {
        "Chrome" => "Chrome",
        "Safari" => "Safari",
        "Firefox" => "Firefox",
        "Opera" => "Opera",
        "Edge" => "Microsoft Edge",
        "Internet Explorer" => "Internet Explorer",
        "Samsung Internet" | "SamsungBrowser" => "Samsung Internet",
        "Vivaldi" => "Vivaldi",
        "Yandex Browser" | "YaBrowser" => "Yandex",
        "Webview" => "Webview",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_and_libraries_are_not() {
        let chrome = parse(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        );
        assert_eq!((chrome.os, chrome.browser), (Some("Windows"), Some("Chrome")));
        let phone = parse(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        );
        assert_eq!((phone.os, phone.browser), (Some("iOS"), Some("Safari")));
        for library in [
            "python-requests/2.31",
            "curl/8.0",
            "",
            "Googlebot/2.1 (+http://www.google.com/bot.html)",
        ] {
            assert!(
                parse(library).os.is_none() && parse(library).browser.is_none(),
                "{library}"
            );
        }
    }
}
