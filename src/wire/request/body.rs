//! Bodies: a message as a form, in parts with a file, as JSON or as plain text.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{fields, owned};
use super::head::Head;
use super::multipart::{boundary, parts};
use crate::config::TEXT_LIMIT;
use crate::message::Upload;
use crate::wire::refusal::Refusal;

/// The fields of a body, whichever form it has.
#[derive(Default, Deserialize)]
pub(super) struct Said {
    pub message: Option<String>,
    pub name: Option<String>,
    pub id: Option<String>,
    pub key: Option<String>,
    pub of: Option<String>,
    pub reply_to: Option<String>,
    #[serde(skip)]
    pub file: Option<Upload>,
    pub topic: Option<String>,
    pub notice: Option<String>,
    #[serde(default, deserialize_with = "word")]
    pub r#for: Option<String>,
    #[serde(default, deserialize_with = "word")]
    pub seconds: Option<String>,
}

/// Reads a number, which in JSON may be one or a text.
fn word<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

/// Reads a body by its `Content-Type`.
pub(super) fn said(head: &Head<'_>, query: &str, body: &[u8]) -> Result<Said, Refusal> {
    match media_type(head)?.as_str() {
        FORM => {
            let names =
                ["message", "name", "id", "key", "of", "reply_to", "topic", "notice", "for", "seconds"];
            let [message, name, id, key, of, reply_to, topic, notice, r#for, seconds] =
                fields(text_of(body)?, names)?.map(owned);
            Ok(Said { message, name, id, key, of, reply_to, topic, notice, r#for, seconds, file: None })
        }
        "application/json" => {
            serde_json::from_str(text_of(body)?).map_err(|error| Refusal::BadJson(error.to_string()))
        }
        "text/plain" => {
            let [name, id, of, reply_to] = fields(query, ["name", "id", "of", "reply_to"])?.map(owned);
            let message = Some(text_of(body)?.to_owned());
            Ok(Said { message, name, id, of, reply_to, ..Said::default() })
        }
        MULTIPART => in_parts(head, body),
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// Refuses a body that is plain text, where it has nothing to say.
pub(super) fn not_plain_text(head: &Head<'_>) -> Result<(), Refusal> {
    if media_type(head)? == "text/plain" { Err(Refusal::UnsupportedMediaType) } else { Ok(()) }
}

/// Reads a form that may have a file in it. A browser sends the field of a file that nobody chose without a name.
fn in_parts(head: &Head<'_>, body: &[u8]) -> Result<Said, Refusal> {
    let boundary = boundary(head.header("Content-Type").unwrap_or_default());
    let boundary = boundary.ok_or(Refusal::BadForm("multipart/form-data names its boundary"))?;
    let mut said = Said::default();
    let mut bytes = 0;
    for part in parts(body, &boundary)? {
        if part.name == "file" {
            let name =
                part.file_name.ok_or(Refusal::BadForm("file is a file, as in curl -F file=@picture.png"))?;
            if name.is_empty() && part.content.is_empty() {
                continue;
            }
            if part.content.is_empty() {
                return Err(Refusal::BadForm("there is nothing in the file"));
            }
            let before = said.file.replace(Upload::new(&name, part.content));
            if before.is_some() {
                return Err(Refusal::BadForm(
                    "one message has one file: send the others with another message",
                ));
            }
            continue;
        }
        bytes += part.content.len();
        if bytes > TEXT_LIMIT {
            return Err(Refusal::MessageTooLarge);
        }
        let field = match part.name.as_str() {
            "message" => &mut said.message,
            "name" => &mut said.name,
            "id" => &mut said.id,
            "key" => &mut said.key,
            "of" => &mut said.of,
            "reply_to" => &mut said.reply_to,
            "topic" => &mut said.topic,
            "notice" => &mut said.notice,
            "for" => &mut said.r#for,
            "seconds" => &mut said.seconds,
            _ => continue,
        };
        field.get_or_insert(text_of(part.content)?.to_owned());
    }
    Ok(said)
}

/// The text of a body that may only be a form.
pub(super) fn form<'a>(head: &Head<'_>, body: &'a [u8]) -> Result<&'a str, Refusal> {
    match media_type(head)?.as_str() {
        FORM => text_of(body),
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

const MULTIPART: &str = "multipart/form-data";

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
