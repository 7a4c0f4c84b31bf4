//! A file of the page as it is served: named by its version, and compressed.

use std::hash::{DefaultHasher, Hash, Hasher};

use flate2::Compression;

use super::gzip::gzip;

/// The Cache-Control of every [`Asset`]. A browser keeps it and never asks again: a changed file has another name.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// One file of the page.
pub struct Asset {
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The file as it is.
    pub plain: Representation,
    /// The file compressed, for `Content-Encoding: gzip`.
    pub gzip: Representation,
}

/// One encoding of an [`Asset`].
pub struct Representation {
    /// A strong validator, with its quotes. Each encoding has its own, as RFC 9110 (8.8.1) requires.
    pub etag: String,
    /// The bytes to send.
    pub body: Vec<u8>,
}

/// A file and its name.
pub(super) struct Named {
    pub name: String,
    pub asset: Asset,
}

/// The file of this text. Its name holds a hash of it.
pub(super) fn named(stem: &str, extension: &str, content_type: &'static str, body: &str) -> Named {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let version = hasher.finish();
    let asset = Asset {
        content_type,
        plain: Representation { etag: format!("\"{version:016x}\""), body: body.into() },
        gzip: Representation {
            etag: format!("\"{version:016x}-gzip\""),
            body: gzip(body.as_bytes(), Compression::best()),
        },
    };
    Named { name: format!("{stem}-{version:016x}.{extension}"), asset }
}
