//! Which names of a script hold a metadata file: its path, its handle, or what it says.

use std::collections::{BTreeMap, BTreeSet};

use super::Language;
use super::lexer::{Kind, Token};
use super::statements::{LONGEST, Statement};

/// The name of the file, by which a script gives itself away.
const FILE: &str = "adw_state.json";

/// The original's class over the file.
const CLASS: &str = "ADWState";

/// Calls that turn a path, a handle or a text of the file into the next of them.
const LOADERS: [&str; 24] = [
    "load",
    "loads",
    "open",
    "Path",
    "parse",
    "readFileSync",
    "readFile",
    "readJson",
    "readJsonSync",
    "join",
    "ReadFile",
    "Open",
    "read",
    "from_str",
    "from_slice",
    "from_reader",
    "read_to_string",
    "require",
    "dict",
    "deepcopy",
    "copy",
    "File",
    "resolve",
    "Join",
];

/// What may follow a name or a call without leaving the file.
const STAYS: [&str; 24] = [
    "read",
    "read_text",
    "read_bytes",
    "open",
    "data",
    "json",
    "parse",
    "toString",
    "text",
    "resolve",
    "absolute",
    "unwrap",
    "expect",
    "clone",
    "to_owned",
    "copy",
    "strip",
    "trim",
    "decode",
    "as_object",
    "then",
    "load",
    "loads",
    "as_str",
];

/// Calls whose answer is their own, whatever file they are given.
const OTHERS: [&str; 12] = [
    "spawnSync",
    "spawn",
    "exec",
    "execSync",
    "run",
    "Popen",
    "check_output",
    "check_call",
    "fetch",
    "request",
    "urlopen",
    "system",
];

/// What a name is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds the file.
    Carries,
    /// It has the name the original gives such values, and nothing says what it holds.
    Suspect,
    /// Anything else.
    Other,
}

/// The names, as far as a script was read.
#[derive(Debug, Default)]
pub(super) struct Carriers<'t> {
    language: Option<Language>,
    /// Whether each name holds the file, and how deep it was bound.
    bound: BTreeMap<String, (bool, usize)>,
    /// The names by how deep they were bound, also those that were bound elsewhere since.
    by_depth: BTreeMap<usize, Vec<String>>,
    /// Functions that return what the file says.
    sources: BTreeSet<&'t str>,
    /// Names the script binds anywhere.
    ever_bound: BTreeSet<String>,
    /// Whether the script has to do with workflows at all.
    of_workflows: bool,
    /// The function being read.
    function: Option<&'t str>,
}

impl<'t> Carriers<'t> {
    /// Reads a whole script for the functions it has, before its accesses are looked for.
    pub(super) fn of(language: Language, code: &str, statements: &[Statement<'t>]) -> Self {
        let mut carriers = Self {
            language: Some(language),
            of_workflows: code.to_ascii_lowercase().contains("adw"),
            ..Self::default()
        };
        // Once more, as a function may call one that stands below it.
        for _ in 0..2 {
            for statement in statements {
                carriers.learn(statement);
            }
            carriers.ever_bound.extend(carriers.bound.keys().cloned());
            carriers.bound.clear();
            carriers.by_depth.clear();
        }
        carriers
    }

    pub(super) fn standing(&self, name: &str) -> Standing {
        match self.bound.get(name) {
            Some((true, _)) => Standing::Carries,
            None if self.is_suspect(name) => Standing::Suspect,
            Some((false, _)) | None => Standing::Other,
        }
    }

    fn is_suspect(&self, name: &str) -> bool {
        let short = name.strip_prefix("self.").unwrap_or(name);
        let usual =
            short == "adw_state" || short == "state" && self.language == Some(Language::Python);
        usual && (self.of_workflows || !self.ever_bound.contains(name))
    }

    /// Tells whether the value of an expression holds the file.
    pub(super) fn carries(&self, tokens: &[Token<'t>]) -> bool {
        let words = || tokens.iter().filter_map(word);
        if words().any(|word| OTHERS.contains(&word)) || leaves(tokens) {
            return false;
        }
        let named = tokens
            .iter()
            .any(|token| matches!(token.kind, Kind::Text(text) if text.contains(FILE)));
        if named || self.has_source(tokens) {
            return true;
        }
        let loads = words().any(|word| LOADERS.contains(&word) || STAYS.contains(&word));
        (0..tokens.len()).any(|at| (loads || at == 0) && self.holds_at(tokens, at))
    }

    /// Tells whether a call of the class, or of a function that returns the file, is there.
    fn has_source(&self, tokens: &[Token<'t>]) -> bool {
        tokens.windows(2).any(|pair| match pair {
            [name, next] => word(name).is_some_and(|name| {
                name == CLASS && (next.is('(') || next.is('.'))
                    || self.sources.contains(name) && next.is('(')
            }),
            _ => false,
        })
    }

    /// Tells whether a whole name that holds the file stands here.
    fn holds_at(&self, tokens: &[Token<'t>], at: usize) -> bool {
        let follows_dot = at > 0 && tokens.get(at - 1).is_some_and(|token| token.is('.'));
        !follows_dot
            && names_at(tokens, at).into_iter().any(|(name, end)| {
                self.standing(&name) == Standing::Carries
                    && match (tokens.get(end), tokens.get(end + 1).and_then(word)) {
                        (Some(dot), Some(next)) if dot.is('.') => STAYS.contains(&next),
                        (Some(next), _) => !next.is('[') && !next.is('('),
                        (None, _) => true,
                    }
            })
    }

    /// Takes note of what a statement binds.
    pub(super) fn learn(&mut self, statement: &Statement<'t>) {
        let tokens = &statement.tokens[..];
        if let Some(name) = function(tokens) {
            self.enter(tokens, name, statement.depth);
            return;
        }
        let first = tokens.first().and_then(word);
        match first {
            Some("return") if self.carries(tokens.get(1..).unwrap_or_default()) => {
                self.sources.extend(self.function);
                return;
            }
            Some("for") => return self.learn_loop(tokens, statement.depth),
            Some("with") => return self.learn_with(tokens, statement.depth),
            _ => {}
        }
        self.learn_reference(tokens, statement.depth);
        if let Some(at) = assignment(tokens) {
            let (targets, value) = tokens.split_at(at);
            self.learn_assignment(targets, value.get(1..).unwrap_or_default(), statement.depth);
        }
    }

    /// Begins a function: names of the one before it are forgotten, its own parameters hold
    /// what their types say.
    fn enter(&mut self, tokens: &[Token<'t>], name: &'t str, depth: usize) {
        for name in self
            .by_depth
            .split_off(&(depth + 1))
            .into_values()
            .flatten()
        {
            if self
                .bound
                .get(&name)
                .is_some_and(|(_, bound)| *bound > depth)
            {
                self.bound.remove(&name);
            }
        }
        self.function = Some(name);
        let open = tokens.iter().position(|token| token.is('('));
        let Some(open) = open else { return };
        let inside = tokens
            .get(open + 1..close(tokens, open))
            .unwrap_or_default();
        for parameter in inside.split(|token| token.is(',')) {
            let names: Vec<&str> = parameter.iter().filter_map(word).collect();
            let Some(name) = names.iter().find(|n| !matches!(**n, "mut" | "self")) else {
                continue;
            };
            self.ever_bound.insert((*name).to_owned());
            let types = names.get(1..).unwrap_or_default();
            let plain = ["dict", "Dict", "Any", "Optional", "str", "object", "None"];
            if types.contains(&CLASS) {
                self.bind(name, true, depth + 1);
            } else if types.iter().any(|word| !plain.contains(word)) {
                self.bind(name, false, depth + 1);
            } else {
                self.bound.remove(*name);
            }
        }
    }

    fn bind(&mut self, name: &str, holds: bool, depth: usize) {
        let before = self.bound.insert(name.to_owned(), (holds, depth));
        if before.is_none_or(|(_, bound)| bound != depth) {
            let names = self.by_depth.entry(depth).or_default();
            names.push(name.to_owned());
        }
    }

    fn learn_loop(&mut self, tokens: &[Token<'t>], depth: usize) {
        let at = tokens
            .iter()
            .position(|token| matches!(word(token), Some("in" | "of")));
        let Some((targets, value)) = at.map(|at| tokens.split_at(at)) else {
            return;
        };
        let holds = self.carries(value);
        for name in targets.iter().filter_map(word).filter(|w| !is_keyword(w)) {
            self.bind(name, holds, depth);
        }
    }

    fn learn_with(&mut self, tokens: &[Token<'t>], depth: usize) {
        let at = tokens.iter().position(|token| word(token) == Some("as"));
        let Some((value, target)) = at.map(|at| tokens.split_at(at)) else {
            return;
        };
        let holds = self.carries(value.get(1..).unwrap_or_default());
        for name in target.iter().skip(1).filter_map(word) {
            self.bind(name, holds, depth);
        }
    }

    /// Go fills a value through a reference: `json.Unmarshal(data, &state)`.
    fn learn_reference(&mut self, tokens: &[Token<'t>], depth: usize) {
        let fills = tokens
            .iter()
            .any(|token| matches!(word(token), Some("Unmarshal" | "Decode")));
        let holds = (0..tokens.len()).any(|at| self.holds_at(tokens, at)) || {
            let named = |token: &Token<'_>| matches!(token.kind, Kind::Text(t) if t.contains(FILE));
            tokens.iter().any(named)
        };
        if !fills || !holds {
            return;
        }
        for pair in tokens.windows(2) {
            if let [and, name] = pair
                && and.is('&')
                && let Some(name) = word(name)
            {
                self.bind(name, true, depth);
            }
        }
    }

    fn learn_assignment(&mut self, targets: &[Token<'t>], value: &[Token<'t>], depth: usize) {
        let holds = self.carries(value);
        // A helper from elsewhere that gets a state: what it returns nobody says.
        let unsaid = !holds && self.of_workflows && calls_for_state(value);
        // `state: ADWState = …`; Go's `:=` has nothing behind the colon.
        let colon = targets.iter().position(|token| token.is(':'));
        let targets = targets
            .get(..colon.unwrap_or(targets.len()))
            .unwrap_or_default();
        if targets.iter().any(|token| token.is('[') || token.is('{')) {
            return;
        }
        let is_function = value
            .windows(2)
            .any(|pair| matches!(pair, [one, two] if one.is('=') && two.is('>')));
        for (number, target) in targets.split(|token| token.is(',')).enumerate() {
            let start = target
                .iter()
                .position(|t| word(t).is_some_and(|w| !is_keyword(w)));
            let Some(start) = start else { continue };
            let Some((name, _)) = names_at(target, start).pop() else {
                continue;
            };
            if is_function {
                let short = target.get(start).and_then(word);
                self.function = short;
                self.sources.extend(short.filter(|_| holds));
            } else if unsaid {
                self.bound.remove(&name);
            } else {
                self.bind(&name, holds && number == 0, depth);
            }
        }
    }
}

pub(super) fn word<'t>(token: &Token<'t>) -> Option<&'t str> {
    match token.kind {
        Kind::Word(word) => Some(word),
        _ => None,
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "let" | "const" | "var" | "mut" | "export" | "global" | "nonlocal" | "for" | "await" | "if"
    )
}

/// Most parts of a name that are looked at.
const LONGEST_NAME: usize = 8;

/// Returns the names that begin here, each with the index behind it: of `self.state.get` all
/// three, the shortest first.
pub(super) fn names_at(tokens: &[Token<'_>], at: usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut name = String::new();
    let mut rest = at;
    while let Some(part) = tokens.get(rest).and_then(word) {
        name.push_str(part);
        found.push((name.clone(), rest + 1));
        if found.len() == LONGEST_NAME || !tokens.get(rest + 1).is_some_and(|token| token.is('.')) {
            break;
        }
        name.push('.');
        rest += 2;
    }
    found
}

/// Returns the index of the bracket that closes the one at `open`, else the end. One that is not
/// closed within the longest statement that is looked into is not closed.
pub(super) fn close(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open).take(LONGEST) {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') if depth <= 1 => return at,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Tells whether an expression ends in a field of what it began with.
fn leaves(tokens: &[Token<'_>]) -> bool {
    let mut at = 0;
    while at < tokens.len() {
        let Some(token) = tokens.get(at) else { break };
        if token.is('(') {
            at = close(tokens, at) + 1;
            let after = (tokens.get(at), tokens.get(at + 1).and_then(word));
            match after {
                (Some(next), _) if next.is('[') => return true,
                (Some(dot), Some(next)) if dot.is('.') && !STAYS.contains(&next) => return true,
                _ => {}
            }
        } else {
            at += 1;
        }
    }
    false
}

/// Tells whether a function such as `get_or_create_state` is called.
fn calls_for_state(tokens: &[Token<'_>]) -> bool {
    tokens.windows(2).any(|pair| match pair {
        [name, next] => next.is('(') && word(name).is_some_and(|name| name.ends_with("state")),
        _ => false,
    })
}

/// Returns the name of the function a statement begins.
fn function<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    let at = tokens
        .iter()
        .take(5)
        .position(|token| matches!(word(token), Some("def" | "function" | "fn" | "func")))?;
    // A value of it, or a method of Go behind its receiver, has its name later or none.
    let named = tokens.get(at + 1..)?.iter().find(|token| !token.is('*'))?;
    Some(word(named).unwrap_or(""))
}

/// Returns the index of the sign of an assignment.
pub(super) fn assignment(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Kind::Sign('=') if depth == 0 => {
                let beside = |sign: &Token<'_>, place: usize| {
                    matches!(sign.kind, Kind::Sign(s) if "=!<>+-*/%|&^~".contains(s))
                        && sign.at == place
                };
                let before = at.checked_sub(1).and_then(|at| tokens.get(at));
                let compound = before.is_some_and(|b| beside(b, token.at.wrapping_sub(1)));
                let next = tokens.get(at + 1);
                let compared =
                    next.is_some_and(|n| n.at == token.at + 1 && (n.is('=') || n.is('>')));
                if !compound && !compared {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
