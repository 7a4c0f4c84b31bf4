//! Bodies: a message as a form, as JSON or as plain text.

use serde::Deserialize;

use super::fields::fields;
use super::head::Head;
use crate::wire::refusal::Refusal;

/// The fields of a body, whichever form it has.
#[derive(Deserialize)]
pub(super) struct Said {
    pub message: Option<String>,
    pub name: Option<String>,
    pub id: Option<String>,
    pub key: Option<String>,
    pub of: Option<String>,
    pub reply_to: Option<String>,
}

/// Reads a body by its `Content-Type`.
pub(super) fn said(head: &Head<'_>, query: &str, body: &[u8]) -> Result<Said, Refusal> {
    match media_type(head)?.as_str() {
        FORM => {
            let names = ["message", "name", "id", "key", "of", "reply_to"];
            let [message, name, id, key, of, reply_to] = fields(text_of(body)?, names)?;
            Ok(Said { message, name, id, key, of, reply_to })
        }
        "application/json" => {
            serde_json::from_str(text_of(body)?).map_err(|error| Refusal::BadJson(error.to_string()))
        }
        "text/plain" => {
            let [name, id, of, reply_to] = fields(query, ["name", "id", "of", "reply_to"])?;
            Ok(Said { message: Some(text_of(body)?.to_owned()), name, id, key: None, of, reply_to })
        }
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// The text of a body that may only be a form.
pub(super) fn form<'a>(head: &Head<'_>, body: &'a [u8]) -> Result<&'a str, Refusal> {
    match media_type(head)?.as_str() {
        FORM => text_of(body),
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The body's type, in lower case. Refuses a body that is compressed, or in another character set.
fn media_type(head: &Head<'_>) -> Result<String, Refusal> {
    let codings = head.header_values("Content-Encoding").flat_map(|value| value.split(',').map(str::trim));
    if codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::UnsupportedContentEncoding);
    }
    let content_type = head.header("Content-Type").unwrap_or(FORM);
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|p| p.strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
    if charset.is_some_and(|charset| !matches!(&*charset, "utf-8" | "utf8" | "us-ascii")) {
        return Err(Refusal::UnsupportedMediaType);
    }
    Ok(media_type)
}

fn text_of(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::BadUtf8)?;
    // Some editors and shells write a byte order mark first.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
