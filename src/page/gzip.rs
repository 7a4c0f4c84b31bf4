//! Compression by gzip.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Compresses a body for `Content-Encoding: gzip`.
pub fn gzip(body: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(body).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}
