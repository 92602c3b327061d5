//! From the bytes of a request to a list of JSON items and the parameters around them (contract 0.3).
//!
//! SDKs mislabel what they send: beacons call a form `text/plain`, Java says `charset=utf8`, Node and PHP do not escape
//! their base64, Python posts JSON inside a form. So the declared content type is not looked at; the bytes decide.

pub mod authorization;
pub mod base64;
mod form;
mod gzip;
mod parameters;
#[cfg(test)]
mod tests;

use crate::json::{self, Document};
use crate::request::{IngestRequest, Method};
pub use gzip::BODY_BYTES_MAX;
pub use parameters::Parameters;
use std::borrow::Cow;
use store::Reservation;

/// Why there are no items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("data, missing or empty")]
    Missing,
    #[error("data, not a valid base64 or JSON payload")]
    NotJson,
    #[error("data, not a valid gzip body")]
    NotGzip,
    /// The only one that deserves a 413: the client can send less at a time.
    #[error("request exceeds max limit of {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// There is not enough memory for it now.
    #[error("the server is short of memory")]
    MemoryShort,
}

/// What a byte of JSON takes until the log holds what it says, about: the parsed tree, the event made of it, the record.
const BYTES_PER_JSON_BYTE: usize = 6;

/// A decoded request. The parameters are known even where the payload is not, because they choose the reply's dialect.
pub struct Decoded {
    pub parameters: Parameters,
    pub payload: Result<Document, PayloadError>,
}

/// Decodes query and body. `memory` grows by what that takes, and by what is to come.
pub fn decode(request: &IngestRequest, memory: &mut Reservation) -> Decoded {
    let mut fields = form::fields(request.query.as_bytes());
    let body = match request.method {
        Method::Get => Ok(Cow::Borrowed(&[][..])),
        Method::Post => unpacked(request, memory),
    };
    let payload = body.and_then(|body| payload(&body, &mut fields, memory));
    Decoded {
        parameters: Parameters::from_fields(fields),
        payload,
    }
}

fn unpacked<'a>(request: &IngestRequest<'a>, memory: &mut Reservation) -> Result<Cow<'a, [u8]>, PayloadError> {
    let encoding = request.content_encoding.unwrap_or("").trim();
    let declared = encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip");
    if declared && gzip::is_gzip(request.body) {
        return gzip::unpack(request.body, memory).map(Cow::Owned);
    }
    if request.body.len() > BODY_BYTES_MAX {
        return Err(PayloadError::TooLarge);
    }
    // Declared and not packed: some proxies unpack and leave the header.
    Ok(Cow::Borrowed(request.body))
}

/// Steps 2 to 7. Body fields join `fields`, where the query's own win.
fn payload(body: &[u8], fields: &mut form::Fields, memory: &mut Reservation) -> Result<Document, PayloadError> {
    if starts_like_json(body) {
        return json_items(body, memory);
    }
    for (name, value) in form::fields(body) {
        fields.entry(name).or_insert(value);
    }
    let data = fields.remove("data").ok_or(PayloadError::Missing)?;
    if data.iter().all(u8::is_ascii_whitespace) {
        return Err(PayloadError::Missing);
    }
    if starts_like_json(&data) {
        return json_items(&data, memory);
    }
    let bytes = base64::decode(&data).ok_or(PayloadError::NotJson)?;
    if gzip::is_gzip(&bytes) {
        return json_items(&gzip::unpack(&bytes, memory)?, memory);
    }
    json_items(&bytes, memory)
}

fn starts_like_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'[' | b'{'))
}

fn json_items(bytes: &[u8], memory: &mut Reservation) -> Result<Document, PayloadError> {
    if !memory.grow(bytes.len() * BYTES_PER_JSON_BYTE) {
        return Err(PayloadError::MemoryShort);
    }
    let document = json::parse_document(bytes)
        .or_else(|_| json::parse_lines(bytes))
        .map_err(|_| PayloadError::NotJson)?;
    if document.items.is_empty() {
        Err(PayloadError::Missing)
    } else {
        Ok(document)
    }
}
