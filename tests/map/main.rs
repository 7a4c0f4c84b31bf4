//! The map in `src/lib.rs` beside the imports of the code: there is no circle, and no arrow that the map does
//! not have.

mod imports;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use imports::{Arrow, Source};

/// A line of the map: a module, and the modules that it uses.
struct Line {
    module: String,
    uses: Vec<String>,
}

/// Reads the map. In each line of the first picture, the first word is a module, and the last column is what
/// it uses. Two blanks or more separate columns.
fn map(picture: &str) -> Vec<Line> {
    let read = |line: &str| {
        let columns: Vec<&str> =
            line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let [module, _, uses @ ..] = &columns[..] else {
            panic!("a line of the map has a module, what it is, and what it uses: {line:?}");
        };
        let uses = uses.iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect();
        Line { module: (*module).to_owned(), uses }
    };
    picture.lines().map(read).collect()
}

/// The first picture in the documentation of the crate.
fn picture() -> String {
    let text = fs::read_to_string("src/lib.rs").expect("the crate's root");
    let doc = text.lines().map_while(|line| line.strip_prefix("//!"));
    let mut picture = String::new();
    for line in
        doc.skip_while(|line| line.trim() != "```text").skip(1).take_while(|line| line.trim() != "```")
    {
        picture += line.strip_prefix(' ').unwrap_or(line);
        picture.push('\n');
    }
    picture
}

/// The arrows between entries of one folder, by folder.
fn by_folder(arrows: &[Arrow]) -> BTreeMap<String, Vec<&Arrow>> {
    let mut folders: BTreeMap<String, Vec<&Arrow>> = BTreeMap::new();
    for arrow in arrows {
        folders.entry(arrow.folder.clone()).or_default().push(arrow);
    }
    folders
}

/// Everything that can be reached from an entry of a folder.
fn reached<'a>(arrows: &[&'a Arrow], from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(entry) = next.pop() {
        for arrow in arrows.iter().filter(|arrow| arrow.from == entry) {
            if found.insert(arrow.to.as_str()) {
                next.push(&arrow.to);
            }
        }
    }
    found
}

/// The circles, each as `FOLDER: ENTRY ENTRY`, with the imports that make it.
fn circles(arrows: &[Arrow]) -> BTreeMap<String, Vec<String>> {
    let mut circles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (folder, arrows) in by_folder(arrows) {
        let entries: BTreeSet<&str> = arrows.iter().map(|arrow| arrow.from.as_str()).collect();
        for entry in &entries {
            let is_with = |other: &&str| {
                reached(&arrows, entry).contains(other) && reached(&arrows, other).contains(entry)
            };
            let circle: Vec<&str> = entries.iter().copied().filter(is_with).collect();
            if circle.is_empty() {
                continue;
            }
            let inside = arrows
                .iter()
                .filter(|one| circle.contains(&one.from.as_str()) && circle.contains(&one.to.as_str()));
            let imports = inside.map(|arrow| arrow.import.clone()).collect();
            circles.insert(format!("{folder}: {}", circle.join(" ")), imports);
        }
    }
    circles
}

#[test]
fn no_files_or_folders_import_each_other_in_a_circle() {
    let circles = circles(&Source::read(Path::new("src")).arrows());
    let shown = circles.iter().map(|(circle, imports)| format!("{circle}\n  {}", imports.join("\n  ")));
    let shown: Vec<String> = shown.collect();
    assert!(shown.is_empty(), "these import each other in a circle:\n{}", shown.join("\n"));
}

#[test]
fn the_map_has_every_arrow_between_modules_and_no_other() {
    let source = Source::read(Path::new("src"));
    let map = map(&picture());
    let on_map: Vec<&str> = map.iter().map(|line| line.module.as_str()).collect();
    let modules = source.modules();
    for module in &modules {
        assert!(on_map.contains(&module.as_str()), "src/lib.rs has no line for the module {module}");
    }
    for (at, line) in map.iter().enumerate() {
        assert!(modules.contains(&line.module), "the map has {}, which is no module", line.module);
        for used in &line.uses {
            let below = on_map[at + 1..].contains(&used.as_str());
            assert!(below, "{} uses {used}, which must stand below it on the map", line.module);
        }
    }
    let arrows = source.arrows();
    let arrows: Vec<&Arrow> = arrows.iter().filter(|arrow| arrow.folder == "src").collect();
    let is_on_map = |arrow: &&&Arrow| {
        let line = map.iter().find(|line| line.module == arrow.from).expect("a line for each module");
        line.uses.contains(&arrow.to)
    };
    // One import of each arrow that is missing.
    let off_map = arrows.iter().filter(|arrow| !is_on_map(arrow));
    let off_map: BTreeMap<(&str, &str), &str> =
        off_map.map(|arrow| ((arrow.from.as_str(), arrow.to.as_str()), arrow.import.as_str())).collect();
    let off_map: Vec<&str> = off_map.into_values().collect();
    assert!(off_map.is_empty(), "the map has no arrow for these:\n  {}", off_map.join("\n  "));
    for Line { module, uses } in &map {
        for used in uses {
            let is_used = arrows.iter().any(|arrow| arrow.from == *module && arrow.to == *used);
            assert!(is_used, "on the map {module} uses {used}, in the code it does not");
        }
    }
}

#[test]
fn the_readme_shows_the_same_map() {
    let readme = fs::read_to_string("README.md").expect("the README");
    assert!(readme.contains(&picture()), "the picture in src/lib.rs is not in README.md as it is there");
}

/// What the test finds in a crate of these files.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| (Path::new(path).to_owned(), (*text).to_owned()));
    circles(&Source::of(files).arrows()).into_keys().collect()
}

#[test]
fn a_circle_of_files_is_found() {
    let circle = found(&[
        ("lib.rs", "mod one; mod two; mod three;"),
        ("one.rs", "use crate::{two::Two, three};"),
        ("two.rs", "fn two() -> super::three::Three { todo!() }"),
        ("three.rs", "use crate::one::*;"),
    ]);
    assert_eq!(circle, ["src: one three two"]);
}

#[test]
fn a_circle_of_folders_is_found_though_no_file_is_in_one() {
    let circle = found(&[
        ("a/mod.rs", "mod x; mod y;"),
        ("a/x.rs", "use crate::b::Low;"),
        ("a/y.rs", "pub struct Y;"),
        ("b/mod.rs", "pub use low::Low; mod low; mod high;"),
        ("b/low.rs", "pub struct Low;"),
        ("b/high.rs", "use crate::a::y::Y;"),
    ]);
    assert_eq!(circle, ["src: a b"]);
}

#[test]
fn a_circle_through_what_a_folder_passes_on_is_found() {
    let circle = found(&[
        ("a/mod.rs", "mod x; mod y; pub use self::y::{Y as Why};"),
        ("a/x.rs", "use super::Why;\nmod inside { use super::super::y; }"),
        ("a/y.rs", "mod inside { use super::super::x; }"),
    ]);
    assert_eq!(circle, ["src/a: x y"]);
}

#[test]
fn what_only_tests_or_comments_or_texts_say_is_no_import() {
    let circle = found(&[
        ("one.rs", "use crate::two::Two;\nconst TEXT: &str = \"use crate::three\";"),
        ("two.rs", "// use crate::one;\n#[cfg(test)]\nmod tests { use crate::one; fn f() { '{'; } }"),
        ("three.rs", "/* crate::one */ use crate::one; #[cfg(test)] use crate::three; fn f<'a>() {}"),
    ]);
    assert!(circle.is_empty(), "{circle:?}");
}
