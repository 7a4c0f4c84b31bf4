//! Bodies with a file: how much memory one takes, and how fast it must come.

use std::time::Duration;

use crate::config::{TEXT_LIMIT, UPLOAD_PACE};
use crate::wire::request::{BodyLength, Head};

/// Whether a body may be longer than a text. Before it is read, the service is asked whether its sender may send one at all.
pub fn is_long(head: &Head<'_>, length: BodyLength, file: usize) -> bool {
    match length {
        BodyLength::Exact(bytes) => bytes > TEXT_LIMIT,
        BodyLength::Chunked => head.body_limit(file) > TEXT_LIMIT,
    }
}

/// How many bytes are held for a body of which so much has come. A file is there once more on its way to the store.
pub fn held(bytes: usize) -> usize {
    if bytes > TEXT_LIMIT { 2 * bytes } else { bytes }
}

/// How much longer a body may take of which so much has come.
pub fn pace(bytes: usize) -> Duration {
    let beyond = bytes.saturating_sub(TEXT_LIMIT) as u64;
    Duration::from_millis(beyond * 1_000 / UPLOAD_PACE)
}
