//! The words and signs of a Rust file, without comments, texts and test-only items.

/// The tokens of a file: words, `::`, and every other sign by itself.
pub fn tokens(text: &str) -> Vec<String> {
    without_tests(split(text))
}

fn split(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        match rest {
            ['/', '/', ..] => at += rest.iter().take_while(|&&c| c != '\n').count(),
            ['/', '*', ..] => at += comment(rest),
            ['r', '#', '"', ..] | ['r', '"', ..] | ['b', 'r', '"' | '#', ..] => at += raw_text(rest),
            ['"', ..] => at += quoted(rest, '"'),
            ['\'', '\\', ..] | ['\'', _, '\'', ..] => at += quoted(rest, '\''),
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                at += 2;
            }
            [c, ..] if is_word(*c) => {
                let word: String = rest.iter().take_while(|&&c| is_word(c)).collect();
                at += word.chars().count();
                tokens.push(word);
            }
            [c, ..] if c.is_whitespace() => at += 1,
            [c, ..] => {
                tokens.push(c.to_string());
                at += 1;
            }
            [] => unreachable!("the loop ends before"),
        }
    }
    tokens
}

/// The length of a comment in slashes and stars, which may hold other such comments.
fn comment(chars: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    loop {
        match &chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            [] => return at,
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of a text or a character, with its quotes.
fn quoted(chars: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw text, such as `r#"..."#`.
fn raw_text(chars: &[char]) -> usize {
    let open = chars.iter().position(|&c| c == '"').unwrap_or(chars.len());
    let hashes = chars[..open].iter().filter(|&&c| c == '#').count();
    let mut close = vec!['"'];
    close.resize(hashes + 1, '#');
    let body = chars.get(open + 1..).unwrap_or_default();
    let length = body.windows(close.len()).position(|window| window == close);
    open + 1 + length.unwrap_or(body.len()) + close.len()
}

/// Leaves out each item behind `#[cfg(test)]`, or behind a condition with `test` in it.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_attribute = tokens[at] == "#" && tokens.get(at + 1).is_some_and(|token| token == "[");
        if !is_attribute {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let end = at + 1 + closed(&tokens[at + 1..]);
        let attribute = &tokens[at..end];
        at = end;
        if attribute[2] == "cfg" && attribute.iter().any(|word| word == "test") {
            at += item(&tokens[at..]);
        }
    }
    kept
}

/// The length of the text between a bracket and its closing bracket.
fn closed(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "[" | "{" | "(" => depth += 1,
            "]" | "}" | ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The length of an item: up to a semicolon or the end of its braces.
fn item(tokens: &[String]) -> usize {
    let is_use = tokens.iter().take_while(|token| *token != "{").any(|token| token == "use");
    let end = tokens.iter().position(|token| token == ";" || (token == "{" && !is_use));
    match end {
        Some(end) if tokens[end] == "{" => end + closed(&tokens[end..]),
        Some(end) => end + 1,
        None => tokens.len(),
    }
}
