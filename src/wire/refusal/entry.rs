//! What somebody is told who is not let in.

use std::fmt;

use crate::wire::path::LOGIN;

/// The cookie that holds a browser's session.
pub const SESSION_COOKIE: &str = "chat-session";

/// A request of somebody who is not in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotIn {
    /// Why that is so.
    pub why: Why,
    /// What lets in.
    pub by: By,
    /// Where a browser goes when it is in.
    pub to: String,
    /// What every path begins with, in a browser's view: empty, or `/talk`.
    pub prefix: String,
    /// Whether a browser asks: it must show our page, and no dialog of its own.
    pub browser: bool,
}

/// Why somebody is not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing was given that lets in, or a session that has ended.
    Stranger,
    /// Not the passphrase.
    WrongPassphrase,
    /// Not a token of this server.
    WrongToken,
    /// An invite that has ended, or is none of this server.
    NoInvite,
}

/// What lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A passphrase, and an invite.
    Passphrase,
    /// Only a token.
    Token,
}

impl NotIn {
    /// The header `WWW-Authenticate`. On `Basic` a browser opens a dialog of its own, and on `Cookie` none.
    pub fn challenge(&self) -> String {
        match (self.by, self.browser) {
            (By::Passphrase, true) => {
                let form = format!("{}{LOGIN}", self.prefix);
                format!("Cookie realm=\"comet-chat\", form-action=\"{form}\", cookie-name={SESSION_COOKIE}")
            }
            (By::Passphrase, false) => "Basic realm=\"comet-chat\", charset=\"UTF-8\"".to_owned(),
            (By::Token, _) => "Bearer realm=\"comet-chat\"".to_owned(),
        }
    }
}

impl fmt::Display for NotIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.why, self.by) {
            (Why::WrongPassphrase, _) => "this is not the passphrase: write it as it was given to you",
            (Why::WrongToken, _) => "this server does not know this token",
            (Why::NoInvite, _) => "this invite has ended, or is none of this chat: ask for a new one",
            (Why::Stranger, By::Passphrase) => {
                "this chat has a passphrase: send it as the password of HTTP Basic, as in curl -u NAME:PASSPHRASE, or log in with a browser"
            }
            (Why::Stranger, By::Token) => "this chat lets in programs with a token: send Authorization: Bearer TOKEN",
        })
    }
}
