//! The page's modules, joined into one script for their first reader: one request, and no build step.
//!
//! Each module becomes a function that returns its exports, and stands after the modules that it imports. The
//! page's modules are written for this: `import { a, b } from "./x.js";` at the beginning, `export` before a
//! function, a class or a constant, no circle of imports, and comments on lines of their own. Those are for who reads the
//! modules here: without them the script is a quarter lighter on the wire.

use std::fmt::Write;

/// A file's name and text.
pub type File = (&'static str, &'static str);

/// Joins `main` and all modules that it needs; `main` comes last.
pub fn modules(files: &[File], main: &str) -> String {
    let mut joined = String::new();
    add(files, main, &mut Vec::new(), &mut joined);
    joined
}

fn add<'a>(files: &'a [File], name: &'a str, added: &mut Vec<&'a str>, joined: &mut String) {
    if added.contains(&name) {
        return;
    }
    let found = files.iter().find(|(file, _)| *file == name);
    // A test joins the files that the binary holds.
    let (_, text) = found.unwrap_or_else(|| panic!("the page has no {name}"));
    let (imports, body) = split(text);
    for (_, from) in &imports {
        add(files, from, added, joined);
    }
    added.push(name);

    let mut exports = Vec::new();
    let mut inner = String::new();
    for (names, from) in imports {
        let _ = writeln!(inner, "const {{ {names} }} = {};", variable(from));
    }
    for line in code(body) {
        let line = match line.strip_prefix("export ") {
            None => line,
            Some(declared) => {
                exports.push(name_of(declared));
                declared
            }
        };
        inner.push_str(line);
        inner.push('\n');
    }
    let variable = variable(name);
    let _ = write!(
        joined,
        "// {name}\nconst {variable} = (() => {{\n{inner}return {{ {} }};\n}})();\n",
        exports.join(", ")
    );
}

/// The lines of a text that are more than a comment, without what stands before and behind them. No text of the page goes
/// over several lines.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    let mut is_in_comment = false;
    text.lines().map(str::trim).filter(move |line| {
        let begins = line.starts_with("/*");
        let is_comment = is_in_comment || begins || line.starts_with("//");
        is_in_comment = (is_in_comment || begins) && !line.ends_with("*/");
        !is_comment && !line.is_empty()
    })
}

/// A module's imports, as names and file, and the rest of its text.
fn split(text: &str) -> (Vec<(&str, &str)>, &str) {
    let mut imports = Vec::new();
    let mut rest = text;
    while let Some(at) =
        rest.strip_prefix("import {").map(|_| 0).or_else(|| rest.find("\nimport {").map(|at| at + 1))
    {
        let import = &rest[at + "import {".len()..];
        let parts = import.split_once("} from \"./").and_then(|(names, import)| {
            let (from, rest) = import.split_once("\";\n")?;
            Some((names.trim(), from, rest))
        });
        let Some((names, from, after)) = parts else { break };
        imports.push((names, from));
        rest = after;
    }
    (imports, rest)
}

/// The name in a declaration: `async function send(room) {` declares `send`.
fn name_of(declared: &str) -> &str {
    let mut words = declared.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    let is_name = |word: &&str| !matches!(*word, "async" | "function" | "class" | "const" | "let" | "");
    words.find(is_name).unwrap_or_default()
}

/// `kept.js` is `$kept` in the joined script.
fn variable(file: &str) -> String {
    format!("${}", file.trim_end_matches(".js").replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_stands_after_what_it_imports_and_once() {
        let files = [
            (
                "main.js",
                "// Main.\n\nimport {\n  a,\n  b,\n} from \"./x.js\";\nimport { c } from \"./y.js\";\n\na(b, c);\n",
            ),
            ("x.js", "import { c } from \"./y.js\";\nexport const a = 1;\nexport async function b() {}\n"),
            (
                "y.js",
                "export class c extends Map {}\nconst hidden = \"export const d\";\n\n/**\n * Two lines,\n */\n  // and one: \n/** e */\n",
            ),
        ];
        let joined = modules(&files, "main.js");
        assert_eq!(
            joined,
            "// y.js\nconst $y = (() => {\nclass c extends Map {}\nconst hidden = \"export const d\";\nreturn { c };\n})();\n\
             // x.js\nconst $x = (() => {\nconst { c } = $y;\nconst a = 1;\nasync function b() {}\nreturn { a, b };\n})();\n\
             // main.js\nconst $main = (() => {\nconst { a,\n  b, } = $x;\nconst { c } = $y;\na(b, c);\nreturn {  };\n})();\n"
        );
    }
}
