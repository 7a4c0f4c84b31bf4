//! The page of somebody whose request was refused: why, what they had written, and the way back.

use askama::Template;

use super::assets::{ASSETS, Assets};
use super::phrases::Language;

/// What the page shows.
pub struct Refused<'a> {
    /// The language of its words.
    pub language: Language,
    /// What did not work, in a few words.
    pub title: &'a str,
    /// Why, in a sentence.
    pub sentence: String,
    /// The room in which this was, if there is one.
    pub room: Option<&'a str>,
    /// The address of that room, or of the lobby.
    pub way_back: String,
    /// The text and the name in a message that was not published.
    pub written: Option<Written<'a>>,
    /// What every path begins with: empty, or `/talk`.
    pub prefix: &'a str,
}

/// A message that was not published.
pub struct Written<'a> {
    /// The text.
    pub message: &'a str,
    /// The name beside it.
    pub name: &'a str,
}

#[derive(Template)]
#[template(path = "refused.html", config = "src/page/askama.toml")]
struct RefusedHtml<'a> {
    language: Language,
    title: &'a str,
    sentence: &'a str,
    room: Option<&'a str>,
    way_back: &'a str,
    written: &'a Option<Written<'a>>,
    /// The sender's id of the message in this form: however often the form is sent, it is published once.
    id: String,
    prefix: &'a str,
    assets: &'static Assets,
}

/// The HTML of the page.
pub fn render_refused(refused: &Refused<'_>) -> String {
    let html = RefusedHtml {
        language: refused.language,
        title: refused.title,
        sentence: &refused.sentence,
        room: refused.room,
        way_back: &refused.way_back,
        written: &refused.written,
        id: format!("{:032x}", fastrand::u128(..)),
        prefix: refused.prefix,
        assets: &ASSETS,
    };
    // The template calls nothing that can fail, and a String takes every write.
    html.render().expect("rendering into a String succeeds")
}
