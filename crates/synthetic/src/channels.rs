//! How visitors find the site, and how much each way of finding it is worth.

/// A source of visitors.
pub(crate) struct Channel {
    /// What the visitor's profile says about it.
    pub name: &'static str,
    pub weight: u16,
    /// Full referrers and their registrable domains; empty for those who type the address.
    pub referrers: &'static [(&'static str, &'static str)],
    /// `utm_source` and `utm_medium`; absent for channels nobody tags.
    pub campaign: Option<(&'static str, &'static str)>,
    /// Values of `utm_campaign`.
    pub campaigns: &'static [&'static str],
    /// Probability to sign up at all.
    pub sign_up: f32,
    /// Probability to create a key after signing up.
    pub key: f32,
    /// Probability to pay after the first call.
    pub upgrade: f32,
}

pub(crate) const CHANNELS: &[Channel] = &[
    Channel {
        name: "organic search",
        weight: 300,
        referrers: &[
            ("https://www.google.com/", "google.com"),
            ("https://www.google.com/", "google.com"),
            ("https://www.bing.com/", "bing.com"),
            ("https://duckduckgo.com/", "duckduckgo.com"),
        ],
        campaign: None,
        campaigns: &[],
        sign_up: 0.27,
        key: 0.66,
        upgrade: 0.17,
    },
    Channel {
        name: "direct",
        weight: 220,
        referrers: &[],
        campaign: None,
        campaigns: &[],
        sign_up: 0.36,
        key: 0.70,
        upgrade: 0.21,
    },
    Channel {
        name: "paid search",
        weight: 140,
        referrers: &[("https://www.google.com/", "google.com")],
        campaign: Some(("google", "cpc")),
        campaigns: &["brand-eu", "brand-us", "vector-api", "speech-api"],
        sign_up: 0.19,
        key: 0.48,
        upgrade: 0.12,
    },
    Channel {
        name: "paid social",
        weight: 110,
        referrers: &[
            ("https://www.linkedin.com/feed/", "linkedin.com"),
            ("https://t.co/", "t.co"),
        ],
        campaign: Some(("linkedin", "paid-social")),
        campaigns: &["spring-launch", "cto-webinar", "migration-guide"],
        sign_up: 0.10,
        key: 0.35,
        upgrade: 0.08,
    },
    Channel {
        name: "community",
        weight: 90,
        referrers: &[
            ("https://news.devtalk.example/item?id=40211", "devtalk.example"),
            ("https://forum.makers.example/t/which-api", "makers.example"),
            ("https://github.com/", "github.com"),
        ],
        campaign: None,
        campaigns: &[],
        sign_up: 0.40,
        key: 0.78,
        upgrade: 0.11,
    },
    Channel {
        name: "newsletter",
        weight: 60,
        referrers: &[],
        campaign: Some(("newsletter", "email")),
        campaigns: &["weekly-31", "weekly-34", "weekly-38", "changelog"],
        sign_up: 0.31,
        key: 0.60,
        upgrade: 0.22,
    },
    Channel {
        name: "partner",
        weight: 45,
        referrers: &[("https://marketplace.cloudshelf.example/kiteline", "cloudshelf.example")],
        campaign: Some(("cloudshelf", "partner")),
        campaigns: &["marketplace"],
        sign_up: 0.42,
        key: 0.72,
        upgrade: 0.30,
    },
    Channel {
        name: "invitation",
        weight: 55,
        referrers: &[],
        campaign: Some(("invite", "email")),
        campaigns: &["teammate"],
        sign_up: 0.74,
        key: 0.69,
        upgrade: 0.26,
    },
];
