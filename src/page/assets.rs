//! The page's own files, embedded in the binary: joined, named by their version, and compressed.

use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

use super::join::{self, File};
use super::named::{Asset, Named, named};
use super::phrases::{LANGUAGES, Language};

const CSS: &str = "text/css; charset=utf-8";
pub(super) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The content type of an icon, and of a QR code.
pub const SVG: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal,)*) => {
        [$(($path, include_str!($path))),*]
    };
}

const MODULES: &[File] = &files! {
    "actions.js",
    "address.js",
    "announce.js",
    "ask.js",
    "asktext.js",
    "attach.js",
    "attention.js",
    "backlog.js",
    "bell.js",
    "blobs.js",
    "bus.js",
    "changes.js",
    "clipboard.js",
    "code.js",
    "composer.js",
    "copy.js",
    "editing.js",
    "election.js",
    "days.js",
    "draft.js",
    "element.js",
    "errands.js",
    "focus.js",
    "followed.js",
    "follower.js",
    "forme.js",
    "hub.js",
    "inforce.js",
    "inturn.js",
    "keyboard.js",
    "kept.js",
    "key.js",
    "later.js",
    "limits.js",
    "line.js",
    "locale.js",
    "log.js",
    "main.js",
    "mention.js",
    "needs.js",
    "note.js",
    "notices.js",
    "notification.js",
    "offline.js",
    "operator.js",
    "order.js",
    "outbox.js",
    "own.js",
    "past.js",
    "people.js",
    "phrase.js",
    "picture.js",
    "place.js",
    "plan.js",
    "poll.js",
    "presence.js",
    "private.js",
    "press.js",
    "quote.js",
    "roomrow.js",
    "rooms.js",
    "rows.js",
    "rule.js",
    "search.js",
    "share.js",
    "site.js",
    "sound.js",
    "stamp.js",
    "status.js",
    "strip.js",
    "subject.js",
    "text.js",
    "time.js",
    "track.js",
    "unread.js",
    "waiting.js",
    "wide.js",
    "wire.js",
    "words.js",
};

/// In the order in which they apply.
const SHEETS: &[File] = &files! {
    "style.css",
    "log.css",
    "actions.css",
    "quote.css",
    "composer.css",
    "attach.css",
    "panels.css",
    "notice.css",
    "order.css",
    "search.css",
    "small.css",
};

const LOGIN_SHEET: &str = include_str!("login.css");
const PLAIN_SHEET: &str = include_str!("noscript.css");
const ICON: &str = include_str!("icon.svg");
const ICON_UNREAD: &str = include_str!("icon-unread.svg");

/// Has Chromium compile all of the script while it comes, beside the page, and not piece by piece when it runs. Others
/// take it for a comment. The script is no module, though it is as strict: of what the worker keeps, Chromium keeps what
/// it has compiled with a plain script, for the next visit, and not with a module.
const BEGINNING: &str = "//# allFunctionsCalledOnLoad\n\"use strict\";\n";

/// The files of the page. The name of each holds a hash of its content.
pub(super) struct Assets {
    pub script: Named,
    pub sheet: Named,
    pub plain_sheet: Named,
    pub login_sheet: Named,
    pub icon: Named,
    pub icon_unread: Named,
}

impl Assets {
    /// The text of the sheet. A browser paints nothing before it has that: in the page of a room it is there with the first
    /// message, and as a file it comes a round trip later, but only once.
    pub fn style(&self) -> &str {
        str::from_utf8(self.sheet.asset.plain()).unwrap_or_default()
    }
}

/// The files, made at their first use.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let script = format!("{BEGINNING}{}", join::modules(MODULES, "main.js"));
    let sheet: Vec<&str> = SHEETS.iter().flat_map(|(_, text)| join::code(text)).collect();
    let sheet = sheet.join("\n");
    Assets {
        script: named("page", "js", JAVASCRIPT, script.as_bytes()),
        sheet: named("page", "css", CSS, sheet.as_bytes()),
        plain_sheet: named("noscript", "css", CSS, PLAIN_SHEET.as_bytes()),
        login_sheet: named("login", "css", CSS, LOGIN_SHEET.as_bytes()),
        icon: named("icon", "svg", SVG, ICON.as_bytes()),
        icon_unread: named("icon-unread", "svg", SVG, ICON_UNREAD.as_bytes()),
    }
});

/// The file of this name, if it is one of these, or the phrases of a language.
pub(super) fn asset(name: &str) -> Option<&'static Asset> {
    let Assets { script, sheet, plain_sheet, login_sheet, icon, icon_unread } = &*ASSETS;
    let found = [script, sheet, plain_sheet, login_sheet, icon, icon_unread]
        .into_iter()
        .find(|file| file.name == name);
    found.or_else(|| phrases_named(name)).map(|file| &file.asset)
}

/// The file from which the script has its phrases in this language. It is made when their first reader comes.
pub(super) fn phrases(language: Language) -> &'static Named {
    static MADE: [OnceLock<Named>; LANGUAGES] = [const { OnceLock::new() }; LANGUAGES];
    MADE[language.place()].get_or_init(|| {
        let script = str::from_utf8(ASSETS.script.asset.plain()).unwrap_or_default();
        // The phrases that the script says stand in it by their keys.
        let quoted: HashSet<&str> = script.split('"').collect();
        let text = language.script(|key| quoted.contains(key));
        named(&format!("phrases-{}", language.tag()), "js", JAVASCRIPT, text.as_bytes())
    })
}

fn phrases_named(name: &str) -> Option<&'static Named> {
    let (tag, _version) = name.strip_prefix("phrases-")?.rsplit_once('-')?;
    let language = Language::of(tag).filter(|language| language.tag() == tag)?;
    Some(phrases(language)).filter(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{HISTORY_MAX, NAME_LIMIT, ROOMS_ASKED_MAX, SEND_ID_MEMORY_MS, TEXT_LIMIT};

    #[test]
    fn the_script_holds_every_module_and_no_import() {
        assert!(asset("../page/assets.rs").is_none());
        let script = String::from_utf8_lossy(ASSETS.script.asset.plain());
        assert!(!script.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")));
        for (name, _) in MODULES {
            assert!(script.contains(&format!("// {name}\n")), "{name} is imported by none");
        }
    }

    #[test]
    fn the_script_has_the_server_s_limits() {
        let script = String::from_utf8_lossy(ASSETS.script.asset.plain());
        for limit in [
            format!("const TEXT_BYTES = {} * 1024;", TEXT_LIMIT / 1024),
            format!("const NAME_LETTERS = {NAME_LIMIT};"),
            format!("const ROOMS = {ROOMS_ASKED_MAX};"),
            // The most messages that it asks for at once.
            format!("const LEAP = {HISTORY_MAX};"),
            // It stops sending a message again a minute before the server forgets its id.
            format!("const REMEMBERED = {} * 60 * 1000;", SEND_ID_MEMORY_MS / 60_000 - 1),
        ] {
            assert!(script.contains(&limit), "{limit}");
        }
    }
}
