//! Inputs by chance: a known text, changed in some places.

use std::env;

/// Pieces that mean something to a parser.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r\n\r\n",
    "\0",
    "\t",
    " ",
    "%",
    "%00",
    "%0d%0a",
    "%c3%28",
    "%2f",
    "~",
    "-",
    ",",
    ".",
    "..",
    "=",
    "&",
    "?",
    "#",
    "/",
    "//",
    "://",
    ":",
    ";",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "null",
    "+",
    "*",
    "<",
    "'",
    "é",
    "e\u{301}",
    "\u{200d}",
    "\u{202e}",
    "\u{feff}",
    "🦀",
    "ﬁ",
    "İ",
    "0",
    "-1",
    "+1",
    "1e9",
    "4294967296",
    "18446744073709551615",
    "9223372036854775808",
    "00000000",
    "89abcdef",
    "0123abcd-1",
    "oldest",
    "latest",
    "chunked",
    "gzip",
    "HTTP/1.0",
    "HTTP/2.0",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: ",
    "Origin: null\r\n",
    "after=",
    "last=",
    "limit=",
    "name=",
    "wait=",
    "kinds=",
    "present=",
    "127.0.0.1",
    "::1",
    "[::1]:80",
    "::ffff:1.2.3.4",
];

pub struct Chance {
    random: fastrand::Rng,
    times: usize,
}

impl Chance {
    /// That of `SEED`, or the same each time.
    pub fn new() -> Chance {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
        let seed = number("SEED").unwrap_or(1);
        println!("repeat this with SEED={seed}");
        let times = number("TIMES").map_or(1, |times| times as usize);
        Chance { random: fastrand::Rng::with_seed(seed), times }
    }

    /// So many, or `TIMES` as many.
    pub fn times(&self, rounds: usize) -> usize {
        rounds * self.times
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.usize(..end)
    }

    /// A known text with one to eight changes.
    pub fn input(&mut self, seeds: &[&str]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].as_bytes().to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut input, seeds);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[&str]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below(input.len() - at + 1);
        match self.below(7) {
            0 => drop(input.drain(at..end.min(at + 16))),
            1 => input.truncate(at),
            2 if at < input.len() => input[at] = self.random.u8(..),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let other = seeds[self.below(seeds.len())].as_bytes();
                let from = self.below(other.len() + 1);
                input.splice(at..end, other[from..].iter().copied());
            }
            5 => {
                let (piece, many) = (PIECES[self.below(PIECES.len())], 1 + self.below(70));
                input.splice(at..at, piece.as_bytes().repeat(many));
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                input.splice(at..at, piece.bytes());
            }
        }
        input.truncate(64 * 1024);
    }
}
