//! Answers in the dialects that SDKs compare byte by byte (contract T7, I5–I8).

use crate::decode::Parameters;
use crate::request::{Endpoint, IngestReply};
use serde_json::{Value, json};

/// What happened to the items of a request whose payload could be read.
#[derive(Default)]
pub struct Outcome {
    /// Stored, or dropped on purpose.
    pub good: usize,
    /// Not usable, in order of the request.
    pub failed: Vec<FailedRecord>,
}

/// A record that broke a rule. `message` is ours; `insert_id` goes back to the client that sent it and nowhere else.
pub struct FailedRecord {
    pub index: usize,
    pub insert_id: String,
    pub field: &'static str,
    pub message: String,
}

/// A request that was refused as a whole, for a reason that is not its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `/import` without a credential that opens a project.
    Unauthorized(&'static str),
    TooLarge(&'static str),
    /// The vault will never take this batch, so the client must not send it again.
    Unusable,
    /// Too much at once; nothing was stored.
    Overloaded,
    /// Vault or storage away; nothing was stored.
    Unavailable,
}

/// How long a client is asked to wait after 429 and 503.
pub const RETRY_AFTER_S: u32 = 2;

/// What is said where the vault refuses a batch for good.
pub const UNUSABLE: &str = "data, breaks a limit of the project";
const PARTIAL_FAILURE: &str = "some data points in the request failed validation";
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// The answer to a request whose items were looked at.
pub fn outcome(endpoint: Endpoint, parameters: &Parameters, outcome: &Outcome) -> IngestReply {
    match endpoint {
        Endpoint::Import => imported(parameters, outcome),
        // T10: one usable item makes the request good; SDKs would otherwise throw the good neighbours away.
        _ if outcome.good > 0 => status(endpoint, parameters, None, outcome.good),
        _ => {
            let error = outcome
                .failed
                .first()
                .map_or("data, missing or empty", |record| record.message.as_str());
            status(endpoint, parameters, Some(error), 0)
        }
    }
}

/// The answer to a request without items. Content problems never are 4xx here: Swift would retry for ever (T12).
pub fn unreadable(endpoint: Endpoint, parameters: &Parameters, error: &str) -> IngestReply {
    if endpoint == Endpoint::Import && parameters.strict {
        let body = json!({ "code": 400, "error": error, "num_records_imported": 0, "status": "Bad Request" });
        return json_reply(400, &body);
    }
    status(endpoint, parameters, Some(error), 0)
}

pub fn rejection(rejection: Rejection) -> IngestReply {
    let (code, status, error) = match rejection {
        Rejection::Unauthorized(error) => (401, "Unauthorized", error),
        Rejection::TooLarge(error) => (413, "Request Entity Too Large", error),
        Rejection::Unusable => (400, "Bad Request", UNUSABLE),
        Rejection::Overloaded => {
            let error = "Project exceeded rate limits. Please retry the request with exponential backoff.";
            (429, "Too Many Requests", error)
        }
        Rejection::Unavailable => (503, "Service Unavailable", "a temporary failure occurred"),
    };
    let mut reply = json_reply(code, &json!({ "code": code, "error": error, "status": status }));
    reply.retry_after_s = matches!(code, 429 | 503).then_some(RETRY_AFTER_S);
    reply
}

/// The dialects of T7.
fn status(endpoint: Endpoint, parameters: &Parameters, error: Option<&str>, good: usize) -> IngestReply {
    if parameters.img {
        return IngestReply {
            status: 200,
            content_type: "image/gif",
            body: GIF.to_vec(),
            retry_after_s: None,
        };
    }
    let number = if error.is_none() { 1 } else { 0 };
    let plain = number.to_string();
    let verbose = match endpoint {
        Endpoint::Engage | Endpoint::Groups if error.is_none() => {
            json!({ "error": null, "status": 1, "num_good_events": good })
        }
        _ => json!({ "error": error, "status": number }),
    };
    let body = if parameters.verbose { verbose.to_string() } else { plain };
    if let Some(callback) = &parameters.callback {
        return reply(200, "text/javascript", format!("{callback}({body});"));
    }
    reply(
        200,
        if parameters.verbose {
            "application/json"
        } else {
            "text/plain"
        },
        body,
    )
}

/// The dialects of I5.
fn imported(parameters: &Parameters, outcome: &Outcome) -> IngestReply {
    let failed = !outcome.failed.is_empty();
    match (parameters.strict, parameters.verbose, failed) {
        (true, _, false) => json_reply(
            200,
            &json!({ "code": 200, "num_records_imported": outcome.good, "status": "OK" }),
        ),
        (true, _, true) => json_reply(
            400,
            &json!({
                "code": 400,
                "error": PARTIAL_FAILURE,
                "failed_records": outcome.failed.iter().map(failed_record).collect::<Vec<_>>(),
                "num_records_imported": outcome.good,
                "status": "Bad Request",
            }),
        ),
        (false, true, _) => json_reply(
            200,
            &json!({
                "code": 200,
                "error": failed.then_some(PARTIAL_FAILURE),
                "num_records_imported": outcome.good,
                "status": if failed { 0 } else { 1 },
            }),
        ),
        (false, false, _) => reply(200, "text/plain", if outcome.good > 0 { "1" } else { "0" }.to_owned()),
    }
}

/// Both spellings of the id: the docs show one, the service and the Go SDK the other (I7).
fn failed_record(record: &FailedRecord) -> Value {
    json!({
        "index": record.index,
        "insert_id": record.insert_id,
        "$insert_id": record.insert_id,
        "field": record.field,
        "message": record.message,
    })
}

fn json_reply(status: u16, body: &Value) -> IngestReply {
    reply(status, "application/json", body.to_string())
}

fn reply(status: u16, content_type: &'static str, body: String) -> IngestReply {
    IngestReply {
        status,
        content_type,
        body: body.into_bytes(),
        retry_after_s: None,
    }
}
