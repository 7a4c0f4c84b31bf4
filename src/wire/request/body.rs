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
}

/// Reads a body by its `Content-Type`.
pub(super) fn said(head: &Head<'_>, query: &str, body: &[u8]) -> Result<Said, Refusal> {
    let text_of = |body| {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::BadUtf8)?;
        // Some editors and shells write a byte order mark first.
        Ok::<_, Refusal>(text.strip_prefix('\u{feff}').unwrap_or(text))
    };
    let codings = head.header_values("Content-Encoding").flat_map(|value| value.split(',').map(str::trim));
    if codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::UnsupportedContentEncoding);
    }
    let content_type = head.header("Content-Type").unwrap_or("application/x-www-form-urlencoded");
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|p| p.strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
    if charset.is_some_and(|charset| !matches!(&*charset, "utf-8" | "utf8" | "us-ascii")) {
        return Err(Refusal::UnsupportedMediaType);
    }
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            let [message, name, id] = fields(text_of(body)?, ["message", "name", "id"])?;
            Ok(Said { message, name, id })
        }
        "application/json" => {
            serde_json::from_str(text_of(body)?).map_err(|error| Refusal::BadJson(error.to_string()))
        }
        "text/plain" => {
            let [name, id] = fields(query, ["name", "id"])?;
            Ok(Said { message: Some(text_of(body)?.to_owned()), name, id })
        }
        _ => Err(Refusal::UnsupportedMediaType),
    }
}
