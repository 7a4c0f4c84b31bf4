//! A file of the page as it is served: named by its version, and compressed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use flate2::Compression;

use super::gzip::gzip;

/// A name and a value of a header.
type Header = (&'static str, &'static str);

/// A browser keeps such a file and never asks again: a changed one has another name.
const FOR_GOOD: &[Header] = &[("Cache-Control", "public, max-age=31536000, immutable")];

/// A browser asks for the worker again and again, and lets it serve all that stands above its folder.
const WORKER: &[Header] = &[
    ("Cache-Control", "no-cache"),
    ("Service-Worker-Allowed", "../"),
    // By this policy it may ask this server, and no other.
    ("Content-Security-Policy", "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"),
];

/// One file of the page.
pub struct Asset {
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// More headers: among them how long it is kept.
    pub headers: &'static [Header],
    version: u64,
    body: Vec<u8>,
    compressed: OnceLock<Vec<u8>>,
}

impl Asset {
    /// The file as it is.
    pub fn plain(&self) -> &[u8] {
        &self.body
    }

    /// The file compressed, for `Content-Encoding: gzip`. Who asks first waits for that: a server that only scripts talk
    /// to starts sooner without it.
    pub fn gzip(&self) -> &[u8] {
        self.compressed.get_or_init(|| gzip(&self.body, Compression::best()))
    }

    /// A strong validator, with its quotes. Each encoding has its own, as RFC 9110 (8.8.1) requires.
    pub fn etag(&self, is_gzip: bool) -> String {
        format!("\"{:016x}{}\"", self.version, if is_gzip { "-gzip" } else { "" })
    }
}

/// A file and its name.
pub(super) struct Named {
    pub name: String,
    pub asset: Asset,
}

/// The file of this text. Its name holds a hash of it.
pub(super) fn named(stem: &str, extension: &str, content_type: &'static str, body: &[u8]) -> Named {
    let version = version(body);
    let name = format!("{stem}-{version:016x}.{extension}");
    Named { name, asset: asset(content_type, FOR_GOOD, version, body) }
}

/// The file of this text, which has the same name in every version.
pub(super) fn unversioned(name: &str, content_type: &'static str, body: &[u8]) -> Named {
    Named { name: name.to_owned(), asset: asset(content_type, WORKER, version(body), body) }
}

fn version(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

fn asset(content_type: &'static str, headers: &'static [Header], version: u64, body: &[u8]) -> Asset {
    Asset { content_type, headers, version, body: body.into(), compressed: OnceLock::new() }
}
