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

/// The script's modules.
const MODULES: &[page::File] = &[("backstage.js", include_str!("page/backstage.js"))];

/// The files beside the page, made at their first use.
static FILES: LazyLock<[File; 2]> = LazyLock::new(|| {
    let script = page::modules(MODULES, "backstage.js");
    let sheet = include_str!("page/backstage.css").to_owned();
    [
        File { name: "backstage.js", content_type: "text/javascript; charset=utf-8", body: script },
        File { name: "backstage.css", content_type: "text/css; charset=utf-8", body: sheet },
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
