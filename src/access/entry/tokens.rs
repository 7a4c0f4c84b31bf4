//! Tokens for scripts and operators: each has rights over some rooms.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use blake3::Hash;

use super::rights::Rights;
use super::secret::read_secret;
use crate::config::TOKEN_LEAST;

/// The tokens of a file, of which only hashes are kept.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<Hash, Arc<Token>>);

/// What is known of a token.
#[derive(Debug)]
pub struct Token {
    /// What it gives.
    pub rights: Rights,
    /// What the log calls it.
    pub label: String,
}

impl Tokens {
    /// Reads a file of scripts' tokens, each with its rights and rooms. An error is a sentence with the number of a
    /// line, and has no token in it.
    pub fn read(path: &Path) -> Result<Tokens, String> {
        Tokens::read_by(path, rights)
    }

    /// Reads a file of operators' tokens, each with its rooms.
    pub fn read_operators(path: &Path) -> Result<Tokens, String> {
        Tokens::read_by(path, operator)
    }

    fn read_by(path: &Path, rights: Reading) -> Result<Tokens, String> {
        let text = read_secret(path)?;
        Tokens::parse(&text, rights)
            .map_err(|(line, error)| format!("{}, line {line}: {error}", path.display()))
    }

    /// Reads lines of a token, what it gives, and perhaps a label, with blanks between. A line may be empty, or a
    /// comment after `#`.
    fn parse(text: &str, rights: Reading) -> Result<Tokens, (usize, String)> {
        let mut tokens = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (hash, token) = token(line, rights).map_err(|error| (number, error))?;
            if tokens.insert(hash, Arc::new(token)).is_some() {
                return Err((number, "this token stands there twice".to_owned()));
            }
        }
        Ok(Tokens(tokens))
    }

    /// The token that is this text.
    pub fn find(&self, given: &str) -> Option<&Arc<Token>> {
        // To find a hash tells nothing of the token, however long it takes.
        self.0.get(&blake3::hash(given.as_bytes()))
    }
}

/// Reads what a token gives, and the label behind it.
type Reading = fn(&str) -> Result<(Rights, &str), String>;

/// `RIGHTS ROOMS`, and perhaps a label.
fn rights(text: &str) -> Result<(Rights, &str), String> {
    let (rights, rest) = first_word(text);
    let (rooms, label) = first_word(rest);
    if rooms.is_empty() {
        return Err("a line is TOKEN RIGHTS ROOMS, and perhaps a label".to_owned());
    }
    Ok((Rights::parse(rights, rooms)?, label))
}

/// `ROOMS`, and perhaps a label.
fn operator(text: &str) -> Result<(Rights, &str), String> {
    let (rooms, label) = first_word(text);
    if rooms.is_empty() {
        return Err("a line is TOKEN ROOMS, and perhaps a label".to_owned());
    }
    Ok((Rights::operator(rooms)?, label))
}

fn token(line: &str, rights: Reading) -> Result<(Hash, Token), String> {
    let (secret, rest) = first_word(line);
    let (rights, label) = rights(rest)?;
    let hash = match secret.strip_prefix("blake3:") {
        Some(hex) => {
            Hash::from_hex(hex).map_err(|_| "after blake3: stand 64 hexadecimal digits".to_owned())?
        }
        None if secret.len() < TOKEN_LEAST => {
            return Err(format!("a token has {TOKEN_LEAST} characters or more, drawn at random"));
        }
        None if !secret.bytes().all(|b| b.is_ascii_graphic()) => {
            return Err("a token is of visible ASCII characters".to_owned());
        }
        None => blake3::hash(secret.as_bytes()),
    };
    Ok((hash, Token { rights, label: label.to_owned() }))
}

/// The first word of a text, and the text behind it.
fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
# who      what        where
0123456789abcdef  read        *         the dashboard
 fedcba9876543210\tread,write\tbuild-*,lobby
blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24 write log
";

    #[test]
    fn a_line_is_a_token_with_rights() {
        let tokens = Tokens::parse(TEXT, rights).unwrap();
        let found = |token: &str| tokens.find(token).map(|token| token.rights.to_string());
        assert_eq!(found("0123456789abcdef").unwrap(), "it may read in *");
        assert_eq!(found("fedcba9876543210").unwrap(), "it may read and write in build-*, lobby");
        assert_eq!(found("hello world").unwrap(), "it may write in log");
        let operators = Tokens::parse("0123456789abcdef  work,lobby the boss", operator).unwrap();
        let boss = operators.find("0123456789abcdef").unwrap();
        assert_eq!(boss.rights.to_string(), "it may do everything in work, lobby");
        assert_eq!(boss.label, "the boss");
        assert!(Tokens::parse("0123456789abcdef", operator).is_err());
        assert_eq!(tokens.find("0123456789abcdef").unwrap().label, "the dashboard");
        for other in ["", "0123456789abcde", "0123456789ABCDEF", "#"] {
            assert!(tokens.find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_the_token() {
        for (line, says) in [
            ("0123456789abcdef", "TOKEN RIGHTS ROOMS"),
            ("0123456789abcdef read", "TOKEN RIGHTS ROOMS"),
            ("0123456789abcdef all *", "\"all\" is not read"),
            ("0123456789abcdef read a/b", "names no rooms"),
            ("short read *", "16 characters"),
            ("blake3:12 read *", "64 hexadecimal"),
            ("0123456789abcd\u{e9}f read *", "ASCII"),
            ("0123456789abcdef read *\n0123456789abcdef write *", "twice"),
        ] {
            let (number, error) = Tokens::parse(&format!("# a comment\n\n{line}\n"), rights).unwrap_err();
            assert_eq!(number, 2 + line.lines().count());
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("0123456789"), "{error}");
        }
    }
}
