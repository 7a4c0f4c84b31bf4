//! Framing: where a request's body ends.

use super::head::Head;
use crate::config::{MULTIPART_SPARE, TEXT_LIMIT};
use crate::wire::refusal::Refusal;

/// How much body follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// This many bytes; 0 if there is no body.
    Exact(usize),
    /// Chunks; the last one ends the body.
    Chunked,
}

impl Head<'_> {
    /// The most bytes that the body may have, where a file may have so many.
    pub fn body_limit(&self, file: usize) -> usize {
        match self.may_have_file() && file > 0 {
            true => TEXT_LIMIT + MULTIPART_SPARE + file,
            false => TEXT_LIMIT,
        }
    }

    /// Why a longer body is refused.
    pub fn too_large(&self, file: usize) -> Refusal {
        match self.may_have_file() {
            true if file == 0 => Refusal::NoFiles,
            true => Refusal::FileTooLarge(file),
            false => Refusal::MessageTooLarge,
        }
    }

    fn may_have_file(&self) -> bool {
        let content_type = self.header("Content-Type").unwrap_or_default();
        self.method == "POST" && content_type.to_ascii_lowercase().starts_with("multipart/form-data")
    }

    /// How much body follows, where a file may have so many bytes. Refuses a head that is not sound, a length that is not
    /// clear, and a body over the limit.
    ///
    /// If a proxy and this server disagreed about the length, a client could hide a request in a body.
    pub fn body_length(&self, file: usize) -> Result<BodyLength, Refusal> {
        self.check()?;
        let mut encodings = self.header_values("Transfer-Encoding");
        let mut lengths = self.header_values("Content-Length");
        match (encodings.next(), lengths.next()) {
            (None, None) => Ok(BodyLength::Exact(0)),
            (Some(_), None) if self.version == (1, 0) => {
                Err(Refusal::BadFraming("HTTP/1.0 has no Transfer-Encoding"))
            }
            // tiny_http does not read chunks if the connection may be upgraded.
            (Some(_), None) if self.header_values("Connection").any(has_upgrade) => {
                Err(Refusal::BadFraming("a body in chunks can't come with Connection: upgrade"))
            }
            (Some(encoding), None) => {
                if encoding.eq_ignore_ascii_case("chunked") && encodings.next().is_none() {
                    Ok(BodyLength::Chunked)
                } else {
                    Err(Refusal::BadFraming("the only Transfer-Encoding that this server knows is chunked"))
                }
            }
            (Some(_), Some(_)) => {
                Err(Refusal::BadFraming("a request has Content-Length or Transfer-Encoding, not both"))
            }
            (None, Some(length)) => {
                if lengths.any(|other| other != length) {
                    return Err(Refusal::BadFraming("Content-Length came more than once"));
                }
                if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Refusal::BadFraming("Content-Length is a whole number of bytes"));
                }
                match length.parse() {
                    Ok(length) if length <= self.body_limit(file) => Ok(BodyLength::Exact(length)),
                    // A number that is too large to parse is over the limit as well.
                    _ => Err(self.too_large(file)),
                }
            }
        }
    }
}

fn has_upgrade(connection: &str) -> bool {
    connection.to_ascii_lowercase().contains("upgrade")
}
