//! What a server answers, read from the bytes of a connection.

use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;

use crate::config::{BENCH_HEADERS, BENCH_REPLY};

/// One whole reply.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Where to poll for what follows: the path of `Link: <...>; rel="next"`.
    pub next: Option<String>,
    /// The place in the room's order: `Chat-Cursor`.
    pub cursor: Option<String>,
    /// Whether the server says that messages before these are no longer kept.
    pub gap: bool,
    /// Whether the server ends the connection after this reply.
    pub close: bool,
    /// Whether the body is JSON.
    pub json: bool,
    /// The body, with any chunking undone.
    pub body: Vec<u8>,
    /// When its last bytes arrived at this machine.
    pub at: SystemTime,
}

/// Why bytes are not a reply.
#[derive(Debug)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<httparse::Error> for Malformed {
    fn from(error: httparse::Error) -> Malformed {
        Malformed(error.to_string())
    }
}

/// What the bench reads of a JSON reply to a poll.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    messages: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

/// What the bench reads of a JSON reply to a POST.
#[derive(Deserialize)]
struct Receipt {
    /// nchan has another word for it.
    #[serde(alias = "subscribers")]
    delivered: u64,
}

/// What the bench reads of a refusal in JSON.
#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    detail: std::borrow::Cow<'a, str>,
}

impl Reply {
    /// Takes the first whole reply off the buffer; `None` while it is not whole.
    pub fn take(inbox: &mut Vec<u8>, at: SystemTime) -> Result<Option<Reply>, Malformed> {
        let Some((reply, length)) = Reply::parse(inbox, at)? else {
            if inbox.len() > BENCH_REPLY {
                return Err(Malformed("a reply of more than 64 MiB".to_owned()));
            }
            return Ok(None);
        };
        inbox.drain(..length);
        Ok(Some(reply))
    }

    /// The texts of the messages in a `200`, oldest first.
    pub fn texts(&self) -> Result<Vec<String>, Malformed> {
        let malformed = |e: &dyn fmt::Display| Malformed(format!("the body: {e}"));
        if self.json {
            let batch: Batch<'_> = serde_json::from_slice(&self.body).map_err(|e| malformed(&e))?;
            Ok(batch.messages.into_iter().map(|m| m.text.into()).collect())
        } else {
            let text = std::str::from_utf8(&self.body).map_err(|e| malformed(&e))?;
            Ok(vec![text.to_owned()])
        }
    }

    /// How many waiters a publish reached, if its reply says.
    pub fn delivered(&self) -> Option<u64> {
        let receipt: Receipt = serde_json::from_slice(&self.body).ok()?;
        Some(receipt.delivered)
    }

    /// Whether this answers a poll: with messages, or with none.
    pub fn is_poll_answer(&self) -> bool {
        matches!(self.status, 200 | 204)
    }

    /// Whether the server says that it can't now.
    pub fn is_refusal(&self) -> bool {
        matches!(self.status, 429 | 503)
    }

    /// The status and what the server says for people: a problem's detail, or the first line of the body.
    pub fn summary(&self) -> String {
        let body = match serde_json::from_slice::<Problem<'_>>(&self.body) {
            Ok(problem) => problem.detail,
            Err(_) => String::from_utf8_lossy(&self.body),
        };
        let line: String = body.lines().next().unwrap_or_default().chars().take(200).collect();
        format!("{} {line}", self.status)
    }

    fn parse(buffer: &[u8], at: SystemTime) -> Result<Option<(Reply, usize)>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; BENCH_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head_length) = head.parse(buffer)? else {
            return Ok(None);
        };
        let mut reply = Reply {
            status: head.code.unwrap_or_default(),
            next: None,
            cursor: None,
            gap: false,
            close: head.version == Some(0),
            json: false,
            body: Vec::new(),
            at,
        };
        let mut length = None;
        let mut chunked = false;
        for header in head.headers.iter() {
            let value = String::from_utf8_lossy(header.value);
            let name = |wanted: &str| header.name.eq_ignore_ascii_case(wanted);
            if name("content-length") {
                let number = value.trim().parse::<usize>();
                length = Some(number.map_err(|_| Malformed(format!("Content-Length: {value}")))?);
            } else if name("transfer-encoding") {
                chunked = value.trim().eq_ignore_ascii_case("chunked");
            } else if name("content-type") {
                reply.json = value.starts_with("application/json");
            } else if name("connection") {
                reply.close = value.trim().eq_ignore_ascii_case("close");
            } else if name("chat-cursor") {
                reply.cursor = Some(value.trim().to_owned());
            } else if name("chat-gap") {
                reply.gap = true;
            } else if name("link") {
                reply.next = next_of(&value).or(reply.next);
            }
        }
        let rest = &buffer[head_length..];
        let bodyless = reply.status == 204 || reply.status == 304;
        let body_length = if bodyless {
            // A 204 has no body, whatever its Content-Length says.
            0
        } else if chunked {
            match unchunk(rest, &mut reply.body)? {
                Some(length) => length,
                None => return Ok(None),
            }
        } else {
            let length = length
                .ok_or_else(|| Malformed("a reply with neither Content-Length nor chunks".to_owned()))?;
            match rest.get(..length) {
                Some(body) => reply.body.extend_from_slice(body),
                None => return Ok(None),
            }
            length
        };
        Ok(Some((reply, head_length + body_length)))
    }
}

/// The target of `<...>; rel="next"` in a `Link` header, which may hold several links. A target may have commas.
fn next_of(link: &str) -> Option<String> {
    link.split('<').find_map(|one| {
        let (target, parameters) = one.split_once('>')?;
        let parameters = parameters.trim().trim_end_matches(',');
        let is_next =
            parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| target.to_owned())
    })
}

/// Undoes the chunking; answers how many bytes it took, or `None` while the last chunk is missing.
fn unchunk(mut rest: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
    let whole = rest.len();
    loop {
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| Malformed("a chunk's size".to_owned()))?;
        let httparse::Status::Complete((start, size)) = parsed else {
            return Ok(None);
        };
        let end = start.saturating_add(size as usize);
        let (Some(chunk), Some(b"\r\n")) = (rest.get(start..end), rest.get(end..end + 2)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(Some(whole - rest.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Reply {
        let mut inbox = bytes.to_vec();
        let reply = Reply::take(&mut inbox, SystemTime::UNIX_EPOCH).unwrap();
        assert!(inbox.is_empty(), "bytes were left over");
        reply.expect("the reply is whole")
    }

    #[test]
    fn a_reply_is_read_only_when_it_is_whole() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nChat-Cursor: c-1\r\n\
            Link: </up>; rel=\"up\", </chat/r,s?after=c-1>; rel=\"next\", </>; rel=\"top\"\r\n\r\nok";
        for end in 0..bytes.len() {
            let mut part = bytes[..end].to_vec();
            assert!(Reply::take(&mut part, SystemTime::UNIX_EPOCH).unwrap().is_none());
        }
        let reply = whole(bytes);
        assert_eq!(reply.next.as_deref(), Some("/chat/r,s?after=c-1"));
        assert_eq!(reply.cursor.as_deref(), Some("c-1"));
        assert_eq!(reply.texts().unwrap(), ["ok"]);
    }

    #[test]
    fn chunks_are_joined() {
        let reply = whole(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        );
        assert_eq!(reply.body, b"abcde");
    }

    #[test]
    fn a_204_has_no_body() {
        let reply = whole(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nChat-Gap: true\r\n\r\n");
        assert!(reply.gap && reply.body.is_empty());
    }

    #[test]
    fn json_gives_the_texts_and_the_receipt() {
        let reply = whole(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 51\r\n\r\n\
            {\"messages\":[{\"text\":\"a\\n\"},{\"text\":\"b\",\"kind\":1}]}",
        );
        assert_eq!(reply.texts().unwrap(), ["a\n", "b"]);
        let receipt = whole(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"delivered\":7}");
        assert_eq!(receipt.delivered(), Some(7));
    }

    #[test]
    fn a_refusal_says_why_in_json_and_in_plain_text() {
        let plain = whole(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\ntoo many\n");
        assert_eq!(plain.summary(), "503 too many");
        let json =
            whole(b"HTTP/1.1 503 Busy\r\nContent-Length: 34\r\n\r\n{\"status\":503,\"detail\":\"too many\"}");
        assert_eq!(json.summary(), "503 too many");
    }

    #[test]
    fn what_is_not_http_is_malformed() {
        let mut inbox = b"SSH-2.0-OpenSSH_9.6\r\n".to_vec();
        assert!(Reply::take(&mut inbox, SystemTime::UNIX_EPOCH).is_err());
    }
}
