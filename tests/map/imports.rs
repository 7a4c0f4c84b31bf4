//! Which file of a crate names which other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tokens::tokens;

/// The path of a module, from the crate's root.
type Module = Vec<String>;

/// One entry of a folder, a file or a folder, that names another entry of the same folder.
#[derive(Debug)]
pub struct Arrow {
    /// The folder, such as `src/wire`.
    pub folder: String,
    pub from: String,
    pub to: String,
    /// The place in the code, for the report.
    pub import: String,
}

/// A path in a file, such as `crate::wire::reply::Reply`, from the crate's root.
struct Named {
    path: Vec<String>,
    /// Its name in this file, if it is imported by `use`.
    known_as: Option<String>,
}

/// The files of a crate, and what each names.
pub struct Source {
    files: BTreeMap<Module, Vec<Named>>,
}

impl Source {
    /// Reads every file below a folder.
    pub fn read(root: &Path) -> Source {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of the crate") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|of| of == "rs") {
                    let text = fs::read_to_string(&path).expect("a file of the crate");
                    files.push((path.strip_prefix(root).expect("below it").to_owned(), text));
                }
            }
        }
        Source::of(files.into_iter())
    }

    /// Takes files by their paths below `src`.
    pub fn of(files: impl Iterator<Item = (PathBuf, String)>) -> Source {
        let files: BTreeMap<Module, Vec<String>> =
            files.map(|(path, text)| (module(&path), tokens(&text))).collect();
        // Files that only the binary has are modules of `main`.
        let own_of_main = |tokens: &[String]| {
            let declared = tokens.windows(3).filter(|three| three[0] == "mod" && three[2] == ";");
            declared.map(|three| three[1].clone()).collect::<BTreeSet<String>>()
        };
        let main = vec!["main".to_owned()];
        let of_main = files.get(&main).map(|tokens| own_of_main(tokens)).unwrap_or_default();
        let placed = |mut module: Module| {
            if module.first().is_some_and(|first| of_main.contains(first)) {
                module.insert(0, "main".to_owned());
            }
            module
        };
        let files: BTreeMap<Module, Vec<String>> =
            files.into_iter().map(|(module, tokens)| (placed(module), tokens)).collect();
        let modules: BTreeSet<Module> = files.keys().cloned().collect();
        let files = files.into_iter().map(|(module, tokens)| {
            let named = named(&tokens, &module, &modules);
            (module, named)
        });
        Source { files: files.collect() }
    }

    /// The modules right below the crate's root.
    pub fn modules(&self) -> BTreeSet<String> {
        self.files.keys().filter_map(|module| module.first().cloned()).collect()
    }

    /// Every arrow between entries of one folder. A folder's `mod.rs` is its face, not an entry: it may name
    /// what is in the folder, and the files in the folder may name it.
    pub fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, names) in &self.files {
            for name in names {
                let to = self.module_of(&name.path, 8);
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                if common == from.len() || common == to.len() {
                    continue;
                }
                let folder: Vec<&str> =
                    ["src"].into_iter().chain(from[..common].iter().map(String::as_str)).collect();
                arrows.push(Arrow {
                    folder: folder.join("/"),
                    from: from[common].clone(),
                    to: to[common].clone(),
                    import: format!("{} names {}", from.join("/"), name.path.join("::")),
                });
            }
        }
        arrows
    }

    /// The file that holds what a path names. If a face only passes it on, the search goes on there.
    fn module_of(&self, path: &[String], further: usize) -> Module {
        let length = (0..=path.len()).rev().find(|&length| self.files.contains_key(&path[..length]));
        let (module, rest) = path.split_at(length.unwrap_or(0));
        let passes_on = rest.first().and_then(|item| {
            let names = self.files.get(module)?;
            names.iter().find(|name| name.known_as.as_ref() == Some(item))
        });
        match passes_on {
            Some(name) if further > 0 => self.module_of(&name.path, further - 1),
            _ => module.to_owned(),
        }
    }
}

/// `wire/mod.rs` and `wire.rs` are `wire`; `lib.rs` is the root.
fn module(path: &Path) -> Module {
    let mut names: Module =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

/// All paths in a file that lead to a module of the crate.
fn named(tokens: &[String], file: &Module, modules: &BTreeSet<Module>) -> Vec<Named> {
    let mut named = Vec::new();
    // The modules whose braces are open, each with its depth in braces.
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let here = || file.iter().cloned().chain(inside.iter().map(|(name, _)| name.clone())).collect();
        match tokens[at].as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inside.last().is_some_and(|(_, opened)| *opened == depth) {
                    inside.pop();
                }
            }
            "mod" if tokens.get(at + 2).is_some_and(|token| token == "{") => {
                inside.push((tokens[at + 1].clone(), depth));
                at += 1;
            }
            "use" if tokens.get(at + 1).is_some_and(|token| token != "<") => {
                let length = tokens[at..].iter().position(|token| token == ";").unwrap_or(tokens.len() - at);
                let mut tree = &tokens[at + 1..at + length];
                for (path, known_as) in expand(&mut tree, &[]) {
                    if let Some(path) = absolute(&path, here(), modules, true) {
                        named.push(Named { path, known_as: Some(known_as) });
                    }
                }
                at += length;
            }
            "crate" | "super" | "comet_chat" if at == 0 || tokens[at - 1] != "::" => {
                let path = path(&tokens[at..]);
                if let Some(path) = absolute(&path, here(), modules, false) {
                    named.push(Named { path, known_as: None });
                }
            }
            _ => {}
        }
        at += 1;
    }
    named
}

/// The names from here on that `::` joins.
fn path(tokens: &[String]) -> Vec<String> {
    let mut path = Vec::new();
    for two in tokens.chunks(2) {
        if !two[0].starts_with(|c: char| c.is_alphabetic() || c == '_') {
            break;
        }
        path.push(two[0].clone());
        if two.get(1).is_none_or(|sign| sign != "::") {
            break;
        }
    }
    path
}

/// The paths of a `use`, each with the name that it imports. `tree` then stands after what was read.
fn expand(tree: &mut &[String], before: &[String]) -> Vec<(Vec<String>, String)> {
    let mut path = before.to_vec();
    let mut paths = Vec::new();
    while let Some((first, rest)) = tree.split_first() {
        match first.as_str() {
            "}" | "," => break,
            "::" => *tree = rest,
            "{" => {
                *tree = rest;
                while let Some(token) = tree.first() {
                    match token.as_str() {
                        "}" => break,
                        "," => *tree = &tree[1..],
                        _ => paths.extend(expand(tree, &path)),
                    }
                }
                *tree = tree.get(1..).unwrap_or_default();
                return paths;
            }
            "as" => {
                let known_as = rest.first().cloned().unwrap_or_default();
                *tree = rest.get(1..).unwrap_or_default();
                return vec![(path, known_as)];
            }
            "self" if !path.is_empty() => *tree = rest,
            name => {
                path.push(name.to_owned());
                *tree = rest;
            }
        }
    }
    let known_as = path.last().cloned().unwrap_or_default();
    vec![(path, known_as)]
}

/// A path from the crate's root, if it leads into the crate.
fn absolute(
    path: &[String],
    mut here: Module,
    modules: &BTreeSet<Module>,
    may_be_relative: bool,
) -> Option<Vec<String>> {
    let mut rest = path;
    let mut is_first = true;
    while let Some((first, behind)) = rest.split_first() {
        match first.as_str() {
            "crate" | "comet_chat" => here.clear(),
            "self" => {}
            "super" => drop(here.pop()),
            child if is_first => {
                let mut below = here.clone();
                below.push(child.to_owned());
                if !may_be_relative || !modules.contains(&below) {
                    return None;
                }
                break;
            }
            _ => break,
        }
        is_first = false;
        rest = behind;
    }
    here.extend(rest.iter().cloned());
    Some(here)
}
