//! The page behind the stage: plain files without a build step.

use std::sync::LazyLock;

use crate::page;
use crate::wire::reply::Reply;

/// One file of it.
#[derive(Debug)]
pub struct File {
    name: &'static str,
    content_type: &'static str,
    body: String,
}

/// The policy of the page: its own files only. It listens to another server on this machine too.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

macro_rules! files {
    ($($name:literal,)*) => {
        [$(($name, include_str!(concat!("page/", $name)))),*]
    };
}

/// The script's modules.
const MODULES: [page::File; 21] = files! {
    "backstage.js",
    "canvas.js",
    "cells.js",
    "crowd.js",
    "engine.js",
    "failures.js",
    "figures.js",
    "grid.js",
    "levers.js",
    "mailbox.js",
    "palette.js",
    "plot.js",
    "posts.js",
    "projector.js",
    "rate.js",
    "server.js",
    "silence.js",
    "table.js",
    "texts.js",
    "things.js",
    "units.js",
};

/// What it has of the room's page.
const SHARED: page::File = ("element.js", include_str!("../page/element.js"));

/// The files beside the page, made at their first use.
static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    let files: Vec<page::File> = MODULES.into_iter().chain([SHARED]).collect();
    let script = page::modules(&files, "backstage.js");
    let sheet = include_str!("page/backstage.css").to_owned();
    let icon = include_str!("../page/icon.svg").to_owned();
    [
        File { name: "backstage.js", content_type: "text/javascript; charset=utf-8", body: script },
        File { name: "backstage.css", content_type: "text/css; charset=utf-8", body: sheet },
        File { name: "icon.svg", content_type: page::SVG, body: icon },
    ]
});

/// The page.
pub fn page() -> Reply {
    Reply::new(200, "text/html; charset=utf-8", include_str!("page/backstage.html").as_bytes())
        .with("Content-Security-Policy", CSP)
}

/// The file of this name.
pub fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

impl File {
    /// The file as a reply.
    pub fn reply(&'static self) -> Reply {
        Reply::new(200, self.content_type, self.body.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_script_holds_every_module_and_no_import() {
        let script = &file("backstage.js").unwrap().body;
        assert!(!script.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")));
        for (name, _) in MODULES {
            assert!(script.contains(&format!("// {name}\n")), "{name} is imported by none");
        }
    }

    #[test]
    fn each_place_in_the_code_that_the_page_names_is_there() {
        let texts = include_str!("page/texts.js");
        let places: Vec<_> =
            texts.split('"').filter_map(|text| text.strip_prefix("src/")?.split_once(": ")).collect();
        assert!(places.len() > 8, "the page names places as \"src/FILE: FUNCTION\"");
        for (path, function) in places {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
            let code = read_to_string(&file).unwrap_or_else(|error| panic!("src/{path}: {error}"));
            let is_there = ["(", "<"].iter().any(|next| code.contains(&format!("fn {function}{next}")));
            assert!(is_there, "src/{path} has no function {function}");
        }
    }
}
