//! What a script does to the fields of what its names hold.

use super::carriers::{Carriers, Standing, assignment, close, names_at, word};
use super::lexer::{Kind, Token};
use super::statements::{LONGEST, Statement};
use super::{Access, Language, Place};
use crate::metadata::database_fields::{DatabaseField, find_database_field};

/// Methods that read the field they are given.
const READERS: [&str; 5] = ["get", "fetch", "dig", "get_str", "getString"];

/// Methods that write the field they are given.
const WRITERS: [&str; 4] = ["setdefault", "insert", "store", "set"];

/// Methods that write the fields of what they are given.
const MERGERS: [&str; 4] = ["update", "assign", "merge", "merge!"];

/// Calls that write a file.
const SAVERS: [&str; 6] = [
    "dump",
    "dumps",
    "writeFileSync",
    "writeFile",
    "write_text",
    "outputJson",
];

pub(super) fn find(language: Language, code: &str, statements: &[Statement<'_>]) -> Vec<Place> {
    let mut carriers = Carriers::of(language, code, statements);
    let mut found = Vec::new();
    for statement in statements {
        let tokens = &statement.tokens[..];
        for at in 0..tokens.len() {
            found.extend(at_name(&carriers, tokens, at));
            if tokens.len() <= LONGEST {
                found.extend(at_call(&carriers, tokens, at));
            }
        }
        found.extend(destructured(&carriers, tokens));
        found.extend(saved(&carriers, tokens));
        carriers.learn(statement);
    }
    found
}

/// Returns the field a word names, also in the spelling of Go or JavaScript.
fn field(word: &str, standing: Standing) -> Option<DatabaseField> {
    let word = match word {
        "Status" => "status",
        "CurrentPhase" | "currentPhase" => "current_phase",
        other => other,
    };
    let found = find_database_field(word)?;
    let certain = standing == Standing::Carries || matches!(word, "status" | "current_phase");
    certain.then_some(found)
}

fn text_field(token: Option<&Token<'_>>, standing: Standing) -> Option<DatabaseField> {
    match token?.kind {
        Kind::Text(text) => field(text, standing),
        _ => None,
    }
}

/// Looks at a name: `state.get('status')`, `self.state["status"] = x`, `...state, status: x`.
fn at_name<'t>(carriers: &Carriers<'t>, tokens: &[Token<'t>], at: usize) -> Option<Place> {
    let dots = tokens
        .get(..at)?
        .iter()
        .rev()
        .take(4)
        .take_while(|token| token.is('.'))
        .count();
    if dots != 0 && dots != 3 {
        return None;
    }
    let start = tokens.get(at)?.at;
    names_at(tokens, at).into_iter().find_map(|(name, end)| {
        let standing = carriers.standing(&name);
        if standing == Standing::Other {
            return None;
        }
        if dots == 3 {
            return spread(tokens, end, standing);
        }
        if let Some((field, access)) = reflected(tokens, at, end, standing) {
            return Some((start, field, access));
        }
        let removes = at > 0 && matches!(tokens.get(at - 1).and_then(word), Some("del" | "delete"));
        let (field, access) = done(tokens, end, standing)?;
        (!removes).then_some((start, field, access))
    })
}

/// Looks at `getattr(state, 'status')`.
fn reflected(
    tokens: &[Token<'_>],
    at: usize,
    end: usize,
    standing: Standing,
) -> Option<(DatabaseField, Access)> {
    let access = match word(tokens.get(at.checked_sub(2)?)?)? {
        "getattr" => Access::Reads,
        "setattr" => Access::Writes,
        _ => return None,
    };
    let given = tokens.get(end).is_some_and(|comma| comma.is(','));
    let found = text_field(tokens.get(end + 1), standing)?;
    given.then_some((found, access))
}

/// Looks at what a call returns: `ADWState.load(id).get('status')`.
fn at_call<'t>(carriers: &Carriers<'t>, tokens: &[Token<'t>], at: usize) -> Option<Place> {
    if at > 0 && tokens.get(at - 1).is_some_and(|token| token.is('.')) {
        return None;
    }
    let (_, open) = names_at(tokens, at).pop()?;
    if !tokens.get(open)?.is('(') {
        return None;
    }
    let mut end = close(tokens, open) + 1;
    if !carriers.carries(tokens.get(at..end)?) {
        return None;
    }
    // `.read()`, `.unwrap()?`
    while let (Some(dot), Some(next)) = (tokens.get(end), tokens.get(end + 2))
        && dot.is('.')
        && next.is('(')
        && done(tokens, end, Standing::Carries).is_none()
    {
        end = close(tokens, end + 2) + 1;
    }
    let (field, access) = done(tokens, end, Standing::Carries)?;
    Some((tokens.get(at)?.at, field, access))
}

/// Returns what is done to the value whose tokens end before `end`.
fn done(
    tokens: &[Token<'_>],
    mut end: usize,
    standing: Standing,
) -> Option<(DatabaseField, Access)> {
    let sign = |at: usize, sign: char| tokens.get(at).is_some_and(|token| token.is(sign));
    while (sign(end, '?') || sign(end, '!')) && (sign(end + 1, '.') || sign(end + 1, '[')) {
        end += 1;
    }
    if sign(end, '.') && tokens.get(end + 1).and_then(word) == Some("data") {
        end += 2;
    }
    if sign(end, '.') && sign(end + 1, '[') {
        end += 1;
    }
    if sign(end, '[') {
        // A symbol of Ruby has a colon and no quotes.
        let (found, last) = match text_field(tokens.get(end + 1), standing) {
            Some(found) => (found, end + 2),
            None if sign(end + 1, ':') => (
                field(tokens.get(end + 2).and_then(word)?, standing)?,
                end + 3,
            ),
            None => return None,
        };
        return sign(last, ']').then(|| (found, read_or_written(tokens, last + 1)));
    }
    if !sign(end, '.') {
        return None;
    }
    let name = tokens.get(end + 1).and_then(word)?;
    if !sign(end + 2, '(') {
        let found = field(name, standing).filter(|_| standing == Standing::Carries)?;
        return Some((found, read_or_written(tokens, end + 2)));
    }
    let first = end + 3;
    let given = text_field(tokens.get(first), standing).or_else(|| {
        let symbol = sign(first, ':').then(|| tokens.get(first + 1).and_then(word))?;
        field(symbol?, standing)
    });
    if READERS.contains(&name) {
        return given.map(|found| (found, Access::Reads));
    }
    if WRITERS.contains(&name) && given.is_some() {
        return given.map(|found| (found, Access::Writes));
    }
    if MERGERS.contains(&name) {
        let inside = tokens.get(first..close(tokens, end + 2))?;
        return keyed(inside, standing, &['=', ':']).map(|(_, found)| (found, Access::Writes));
    }
    None
}

/// Tells an assignment from a comparison or a mere use.
fn read_or_written(tokens: &[Token<'_>], end: usize) -> Access {
    let next = tokens.get(end).filter(|token| token.is('='));
    let after = tokens.get(end + 1);
    let compares = |sign: &Token<'_>| {
        after.is_some_and(|a| a.at == sign.at + 1 && (a.is('=') || a.is('>') || a.is('~')))
    };
    if next.is_some_and(|sign| !compares(sign)) {
        Access::Writes
    } else {
        Access::Reads
    }
}

/// Finds a key that is a field, such as `status=` or `"status":`, with where it stands.
fn keyed(
    tokens: &[Token<'_>],
    standing: Standing,
    marks: &[char],
) -> Option<(usize, DatabaseField)> {
    tokens.windows(2).find_map(|pair| {
        let [key, mark] = pair else { return None };
        let marked = marks.iter().any(|sign| mark.is(*sign));
        let (Kind::Word(name) | Kind::Text(name)) = key.kind else {
            return None;
        };
        field(name, standing)
            .filter(|_| marked)
            .map(|found| (key.at, found))
    })
}

/// Looks at a copy with other values: `{...state, status: 'x'}`.
fn spread(tokens: &[Token<'_>], end: usize, standing: Standing) -> Option<Place> {
    let rest = tokens.get(end..)?;
    let copied = rest.iter().take(LONGEST).take_while(|token| !token.is('}'));
    let length = copied.count();
    let (at, found) = keyed(rest.get(..length)?, standing, &[':'])?;
    Some((at, found, Access::Writes))
}

/// Looks at `const { status } = state`.
fn destructured<'t>(carriers: &Carriers<'t>, tokens: &[Token<'t>]) -> Option<Place> {
    let equals = assignment(tokens)?;
    let (targets, value) = tokens.split_at(equals);
    let open = targets.iter().position(|token| token.is('{'))?;
    if !carriers.carries(value.get(1..)?) {
        return None;
    }
    let inside = targets.get(open + 1..close(targets, open))?;
    inside.iter().find_map(|token| {
        let found = field(word(token)?, Standing::Carries)?;
        Some((token.at, found, Access::Reads))
    })
}

/// Looks at a file written whole: `json.dump({"status": "x"}, open("adw_state.json", "w"))`.
fn saved<'t>(carriers: &Carriers<'t>, tokens: &[Token<'t>]) -> Option<Place> {
    let saves = tokens
        .iter()
        .any(|token| word(token).is_some_and(|w| SAVERS.contains(&w)));
    let names_it = tokens
        .iter()
        .any(|token| matches!(token.kind, Kind::Text(text) if text.contains("adw_state.json")));
    let holds = |at: usize| {
        let names = names_at(tokens, at).into_iter();
        let mut standings = names.map(|(name, _)| carriers.standing(&name));
        standings.any(|standing| standing == Standing::Carries)
    };
    if !saves || !names_it && !(0..tokens.len()).any(holds) {
        return None;
    }
    let (at, found) = keyed(tokens, Standing::Carries, &[':'])?;
    Some((at, found, Access::Writes))
}
