//! The browsers and machines that people visit with.

/// One combination of browser, system and screen.
pub(crate) struct Setup {
    pub browser: &'static str,
    /// Major version at the start of the window; browsers with monthly releases move on from there.
    pub version: u16,
    pub monthly: bool,
    pub os: &'static str,
    /// Model family; only phones and tablets report one.
    pub device: Option<&'static str>,
    pub screen: (u16, u16),
    pub weight: u16,
    /// How readily visitors with this set-up sign up, 1 being average: nobody likes forms on a phone.
    pub eagerness: f32,
}

const fn desktop(browser: &'static str, version: u16, os: &'static str, screen: (u16, u16), weight: u16) -> Setup {
    Setup {
        browser,
        version,
        monthly: true,
        os,
        device: None,
        screen,
        weight,
        eagerness: 1.1,
    }
}

const fn phone(browser: &'static str, version: u16, os: &'static str, device: &'static str, weight: u16) -> Setup {
    Setup {
        browser,
        version,
        monthly: false,
        os,
        device: Some(device),
        screen: (390, 844),
        weight,
        eagerness: 0.45,
    }
}

pub(crate) const SETUPS: &[Setup] = &[
    desktop("Chrome", 148, "Mac OS X", (1728, 1117), 150),
    desktop("Chrome", 148, "Mac OS X", (2560, 1440), 70),
    desktop("Chrome", 148, "Windows", (1920, 1080), 180),
    desktop("Chrome", 148, "Windows", (1536, 864), 70),
    desktop("Chrome", 148, "Linux", (1920, 1080), 70),
    desktop("Microsoft Edge", 148, "Windows", (1920, 1080), 75),
    Setup {
        eagerness: 1.35,
        ..desktop("Firefox", 150, "Linux", (1920, 1200), 45)
    },
    Setup {
        eagerness: 1.25,
        ..desktop("Firefox", 150, "Windows", (1920, 1080), 30)
    },
    Setup {
        eagerness: 1.25,
        ..desktop("Firefox", 150, "Mac OS X", (1512, 982), 25)
    },
    Setup {
        monthly: false,
        ..desktop("Safari", 26, "Mac OS X", (1512, 982), 85)
    },
    Setup {
        eagerness: 0.9,
        ..desktop("Opera", 129, "Windows", (1366, 768), 12)
    },
    phone("Mobile Safari", 26, "iOS", "iPhone", 105),
    Setup {
        screen: (1180, 820),
        ..phone("Mobile Safari", 26, "iOS", "iPad", 12)
    },
    Setup {
        monthly: true,
        screen: (412, 915),
        ..phone("Chrome", 148, "Android", "Android", 85)
    },
    Setup {
        monthly: true,
        screen: (360, 800),
        ..phone("Samsung Internet", 29, "Android", "Android", 18)
    },
];
