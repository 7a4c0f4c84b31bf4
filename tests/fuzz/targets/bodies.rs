//! Bodies: a form, JSON and plain text say the same.

use comet_chat::wire::refusal::Refusal;
use comet_chat::wire::request::{Head, Intent, parse};

use super::{Target, seal, text};

pub const TARGET: Target = Target {
    name: "bodies",
    seeds: &[
        "hi|anna|anna-1",
        "hi|anna|anna-1|0123456789abcdef0123456789abcdef",
        "two\nlines & 100% = \u{1f980}|Zoë|",
        " | |x",
        "<b>|a=b&c|id",
        "\u{feff}x|n",
    ],
    check,
};

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    let mut fields = text.splitn(4, '|');
    let (message, name, id, key) = (fields.next(), fields.next(), fields.next(), fields.next());
    let given = [("message", message), ("name", name), ("id", id), ("key", key)];
    let given: Vec<(&str, &str)> =
        given.iter().filter_map(|(field, value)| value.map(|value| (*field, value))).collect();
    let form: Vec<String> =
        given.iter().map(|(field, value)| format!("{field}={}", encoded(value))).collect();
    let form = form.join("&");
    let json: serde_json::Map<_, _> =
        given.iter().map(|(field, value)| ((*field).to_owned(), serde_json::json!(value))).collect();
    let json = serde_json::to_vec(&json).expect("strings");
    let by_form = post("/chat", "application/x-www-form-urlencoded", form.as_bytes());
    let by_json = post("/chat", "application/json", &json);
    assert_eq!(by_form, by_json);
    let query: Vec<String> =
        given[1..].iter().map(|(field, value)| format!("{field}={}", encoded(value))).collect();
    let by_text = post(&format!("/chat?{}", query.join("&")), "text/plain", message.unwrap_or("").as_bytes());
    // A byte order mark at the beginning of a text is an editor's. A key stands in no address.
    if !text.starts_with('\u{feff}') && key.is_none() {
        assert_eq!(by_form, by_text);
    }
    if let Ok(Intent::Publish(publish)) = by_form {
        assert_eq!(Some(&*publish.text), message);
        assert_eq!(publish.send_id.as_ref().map(|id| id.as_str()), id);
    }
}

fn post(target: &str, media_type: &str, body: &[u8]) -> Result<Intent, Refusal> {
    let lines = [("Host", "localhost"), ("Content-Type", media_type)].into_iter().collect();
    parse(&Head::new("POST", target, (1, 1), &lines), body, &seal())
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
