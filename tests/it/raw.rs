//! Requests as bytes, for what no proper client sends.

use crate::chat::Chat;

/// A POST of plain text with these header lines, and the bytes behind its head.
pub fn post(chat: &Chat, headers: &str, rest: &str) -> Vec<u8> {
    let head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain", chat.path(""));
    format!("{head}\r\n{headers}\r\n\r\n{rest}").into_bytes()
}
