//! A part of a file that is asked for (RFC 9110, 14): how a player goes to and fro in a film, and how a download goes on.

use std::ops::Range;

use super::head::Head;
use crate::wire::refusal::Refusal;

/// The part of a file that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartAsked {
    bytes: Bytes,
    /// `If-Range`: of this version only. Of another one the client wants all.
    version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bytes {
    /// From this one to that one, or to the end.
    Between(u64, u64),
    /// The last ones, so many.
    Last(u64),
}

impl PartAsked {
    /// Reads `Range`. Whatever it is but one range of bytes does not count, as if it was not there.
    pub(super) fn of(head: &Head<'_>) -> Option<PartAsked> {
        let mut ranges = head.header_values("Range");
        let (Some(range), None, false) = (ranges.next(), ranges.next(), head.is_head()) else { return None };
        let (unit, range) = range.split_once('=')?;
        let (first, last) = range.trim().split_once('-')?;
        let bytes = match (first, last) {
            ("", last) => Bytes::Last(number(last)?),
            (first, "") => Bytes::Between(number(first)?, u64::MAX),
            (first, last) => Bytes::Between(number(first)?, number(last)?),
        };
        let is_read = unit.eq_ignore_ascii_case("bytes")
            && !matches!(bytes, Bytes::Between(first, last) if last < first);
        is_read.then(|| PartAsked { bytes, version: head.header("If-Range").map(str::to_owned) })
    }

    /// Which bytes of a file of this version and length it is, at least one; `None` if all of it is wanted.
    pub fn within(&self, version: &str, length: u64) -> Result<Option<Range<u64>>, Refusal> {
        if self.version.as_ref().is_some_and(|only| only != version) {
            return Ok(None);
        }
        let part = match self.bytes {
            Bytes::Between(first, last) => first..last.saturating_add(1).min(length),
            Bytes::Last(most) => length.saturating_sub(most)..length,
        };
        if part.is_empty() { Err(Refusal::NoSuchPart(length)) } else { Ok(Some(part)) }
    }
}

/// A number in digits. One that is too large for any file is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[(&str, &str)], length: u64) -> Option<Result<Option<Range<u64>>, Refusal>> {
        let lines = lines.iter().copied().collect();
        let head = Head::new("GET", "/", (1, 1), &lines);
        PartAsked::of(&head).map(|part| part.within("\"a\"", length))
    }

    #[test]
    fn one_range_is_the_bytes_that_it_names_and_anything_else_is_none() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("Bytes= 2-99 ", 2..10),
            ("bytes=9-", 9..10),
            ("bytes=-3", 7..10),
            ("bytes=-10", 0..10),
            ("bytes=-99", 0..10),
            ("bytes=0-18446744073709551615", 0..10),
            ("bytes=0-99999999999999999999999", 0..10),
        ] {
            assert_eq!(asked(&[("range", range)], 10), Some(Ok(Some(part))), "{range}");
        }
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=18446744073709551616-"] {
            assert_eq!(asked(&[("Range", range)], 10), Some(Err(Refusal::NoSuchPart(10))), "{range}");
        }
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5",
            "bytes=5-4",
            "bytes=1-2,4-5",
            "bytes=+1-2",
            "bytes=--1",
            "bytes=1-2-3",
            "bytes=a-b",
            "bytes=0x1-2",
            "lines=1-2",
            "1-2",
        ] {
            assert_eq!(asked(&[("Range", range)], 10), None, "{range:?}");
        }
        assert_eq!(asked(&[("Range", "bytes=1-2"), ("Range", "bytes=1-2")], 10), None);
        for (version, part) in [
            ("\"a\"", Some(1..3)),
            ("W/\"a\"", None),
            ("\"b\"", None),
            ("Thu, 26 Nov 2026 00:00:00 GMT", None),
        ] {
            assert_eq!(
                asked(&[("Range", "bytes=1-2"), ("If-Range", version)], 10),
                Some(Ok(part)),
                "{version}"
            );
        }
    }
}
