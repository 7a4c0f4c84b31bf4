//! Bodies in parts (RFC 7578): a form that has a file in it.

use crate::config::{FILE_NAME_LIMIT, MULTIPART_PARTS};
use crate::wire::refusal::Refusal;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The name of the field.
    pub name: String,
    /// How its sender calls the file, if it is one.
    pub file_name: Option<String>,
    /// All of it.
    pub content: &'a [u8],
}

/// The string that stands between the parts, as the value of `Content-Type` gives it.
pub fn boundary(content_type: &str) -> Option<String> {
    let [_, boundary] = parameters(content_type, ["name", "boundary"]);
    boundary.filter(|boundary| {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
        (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_allowed) && !boundary.ends_with(' ')
    })
}

/// Reads the parts of a body. It takes time linear in its length: what is looked for begins with an end of a line, and has
/// none in it.
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, Refusal> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    // What stands before the first part is for nobody.
    let mut rest = match body.strip_prefix(first.as_bytes()) {
        Some(rest) => rest,
        None => split(body, next.as_bytes()).ok_or(Refusal::BadForm(CUT_OFF))?.1,
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        // Blanks may stand behind a boundary.
        let (blanks, behind) = split(rest, b"\r\n").ok_or(Refusal::BadForm(CUT_OFF))?;
        if !blanks.iter().all(|b| matches!(b, b' ' | b'\t')) {
            return Err(Refusal::BadForm(NO_PART));
        }
        let (part, behind) = split(behind, next.as_bytes()).ok_or(Refusal::BadForm(CUT_OFF))?;
        if parts.len() == MULTIPART_PARTS {
            return Err(Refusal::BadForm(TOO_MANY));
        }
        parts.push(read(part)?);
        rest = behind;
    }
}

/// Reads one part: header lines, an empty line, and the content.
fn read(part: &[u8]) -> Result<Part<'_>, Refusal> {
    let (head, content) = match part.strip_prefix(b"\r\n") {
        Some(_) => return Err(Refusal::BadForm(NO_PART)),
        None => split(part, b"\r\n\r\n").ok_or(Refusal::BadForm(NO_PART))?,
    };
    let head = std::str::from_utf8(head).map_err(|_| Refusal::BadUtf8)?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("Content-Disposition").then(|| value.trim())
    });
    let disposition = disposition.filter(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("form-data"))
    });
    let [name, file_name] = parameters(disposition.ok_or(Refusal::BadForm(NO_PART))?, ["name", "filename"]);
    let name = name.ok_or(Refusal::BadForm(NO_PART))?;
    Ok(Part { name, file_name: file_name.map(|name| unescaped(&name)), content })
}

/// The parameters of these names in a header's value. In quotes, a backslash stands before a quote and a backslash; before
/// anything else it is itself, as in the paths of Windows.
fn parameters<const N: usize>(value: &str, names: [&str; N]) -> [Option<String>; N] {
    let mut found = [const { None }; N];
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, behind)) = rest.split_once('=') {
        let name = name.trim().trim_start_matches([';', ' ']).trim().to_ascii_lowercase();
        let behind = behind.trim_start();
        let (value, next) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind[..end].trim().to_owned(), &behind[end..])
            }
        };
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            found[at].get_or_insert(value);
        }
        rest = next.trim_start_matches([';', ' ', '\t']);
    }
    found
}

/// What stands up to the next quote, and what follows it.
fn unquoted(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.push(chars.next_if(|(_, c)| matches!(c, '"' | '\\')).map_or('\\', |(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// A file's name as browsers write it: they escape what would end it (WHATWG, multipart/form-data).
fn unescaped(name: &str) -> String {
    // Longer ones are cut from the beginning, and so is this, before it costs anything.
    let from = name.char_indices().rev().nth(4 * FILE_NAME_LIMIT).map_or(0, |(at, _)| at);
    name[from..].replace("%22", "\"").replace("%0D", "").replace("%0A", "")
}

/// What stands before a separator, and what behind it.
fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|b| Some(b) == separator.first())?;
        if bytes[at..].starts_with(separator) {
            return Some((&bytes[..at], &bytes[at + separator.len()..]));
        }
        from = at + 1;
    }
}

const CUT_OFF: &str = "the body ends before its last boundary: send it whole, as multipart/form-data has it (curl -F does that)";

const NO_PART: &str = "a part of the body has no name: each begins with Content-Disposition: form-data; name=\"...\" and an empty line (curl -F does that)";

const TOO_MANY: &str = "the body has too many parts: a message has one file, and each field once";

#[cfg(test)]
mod tests {
    use super::*;

    fn part<'a>(name: &str, file_name: Option<&str>, content: &'a [u8]) -> Part<'a> {
        Part { name: name.into(), file_name: file_name.map(str::to_owned), content }
    }

    #[test]
    fn the_boundary_is_read_as_it_stands() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=----WebKitFormBoundaryAbC", Some("----WebKitFormBoundaryAbC")),
            ("multipart/form-data; charset=utf-8; Boundary=\"a b:c\"", Some("a b:c")),
            ("multipart/form-data;boundary=x;y=z", Some("x")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a\\\"b\"", None),
        ] {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn parts_are_fields_and_files() {
        let body = b"nothing\r\n--x \r\ncontent-disposition: form-data; name=message\r\n\r\nhi\r\nyou\r\n--x\r\n\
            Content-Type: image/png\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\" c:\\d%22.png\"\r\n\r\n\
            \x89PNG\r\n--y\r\n--x--\r\nnothing";
        let expected = [
            part("message", None, b"hi\r\nyou"),
            part("file", Some("a \"b\" c:\\d\".png"), b"\x89PNG\r\n--y"),
        ];
        assert_eq!(parts(body, "x").unwrap(), expected);
        assert_eq!(parts(b"--x--", "x").unwrap(), []);
        assert_eq!(
            parts(b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--x--", "x").unwrap(),
            [part("a", None, b"")]
        );
    }

    #[test]
    fn what_is_cut_off_or_no_form_is_refused() {
        let whole = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--";
        for cut in 0..whole.len() {
            assert!(parts(&whole[..cut], "x").is_err(), "{cut}");
        }
        for body in [
            &b"--x\r\n\r\nb\r\n--x--"[..],
            b"--x\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nb\r\n--x--",
            b"--x\r\nContent-Disposition: form-data\r\n\r\nb\r\n--x--",
            b"--xy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--",
            b"--x\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nb\r\n--x--",
        ] {
            assert!(parts(body, "x").is_err(), "{body:?}");
        }
        let many =
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n".repeat(MULTIPART_PARTS + 1);
        assert!(parts(&[&many[..], b"--x--"].concat(), "x").is_err());
    }
}
