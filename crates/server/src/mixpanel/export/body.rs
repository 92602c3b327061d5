//! The body of an export: pieces as they come, compressed where that is worth it.

use super::Pull;
use crate::error::{ApiError, ApiResult};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tokio::sync::mpsc;

/// Answers up to this size are sent as they are (contract EX5).
const GZIP_BYTES_MIN: usize = 1400;

/// What an export is read from; an export, or a test's list.
pub trait Pieces: Send + 'static {
    fn next(&mut self) -> impl Future<Output = ApiResult<Option<Vec<u8>>>> + Send;
}

impl Pieces for Pull {
    async fn next(&mut self) -> ApiResult<Option<Vec<u8>>> {
        self.piece().await
    }
}

/// Answers with a stream that a task fills piece by piece. What fails before the first byte is sent is an error like
/// any other; a failure midway cuts the connection, so that the client sees an error and not a short file (EX7).
pub async fn respond(mut pieces: impl Pieces, accepts_gzip: bool) -> ApiResult<Response> {
    let mut head = Vec::new();
    let mut ended = false;
    while head.len() <= GZIP_BYTES_MIN && !ended {
        match pieces.next().await? {
            Some(lines) => head.extend(lines),
            None => ended = true,
        }
    }
    let gzip = accepts_gzip && head.len() > GZIP_BYTES_MIN;
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    tokio::spawn(async move {
        let mut encoder = Encoder::new(gzip);
        let mut next = Ok(Some(head));
        while let Ok(Some(lines)) = next {
            // A client that is gone reads nothing more, so nothing more is read for it.
            if sender.send(encoder.encode(&lines)).await.is_err() {
                return;
            }
            next = match ended {
                true => Ok(None),
                false => pieces.next().await,
            };
        }
        let end = match next {
            Ok(_) => encoder.finish(),
            Err(error) => Err(cut(&error)),
        };
        // A receiver that is gone needs no end.
        let _ = sender.send(end).await;
    });
    let chunks = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let mut response = Body::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The client learns only that the rest is missing; the log says why.
fn cut(error: &ApiError) -> std::io::Error {
    tracing::warn!(
        code = error.code.as_str(),
        "An export ended before its end: {}",
        error.message
    );
    std::io::Error::other("the export failed midway")
}

/// Lines as they are, or gzip of them.
enum Encoder {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(gzip: bool) -> Encoder {
        if gzip {
            Encoder::Gzip(GzEncoder::new(Vec::new(), Compression::fast()))
        } else {
            Encoder::Plain
        }
    }

    fn encode(&mut self, lines: &[u8]) -> std::io::Result<Bytes> {
        match self {
            Encoder::Plain => Ok(Bytes::copy_from_slice(lines)),
            Encoder::Gzip(encoder) => {
                encoder.write_all(lines)?;
                Ok(std::mem::take(encoder.get_mut()).into())
            }
        }
    }

    fn finish(self) -> std::io::Result<Bytes> {
        match self {
            Encoder::Plain => Ok(Bytes::new()),
            Encoder::Gzip(encoder) => encoder.finish().map(Bytes::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Pieces, then a failure or the end.
    struct Listed(Vec<ApiResult<Vec<u8>>>);

    impl Pieces for Listed {
        async fn next(&mut self) -> ApiResult<Option<Vec<u8>>> {
            match self.0.is_empty() {
                true => Ok(None),
                false => self.0.remove(0).map(Some),
            }
        }
    }

    async fn read(pieces: Vec<ApiResult<Vec<u8>>>, gzip: bool) -> (Option<HeaderValue>, Result<Vec<u8>, axum::Error>) {
        let response = respond(Listed(pieces), gzip).await.unwrap();
        let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        (coding, body.map(|bytes| bytes.to_vec()))
    }

    #[tokio::test]
    async fn small_answers_are_sent_as_they_are() {
        let (coding, body) = read(vec![Ok(vec![b'a'; 1_000]), Ok(Vec::new()), Ok(vec![b'b'; 400])], true).await;
        assert_eq!((coding, body.unwrap().len()), (None, 1_400));
        let (coding, body) = read(Vec::new(), true).await;
        assert_eq!(
            (coding, body.unwrap()),
            (None, Vec::new()),
            "nothing is no byte, not a newline"
        );
    }

    #[tokio::test]
    async fn large_answers_are_gzip_where_that_is_taken() {
        let pieces = || {
            vec![
                Ok(vec![b'a'; 1_401]),
                Ok(vec![b'b'; 3]),
                Ok(Vec::new()),
                Ok(vec![b'c'; 5]),
            ]
        };
        let (coding, body) = read(pieces(), true).await;
        assert_eq!(coding.unwrap(), "gzip");
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.unwrap().as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!((plain.len(), &plain[1_400..]), (1_409, b"abbbccccc".as_slice()));
        let (coding, body) = read(pieces(), false).await;
        assert_eq!((coding, body.unwrap()), (None, plain));
    }

    #[tokio::test]
    async fn a_failure_is_never_a_short_file() {
        let early = respond(Listed(vec![Ok(vec![b'a'; 9]), Err(ApiError::invalid("no"))]), true).await;
        assert_eq!(early.unwrap_err().message, "no");
        for gzip in [false, true] {
            let (_, body) = read(vec![Ok(vec![b'a'; 2_000]), Err(ApiError::invalid("no"))], gzip).await;
            assert!(body.is_err(), "gzip {gzip}");
        }
    }
}
