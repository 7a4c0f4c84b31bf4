//! The words of the lesson in README.md, beside what they are about: each excerpt stands in the code, and the recorded
//! run of the hour has the hour's commands.

use std::fs;
use std::path::Path;

/// A block of code in the chapter of the lesson.
struct Block {
    language: String,
    lines: Vec<String>,
}

/// What README.md has from one heading on, up to the next of this depth.
fn chapter(heading: &str, next: &str) -> String {
    let readme = fs::read_to_string("README.md").expect("the README");
    let (_, chapter) = readme.split_once(&format!("\n{heading}\n")).expect("the chapter");
    chapter.split(&format!("\n{next} ")).next().expect("its text").to_owned()
}

fn blocks(chapter: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = chapter.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let lines = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
            blocks.push(Block { language: language.to_owned(), lines });
        }
    }
    blocks
}

/// Whether these lines stand in a text in this order, whatever their indent. Between two of them others may stand
/// only where the excerpt has `// ...`.
fn is_found(excerpt: &[String], text: &str) -> bool {
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    let excerpt: Vec<&str> = excerpt.iter().map(|line| line.trim()).collect();
    let mut from = 0;
    excerpt.split(|line| *line == "// ...").all(|piece| {
        let found = text[from..].windows(piece.len()).position(|window| window == piece);
        from += found.map_or(0, |at| at + piece.len());
        found.is_some()
    })
}

#[test]
fn each_excerpt_stands_in_the_code() {
    let blocks = blocks(&chapter("## The lesson", "##"));
    let excerpts: Vec<Block> = blocks.into_iter().filter(|block| block.language == "rust").collect();
    assert_eq!(excerpts.len(), 6, "three pieces of each engine");
    for Block { lines, .. } in excerpts {
        let (path, excerpt) = lines.split_first().expect("a first line");
        let path = path.strip_prefix("// ").expect("an excerpt begins with its file");
        let code = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(
            is_found(excerpt, &code),
            "{path} does not have these lines of README.md any more. Copy them anew; `// ...` stands for any \
             lines between:\n{}",
            excerpt.join("\n")
        );
    }
}

#[test]
fn an_excerpt_that_is_not_there_is_noticed() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let code = "fn f() {\n    one();\n    two();\n    three();\n}\n";
    assert!(is_found(&lines("one();\ntwo();"), code));
    assert!(is_found(&lines("one();\n// ...\nthree();"), code));
    for wrong in ["one();\nthree();", "three();\n// ...\none();", "four();"] {
        assert!(!is_found(&lines(wrong), code), "{wrong}");
    }
}

#[test]
fn the_recorded_run_has_the_commands_of_the_hour() {
    let hour = blocks(&chapter("### The hour", "###"));
    let hour = hour.into_iter().filter(|block| block.language == "sh").flat_map(|block| block.lines);
    let recorded = fs::read_to_string("tests/lesson/hour.txt").expect("the recorded run");
    let recorded: Vec<&str> = recorded.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let hour: Vec<String> = hour.collect();
    assert_eq!(recorded, hour, "the hour was changed after it was recorded: run scripts/hour.sh");
}

#[test]
fn each_file_that_the_lesson_names_exists() {
    let lesson = chapter("## The lesson", "##");
    let named = lesson.split('`').skip(1).step_by(2).filter_map(|code| code.split(' ').next());
    let is_file = |name: &&str| ["scripts/", "src/", "tests/"].iter().any(|folder| name.starts_with(folder));
    for name in named.filter(is_file) {
        assert!(Path::new(name).exists(), "{name}");
    }
}
