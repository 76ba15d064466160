//! The table of patterns: how scripts use a field, and how a name comes to hold the file.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::language::Language::{self, Go, JavaScript, Python, Ruby, Rust, Shell};
use crate::metadata::database_fields::DATABASE_FIELDS;

/// The name of a metadata file.
pub(super) const FILE: &str = "adw_state.json";

/// The class with which workflow scripts in Python read the file.
pub(super) const CLASS: &str = "ADWState";

/// What a script does to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// The script takes the file's word for the field.
    Reads,
    /// The script keeps a second copy of the field in the file.
    Writes,
}

/// What has to be known before a match counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The pattern itself names the file.
    InPattern,
    /// The line mentions the file, or a name that holds it.
    OnLine,
    /// The matched name was assigned from the file.
    Assigned,
    /// The matched name was assigned from the file, or is what workflow scripts call it.
    AssignedOrUsual,
}

use Access::{Reads, Writes};
use Evidence::{Assigned, AssignedOrUsual, InPattern, OnLine};

const ALL: &[Language] = &[Python, JavaScript, Ruby, Go, Rust, Shell];

/// The uses of a field: languages, access, evidence and a regular expression.
///
/// `NAME` and `FIELD` in an expression stand for groups with these names. The use stands where the
/// group `at` begins, else where the match does. An assignment behind a read makes it a write.
#[rustfmt::skip]
pub(super) const USES: &[(&[Language], Access, Evidence, &str)] = &[
    // state['status'], s?.["status"], s[:status]
    (ALL, Reads, AssignedOrUsual, r#"\bNAME(?:\.data)?(?:\?\.|!)?\[\s*['":]FIELD\b['"]?\s*\]"#),
    // state.get('status'), s.fetch(:status)
    (ALL, Reads, AssignedOrUsual, r#"\bNAME(?:\.data)?[?!]?\.(?:get|fetch|dig|get_str|getString)\(\s*['":]FIELD\b"#),
    (ALL, Writes, AssignedOrUsual, r#"\bNAME(?:\.data)?\.(?:set|setdefault|insert|store)\(\s*['":]FIELD\b"#),
    // state.update(status='x'), s.update({'branch_name': b, 'status': 'x'})
    (ALL, Writes, AssignedOrUsual, r#"\bNAME(?:\.data)?\.(?:update|merge!?)\((?:[^()]*[\s({,])?['"]?FIELD['"]?\s*[=:]"#),
    (&[Python], Reads, AssignedOrUsual, r#"\bgetattr\(\s*(?P<at>NAME)\s*,\s*['"]FIELD['"]"#),
    (&[Python], Writes, AssignedOrUsual, r#"\bsetattr\(\s*(?P<at>NAME)\s*,\s*['"]FIELD['"]"#),
    // s.status, only where s is known: too many other values have a status.
    (ALL, Reads, Assigned, r"\bNAME(?:\.data)?[?!]?\.FIELD\b"),
    // {...s, status: 'x'}
    (&[JavaScript], Writes, Assigned, r"\.\.\.NAME\b[^}]*?[\s,](?P<at>FIELD)\s*:"),
    // ADWState.load(id).get('status'), json.load(open('adw_state.json'))['status']
    (ALL, Reads, InPattern, r#"\bADWState\b[\w.]*\([^()]*\)\??(?:\.get\(|\.|\[)\s*['"]?FIELD\b"#),
    (ALL, Reads, InPattern, r#"\badw_state\.json[^;]*?\)\??(?:\.get\(|\.|\[)\s*['"]?FIELD\b"#),
    // const { status } = require('./adw_state.json')
    (&[JavaScript], Reads, OnLine, r"[{,]\s*(?P<at>FIELD)\b[^{}=]*\}\s*=[^=>]"),
    // json.dump({'status': 'x'}, open('adw_state.json', 'w'))
    (ALL, Writes, OnLine, r#"\b(?:dumps?|writeFile(?:Sync)?|write_text|outputJson)\(.*?(?P<at>['"]?FIELD['"]?)\s*:"#),
    // jq -r .status adw_state.json, jq '.["status"]' "$F"
    (&[Shell], Reads, OnLine, r#"\b(?:jq|yq|gojq|jaq)\b.*?[^\w\])".$](?P<at>\.FIELD)\b"#),
    (&[Shell], Reads, OnLine, r#"\b(?:jq|yq|gojq|jaq)\b.*?(?P<at>\["FIELD"\])"#),
    // grep '"status": "running"' adw_state.json
    (&[Shell], Writes, OnLine, r#"\bsed -i.*?(?P<at>\\?"FIELD)\b"#),
    (&[Shell], Reads, OnLine, r#"\b(?:grep|rg|awk|sed)\b.*?(?P<at>\\?"FIELD)\b"#),
];

/// How a name gets its value, in the groups `name` and `value`.
const BINDINGS: [&str; 5] = [
    r"\bfor\s+(?:\(\s*(?:const|let|var)\s+)?NAME\s+(?:in|of)\s(?P<value>.*)",
    r"\bwith\s(?P<value>.*?)\sas\s+NAME\b",
    // s = …, const s = …, data, err := …, state: ADWState = …
    r"(?:^|[:;{]\s)\s*(?:(?:export|local|readonly|let|const|var|mut|if)\s+)*NAME(?:\s*,[\s\w,]*)?\s*(?::[^=]*)?=(?P<value>[^=>~][^;]*)",
    // def report(state: ADWState)
    r"\bNAME\s*:\s*(?P<value>ADWState)\b",
    // json.Unmarshal(data, &state)
    r"\b(?:Unmarshal|Decode)\((?P<value>.*)&NAME\b",
];

/// What a value does with a name that holds the file when the value is the file, or its path.
const LOADS: &str = "(?i)load|parse|read|open|json|path|join|from_";

/// Values that mention the file and are not the file: answers of other programs, and fields.
const OTHER_VALUES: &str = r"\b(?:Command(?:::new)?|run|spawn(?:Sync)?|exec(?:Sync)?|Popen|check_output|check_call|fetch|request|urlopen|system)\(|\)\??(?:\.get\(|\[)";

/// A name, or several with dots between them.
const NAME: &str = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*";

/// Methods whose answer is still the file, by how they begin.
pub(super) const STAYS: [&str; 12] = [
    "read", "open", "load", "text", "json", "clone", "copy", "unwrap", "to_", "as_", "decode",
    "strip",
];

/// Fields as Go and JavaScript spell them.
pub(super) const OTHER_SPELLINGS: [(&str, &str); 3] =
    [("Status", "status"), ("CurrentPhase", "current_phase"), ("currentPhase", "current_phase")];

/// The compiled expressions.
pub(super) struct Matchers {
    pub(super) uses: Vec<Regex>,
    pub(super) bindings: Vec<Regex>,
    pub(super) name: Regex,
    pub(super) loads: Regex,
    pub(super) other_values: Regex,
    pub(super) words: Vec<&'static str>,
}

/// Compiled at the first search; `None` if an expression were wrong, which a unit test rules out.
pub(super) static MATCHERS: LazyLock<Option<Matchers>> = LazyLock::new(Matchers::compile);

impl Matchers {
    fn compile() -> Option<Self> {
        let names = DATABASE_FIELDS.iter().map(|field| field.name);
        let others = OTHER_SPELLINGS.iter().map(|(spelling, _)| *spelling);
        let words: Vec<&str> = names.chain(others).collect();
        let name_group = format!("(?P<name>{NAME}?)");
        let field_group = format!("(?P<field>{})", words.join("|"));
        let compile = |regex: &str| {
            let regex = regex.replace("NAME", &name_group);
            Regex::new(&regex.replace("FIELD", &field_group)).ok()
        };
        Some(Self {
            uses: USES.iter().map(|(.., regex)| compile(regex)).collect::<Option<_>>()?,
            bindings: BINDINGS.into_iter().map(compile).collect::<Option<_>>()?,
            name: Regex::new(NAME).ok()?,
            loads: Regex::new(LOADS).ok()?,
            other_values: Regex::new(OTHER_VALUES).ok()?,
            words,
        })
    }
}
