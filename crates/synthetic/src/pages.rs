//! The developer platform's own pages, endpoints and words.

/// The site, its manual and its app. All under a top-level domain that can belong to nobody.
pub(crate) const SITE: &str = "https://www.kiteline.example";
pub(crate) const DOCS: &str = "https://docs.kiteline.example";
pub(crate) const APP: &str = "https://app.kiteline.example";

/// Where a visit to the site can begin.
pub(crate) const LANDINGS: &[&str] = &[
    "/",
    "/",
    "/",
    "/speech",
    "/vision",
    "/embeddings",
    "/blog/how-we-cut-latency",
    "/blog/choosing-a-model",
    "/customers",
    "/compare",
];

/// Pages of the manual, the most read first.
pub(crate) const MANUAL: &[&str] = &[
    "/quickstart",
    "/authentication",
    "/api/chat",
    "/api/embeddings",
    "/guides/streaming",
    "/api/errors",
    "/sdks/python",
    "/sdks/typescript",
    "/guides/rate-limits",
    "/api/images",
    "/guides/batching",
    "/api/speech",
    "/guides/fine-tuning",
    "/sdks/go",
    "/guides/webhooks",
    "/api/files",
    "/guides/evaluation",
    "/changelog",
    "/guides/safety",
    "/sdks/rust",
    "/billing",
    "/guides/caching",
    "/self-hosting",
    "/glossary",
];

/// What people look for in the manual.
pub(crate) const SEARCHES: &[&str] = &[
    "rate limit",
    "streaming",
    "python sdk",
    "error 429",
    "timeout",
    "embeddings dimensions",
    "webhook retry",
    "pricing",
    "delete file",
    "batch size",
    "audio formats",
    "function calling",
    "context length",
    "invoice",
    "rotate key",
    "proxy",
];

pub(crate) const MODELS: &[&str] = &["swift-small", "swift-large", "atlas-2", "atlas-2-mini", "echo-voice"];
pub(crate) const ENDPOINTS: &[&str] = &["/v1/chat", "/v1/embeddings", "/v1/images", "/v1/speech", "/v1/files"];
pub(crate) const REGIONS: &[&str] = &["eu-west", "us-east", "us-west", "ap-south"];
pub(crate) const FEATURES: &[&str] = &["streaming", "tools", "json mode", "caching", "batching", "images"];
pub(crate) const LANGUAGES: &[&str] = &["python", "typescript", "go", "rust", "java", "ruby", "php", "csharp"];
pub(crate) const ERRORS: &[&str] = &[
    "invalid_request",
    "rate_limited",
    "timeout",
    "unauthorized",
    "overloaded",
];
pub(crate) const ROLES: &[&str] = &[
    "engineer",
    "founder",
    "data scientist",
    "product manager",
    "student",
    "architect",
];
pub(crate) const INDUSTRIES: &[&str] = &[
    "software",
    "retail",
    "finance",
    "health",
    "education",
    "media",
    "logistics",
    "games",
    "public sector",
    "energy",
];
pub(crate) const PLANS: &[&str] = &["free", "trial", "pro", "team", "enterprise"];
/// Monthly price of each plan in cents.
pub(crate) const PRICES: &[u32] = &[0, 0, 2_900, 19_900, 149_000];

/// Words that organizations' names and domains are made of.
pub(crate) const COMPANY_FIRST: &[&str] = &[
    "Nordic", "Copper", "Blue", "Silver", "Quiet", "Bright", "Harbor", "Maple", "Iron", "Velvet", "Granite", "Coral",
    "Amber", "North", "Solar", "Juniper", "Cedar", "Lunar", "Crystal", "Prairie", "Saffron", "Indigo", "Polar",
    "Willow",
];
pub(crate) const COMPANY_SECOND: &[&str] = &[
    "Loom", "Ledger", "Forge", "Orchard", "Signal", "Works", "Harvest", "Compass", "Pixel", "Atlas", "Lantern",
    "Bridge", "Foundry", "Current", "Meadow", "Circuit", "Quarry", "Beacon", "Studio", "Freight", "Clinic", "Academy",
    "Market", "Grid",
];
/// Where people without an organization have their mail.
pub(crate) const MAIL_HOSTS: &[&str] = &[
    "postbox.example",
    "mailhaven.example",
    "quickmail.test",
    "inboxly.example",
];
