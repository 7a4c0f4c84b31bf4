//! Framing: where a request's body ends.

use super::head::Head;
use crate::config::TEXT_LIMIT;
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
    /// How much body follows. Refuses a head that is not sound, a length that is not clear, and a body over the
    /// limit.
    ///
    /// If a proxy and this server disagreed about the length, a client could hide a request in a body.
    pub fn body_length(&self) -> Result<BodyLength, Refusal> {
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
                    Ok(length) if length <= TEXT_LIMIT => Ok(BodyLength::Exact(length)),
                    // A number that is too large to parse is over the limit as well.
                    _ => Err(Refusal::MessageTooLarge),
                }
            }
        }
    }
}

fn has_upgrade(connection: &str) -> bool {
    connection.to_ascii_lowercase().contains("upgrade")
}
