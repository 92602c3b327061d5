//! What comes in and what goes out, free of any HTTP library.

use std::net::IpAddr;

/// The four ingestion routes (contract section 1). `/engage` here is the one at the root, never the query endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Track,
    Engage,
    Groups,
    Import,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// One request as the server received it. Holds credentials and personal data, hence no `Debug`.
pub struct IngestRequest<'a> {
    pub endpoint: Endpoint,
    pub method: Method,
    /// The query string without its question mark, still percent-encoded.
    pub query: &'a str,
    pub content_type: Option<&'a str>,
    pub content_encoding: Option<&'a str>,
    pub authorization: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    /// `Sec-GPC: 1` or `DNT: 1` was sent.
    pub opted_out: bool,
    /// The client's address, from a trusted proxy's header where there is one. Looked up in memory, then gone.
    pub peer: Option<IpAddr>,
    pub body: &'a [u8],
}

/// The answer in the dialect that the request asked for. CORS headers are the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestReply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub retry_after_s: Option<u32>,
}
