//! Arrows between modules go down: neither the modules of a crate nor its files form a circle.
//!
//! The graph comes from the `use` lines and the paths in the code. A name that a parent re-exports
//! counts as the file that defines it, and a re-export of a child is no use of it: else every
//! directory with a `mod.rs` would be a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// An item at the left edge of its file.
const DEFINITION: &str = r"(?m)^(?:pub(?:\([^)]*\))? )?(?:const |async )*(?:fn|struct|enum|trait|type|const|static|macro_rules!) (\w+)";

/// A `use` line, with whether it re-exports.
const USE: &str = r"(?m)^[ \t]*(pub(?:\([^)]*\))? )?use ([^;]+);";

/// Where the tests of a file begin; what they build may be of use beside it.
const TESTS: &str = r"#\[cfg\(test\)\]\n(?:pub\(super\) )?mod tests \{";

const INLINE_PATH: &str = r"\b(?:crate|super)(?:::\w+)+";

/// The names of a module from the root of its crate; the root itself has none.
type ModulePath = Vec<String>;

/// From which module to which, and by which path in the source.
type Edges = BTreeMap<ModulePath, BTreeMap<ModulePath, String>>;

#[derive(Default)]
struct Module {
    definitions: BTreeSet<String>,
    /// What `use` lines bring in, by the name it has here.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths that the code names, and whether the line re-exports.
    paths: Vec<(Vec<String>, bool)>,
}

struct Crate(BTreeMap<ModulePath, Module>);

#[test]
fn nothing_goes_in_circles() {
    for name in ["core", "hooks", "cli", "hub"] {
        let files = Crate::read(name).edges();
        assert_no_circle(name, "files", &files);
        let mut modules = Edges::new();
        for (from, targets) in &files {
            for (to, path) in targets {
                let (Some(a), Some(b)) = (from.first(), to.first()) else {
                    continue;
                };
                if a != b {
                    let targets = modules.entry(vec![a.clone()]).or_default();
                    targets.insert(vec![b.clone()], path.clone());
                }
            }
        }
        assert_no_circle(name, "modules", &modules);
    }
}

#[test]
fn model_and_fs_know_nobody_but_text() {
    for (from, targets) in Crate::read("core").edges() {
        let Some(dir) = from.first().filter(|name| ["model", "fs"].contains(&name.as_str())) else {
            continue;
        };
        for (to, path) in targets {
            let is_text = to.first().is_some_and(|name| name == "text");
            let is_own = to.first() == Some(dir);
            assert!(is_own || is_text, "{} uses {path}", from.join("::"));
        }
    }
}

/// The file of a group of commands dispatches to them, which no `use` line shows, so that a command
/// that uses its group would be a circle that the graph does not have.
#[test]
fn no_command_uses_its_group() {
    for (from, targets) in Crate::read("cli").edges() {
        for (to, path) in targets {
            let is_group = to.first().is_some_and(|name| name == "commands");
            let is_own = is_group && from.starts_with(&to);
            assert!(!is_own, "{} uses {path}", from.join("::"));
        }
    }
}

#[test]
fn a_circle_is_found() {
    let module = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let source = |text: &str| parse_module(text, &BTreeSet::from(["one".to_owned()]));
    let modules = Crate(BTreeMap::from([
        (module(&[]), source("")),
        (module(&["a"]), source("pub use one::X;\npub fn f() {}")),
        (module(&["a", "one"]), source("use crate::b::{self, g as h};\npub struct X;")),
        (module(&["b"]), source("fn g(x: &crate::a::X) {}")),
    ]));
    let cycles = keep_circles(&modules.edges());
    let cycles: Vec<String> = cycles.keys().map(|path| path.join("::")).collect();
    assert_eq!(cycles, ["a::one", "b"]);
}

fn assert_no_circle(name: &str, what: &str, edges: &Edges) {
    let cycles = keep_circles(edges);
    let mut lines = Vec::new();
    for (from, targets) in &cycles {
        for (to, path) in targets {
            lines.push(format!("{} -> {}  by {path}", from.join("::"), to.join("::")));
        }
    }
    assert!(lines.is_empty(), "{what} of {name}:\n{}", lines.join("\n"));
}

/// Keeps the edges that lie on a circle: those whose end leads back to their start.
fn keep_circles(edges: &Edges) -> Edges {
    let mut circles = Edges::new();
    for (from, targets) in edges {
        for (to, path) in targets {
            if reachable_from(to, edges).contains(from) {
                let targets = circles.entry(from.clone()).or_default();
                targets.insert(to.clone(), path.clone());
            }
        }
    }
    circles
}

fn reachable_from<'e>(start: &'e ModulePath, edges: &'e Edges) -> BTreeSet<&'e ModulePath> {
    let mut reached = BTreeSet::from([start]);
    let mut waiting = vec![start];
    while let Some(module) = waiting.pop() {
        for next in edges.get(module).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next) {
                waiting.push(next);
            }
        }
    }
    reached
}

impl Crate {
    fn read(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let mut files = Vec::new();
        collect_files(&root, &mut files);
        let named: Vec<(ModulePath, PathBuf)> = files
            .into_iter()
            .map(|file| (module_path(file.strip_prefix(&root).unwrap()), file))
            .collect();
        let all: BTreeSet<ModulePath> = named.iter().map(|(path, _)| path.clone()).collect();
        let modules = named.into_iter().map(|(path, file)| {
            let children = all.iter().filter(|other| other.parent() == Some(&path[..]));
            let children = children.filter_map(|other| other.last().cloned()).collect();
            let module = parse_module(&fs::read_to_string(file).unwrap(), &children);
            (path, module)
        });
        Self(modules.collect())
    }

    fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (from, module) in &self.0 {
            for (path, is_export) in &module.paths {
                let Some(to) = self.resolve(from, path, 0) else {
                    continue;
                };
                let is_own_child = *is_export && to.starts_with(from);
                if to != *from && !is_own_child {
                    let targets = edges.entry(from.clone()).or_default();
                    targets.entry(to).or_insert_with(|| path.join("::"));
                }
            }
        }
        edges
    }

    /// Finds the module that defines what a path names; a path into another crate has none.
    fn resolve(&self, from: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        let (mut at, mut rest) = (from.clone(), path);
        match path.first()?.as_str() {
            "crate" => (at, rest) = (ModulePath::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            name => {
                at.push(name.to_owned());
                if !self.0.contains_key(&at) {
                    return None;
                }
                rest = &path[1..];
            }
        }
        while let Some(name) = rest.first() {
            let mut child = at.clone();
            child.push(name.clone());
            if self.0.contains_key(&child) {
                (at, rest) = (child, &rest[1..]);
                continue;
            }
            let module = self.0.get(&at)?;
            let import = module.imports.get(name).filter(|_| depth < 8);
            if let Some(import) = import.filter(|_| !module.definitions.contains(name)) {
                let longer: Vec<String> = import.iter().chain(&rest[1..]).cloned().collect();
                return self.resolve(&at, &longer, depth + 1).or(Some(at));
            }
            break;
        }
        self.0.contains_key(&at).then_some(at)
    }
}

trait Parent {
    fn parent(&self) -> Option<&[String]>;
}

impl Parent for ModulePath {
    fn parent(&self) -> Option<&[String]> {
        self.split_last().map(|(_, parent)| parent)
    }
}

fn collect_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs")
            && !["tests.rs", "testing.rs"].contains(&&*name)
        {
            files.push(path);
        }
    }
}

fn module_path(file: &Path) -> ModulePath {
    let steps = file.with_extension("");
    let mut path: ModulePath = steps.iter().map(|s| s.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str())) {
        path.pop();
    }
    path
}

/// Reads what a file defines and names, without its comments and its tests.
fn parse_module(text: &str, children: &BTreeSet<String>) -> Module {
    let text = regex(TESTS).split(text).next().unwrap_or(text);
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut module = Module::default();
    for found in regex(DEFINITION).captures_iter(&code) {
        module.definitions.insert(found[1].to_owned());
    }
    for found in regex(USE).captures_iter(&code) {
        for (path, name) in expand_tree(&found[2]) {
            let first = path.first().map_or("", String::as_str);
            if ["crate", "self", "super"].contains(&first) || children.contains(first) {
                module.imports.insert(name, path.clone());
                module.paths.push((path, found.get(1).is_some()));
            }
        }
    }
    let without_uses = regex(USE).replace_all(&code, "");
    for found in regex(INLINE_PATH).find_iter(&without_uses) {
        let path = found.as_str().split("::").map(str::to_owned).collect();
        module.paths.push((path, false));
    }
    module
}

/// Writes the paths of a tree such as `a::{b, c::{self, d as e}}` out, each with its name.
fn expand_tree(tree: &str) -> Vec<(Vec<String>, String)> {
    let Some((head, inner)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(p, a)| (p, Some(a)));
        let mut path: Vec<String> = path.split("::").map(|s| s.trim().to_owned()).collect();
        path.retain(|step| !step.is_empty());
        if path.len() > 1 && path.last().is_some_and(|step| step == "self") {
            path.pop();
        }
        let name = alias.map(|alias| alias.trim().to_owned());
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        return vec![(path, name)];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand_tree(&format!("{head}{}", part.trim()))).collect()
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}
