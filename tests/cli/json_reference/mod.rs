//! `docs/json.md` and `schemas/`: generated, and what commands really print is checked against them.

mod data_table;
mod schemas;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{started, trueup};
use crate::help::COMMANDS;
use data_table::DATA;
use schemas::{envelope_schema, list_views};

const RENEW: &str =
    "TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-tests --test cli json_reference::files";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn render_page() -> String {
    let mut page = format!(
        "# JSON\n\n\
         With `--json` every command prints one object, whatever happens, as \
         [`schemas/envelope.schema.json`](https://github.com/trueup/trueup/blob/main/schemas/envelope.schema.json) describes it: `ok`, \
         `command`, `data`, `divergences`, `warnings` and `error`. A key is never missing where a value \
         is: it is `null` then. Later versions may add keys. The codes of errors are in \
         [errors.md](errors.md), those of divergences in [codes.md](codes.md).\n\n\
         This page and the schemas are generated from the views in the code; run \
         `{RENEW}` to write them anew.\n\n\
         ## Views\n\n| name | what it is | schema |\n| --- | --- | --- |\n"
    );
    for (name, file, schema) in list_views() {
        let about = schema["title"].as_str().unwrap();
        let _ = writeln!(
            page,
            "| {name} | {about} | [`{file}.schema.json`](https://github.com/trueup/trueup/blob/main/schemas/{file}.schema.json) |"
        );
    }
    page.push_str(
        "\n## The data of each command\n\n\
         Capitals name a view; `?` behind a type means that it may be null, `[]` a list of it, and \
         `?` behind a key that it may be missing.\n\n| command | `data` |\n| --- | --- |\n",
    );
    for (command, data) in DATA {
        let _ = writeln!(page, "| `{command}` | {data} |");
    }
    page
}

fn check_file(path: &str, content: &str) {
    let file = root().join(path);
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        fs::write(&file, content).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == content, "{path} is out of date; run `{RENEW}`");
}

#[test]
fn files_are_those_of_the_views() {
    check_file("docs/json.md", &render_page());
    let envelope = ("", "envelope", envelope_schema());
    for (_, file, schema) in list_views().into_iter().chain([envelope]) {
        check_file(&format!("schemas/{file}.schema.json"), &format!("{schema:#}\n"));
    }
}

#[test]
fn each_command_has_its_data_in_the_table() {
    let is_group = |words: &[&str]| {
        COMMANDS.iter().any(|other| other.len() > words.len() && other.starts_with(words))
    };
    let leaves = COMMANDS.iter().filter(|words| !is_group(words)).map(|words| words.join(" "));
    let leaves: BTreeSet<String> = leaves.collect();
    let listed: BTreeSet<String> = DATA.iter().map(|(command, _)| (*command).to_owned()).collect();
    let more = ["trueup", "status --all", "validate-session-state"].map(str::to_owned).into();
    assert_eq!(listed, leaves.union(&more).cloned().collect());
}

/// Makes the schema of `data` from its row in the table.
fn data_schema(row: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in row.split(", ") {
        let (key, kind) = part.split_once(": ").unwrap_or_else(|| panic!("{row}: {part}"));
        if !key.ends_with('?') {
            required.push(key);
        }
        properties.insert(key.trim_end_matches('?').to_owned(), type_schema(kind));
    }
    let defs = list_views().into_iter().map(|(name, _, schema)| (name.to_owned(), schema));
    json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false, "$defs": defs.collect::<Map<_, _>>(),
    })
}

fn type_schema(kind: &str) -> Value {
    if let Some(inner) = kind.strip_suffix('?') {
        return json!({"anyOf": [type_schema(inner), {"type": "null"}]});
    }
    if let Some(inner) = kind.strip_suffix("[]") {
        return json!({"type": "array", "items": type_schema(inner)});
    }
    match kind {
        "text" => json!({"type": "string"}),
        "number" => json!({"type": "number"}),
        "bool" => json!({"type": "boolean"}),
        "object" => json!({"type": "object"}),
        view => {
            let views = list_views();
            let found = views.into_iter().find(|(name, ..)| *name == view);
            let (_, _, mut schema) = found.unwrap_or_else(|| panic!("no view {view}"));
            // A schema of its own, so that its references stay within it.
            schema["$id"] = json!(format!("https://trueup.invalid/{view}"));
            schema
        }
    }
}

/// Lists in what an instance differs from a schema.
fn find_problems(schema: &Value, instance: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(instance).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

/// Runs commands, of which each must print what the schemas and the table say.
struct Checker {
    home: Home,
    tried: BTreeSet<&'static str>,
    envelope: Value,
    problems: Vec<String>,
}

impl Checker {
    fn run(&mut self, arguments: &[&str]) -> Value {
        let answer = trueup(&self.home, &[&["--json"], arguments].concat());
        self.check(&answer.json(), arguments)
    }

    fn check(&mut self, object: &Value, arguments: &[&str]) -> Value {
        let what = arguments.join(" ");
        let mut problems = find_problems(&self.envelope, object);
        let name = object["command"].as_str().unwrap();
        let name = if arguments == ["status", "--all"] { "status --all" } else { name };
        let row = DATA.iter().find(|(command, _)| *command == name);
        let Some((command, row)) = row else {
            self.problems.push(format!("{what}: {name} is not in the table: {object}"));
            return Value::Null;
        };
        if object["error"].is_null() {
            problems.extend(find_problems(&data_schema(row), &object["data"]));
        } else {
            problems.push(object["error"].to_string());
        }
        self.problems.extend(problems.into_iter().map(|problem| format!("{what}: {problem}")));
        self.tried.insert(command);
        object["data"].clone()
    }
}

/// Commands whose data other suites check, or which need what is not here.
const UNTRIED: &[&str] = &[
    "db import",
    "db restore",
    "handoff accept",
    "install",
    "meta fix",
    "orchestrator heartbeat",
    "orchestrator register",
    "orchestrator start",
    "orchestrator stop",
    "outbox drop",
    "outbox retry",
    "plan watch",
    "top",
    "uninstall",
    "upgrade",
];

#[test]
fn commands_print_what_the_schemas_and_the_table_say() {
    let home = started();
    if home.shared_url().is_some() {
        return;
    }
    let plan = "# Plan\n\n## Phase 1: Find\n- [ ] 1.1 Read\n- [ ] 1.2 Write\n- [ ] 1.3 Test\n";
    fs::write(home.project_dir().join("P.md"), plan).unwrap();
    fs::write(home.project_dir().join("STATE.md"), "# State\n\nAll is well.\n").unwrap();
    let issue = r#"{"id":"BD-1","title":"Found","status":"open"}"#;
    fs::write(home.project_dir().join("issues.jsonl"), issue).unwrap();
    let mut it =
        Checker { home, tried: BTreeSet::new(), envelope: envelope_schema(), problems: Vec::new() };
    work_with_items(&mut it);
    work_with_phases_and_plans(&mut it);
    work_with_files(&mut it);
    let validated = it.home.prepare_run("validate-session-state").args(["--json"]).wait();
    it.check(&validated.json(), &["validate-session-state"]);
    assert!(it.problems.is_empty(), "{:#?}", it.problems);
    let all: BTreeSet<&str> = DATA.iter().map(|(command, _)| *command).collect();
    let untried: BTreeSet<&str> = UNTRIED.iter().copied().collect();
    let tried: BTreeSet<&str> = it.tried.iter().copied().collect();
    assert_eq!(&all - &tried, untried);
}

fn work_with_items(it: &mut Checker) {
    it.run(&["item", "add", "SD-1", "--title", "First"]);
    it.run(&["item", "add", "SD-2", "--parent", "SD-1"]);
    it.run(&["item", "add", "SD-3"]);
    it.run(&["item", "edit", "SD-2", "--title", "Second"]);
    it.run(&["item", "depend", "SD-3", "--on", "SD-2"]);
    it.run(&["item", "list"]);
    it.run(&["item", "show", "SD-1"]);
    it.run(&["claim", "SD-1"]);
    for arguments in [
        &["set", "--phase", "EXEC", "--task", "write"][..],
        &["interrupt"],
        &["resume"],
        &["clear"],
        &[],
        &["help", "claims"],
        &["status"],
        &["status", "--all"],
        &["sessions", "list"],
        &["sessions", "show", FIRST_SESSION],
        &["sessions", "sweep"],
        &["log"],
        &["blame", "SD-1"],
        &["release"],
        &["next"],
        &["ready"],
        &["search", "again"],
        &["item", "transition", "SD-1", "cancelled", "--reason", "r"],
        &["item", "reopen", "SD-1", "--reason", "again"],
        &["claim", "SD-1"],
    ] {
        it.run(arguments);
    }
    let created =
        it.run(&["handoff", "create", "PLAN-TO-EXEC", "--summary", "s", "--actions", "a"]);
    let id = created["handoff"]["id"].as_str().unwrap_or_default().to_owned();
    it.run(&["handoff", "list"]);
    it.run(&["handoff", "show", &id]);
    it.run(&["handoff", "reject", &id, "--reason", "withdrawn"]);
    it.run(&["item", "remove", "SD-3"]);
    it.run(&["item", "import", "issues.jsonl"]);
    it.run(&["export", "work.jsonl"]);
}

fn work_with_phases_and_plans(it: &mut Checker) {
    for arguments in [
        &["queue", "add", "SD-1", "--phases", "plan,build,test"][..],
        &["queue", "list"],
        &["queue", "next"],
        &["queue", "start", "SD-1:1"],
        &["queue", "complete", "SD-1:1"],
        &["queue", "block", "SD-1:2", "--reason", "r"],
        &["queue", "reopen", "SD-1:2", "--reason", "r"],
        &["queue", "start", "SD-1:2"],
        &["queue", "fail", "SD-1:2", "--error", "e"],
        &["plan", "import", "P.md"],
        &["plan", "list"],
        &["plan", "status"],
        &["plan", "export"],
        &["plan", "next"],
        &["plan", "start", "1.1"],
        &["plan", "complete", "1.1"],
        &["plan", "start", "1.2"],
        &["plan", "fail", "1.2", "--error", "e"],
        &["plan", "retry", "1.2"],
        &["plan", "reopen", "1.1", "--reason", "r"],
        &["plan", "skip", "1.3", "--reason", "r"],
        &["plan", "validate", "P.md"],
        &["plan", "remove", "P"],
        &["queue", "cancel", "SD-1:3", "--reason", "r"],
        &["queue", "remove", "SD-1:1", "--all"],
        &["orchestrator", "list"],
        &["ports", "reserve", "3af4a34d"],
        &["ports", "release", "3af4a34d"],
        &["ports", "list"],
        &["ports", "sweep"],
    ] {
        it.run(arguments);
    }
}

fn work_with_files(it: &mut Checker) {
    for arguments in [
        &["repo", "add", "."][..],
        &["repo", "list"],
        &["init"],
        &["prime"],
        &["state", "sync"],
        &["state", "show"],
        &["state", "pull"],
        &["repo", "remove", "project"],
        &["meta", "set", "77c90e61", "branch_name=feature/x"],
        &["meta", "get", "77c90e61"],
        &["meta", "check"],
        &["pull"],
        &["check"],
        &["demo"],
        &["db", "migrate"],
        &["db", "status"],
        &["db", "backup", "copy.db"],
        &["db", "prune", "--dry-run"],
        &["db", "schema"],
        &["db", "export", "all.jsonl"],
        &["outbox", "list"],
        &["outbox", "drain"],
        &["mcp"],
        &["statusline"],
        &["completions", "bash"],
        &["doctor"],
        &["journal", "list"],
    ] {
        it.run(arguments);
    }
    it.home.edit_cache("currentTask", "written by hand");
    it.run(&["leftovers", "--remove"]);
    let entries = it.run(&["journal", "list"]);
    let id = entries["entries"][0]["id"].as_str().unwrap_or_default().to_owned();
    it.run(&["journal", "show", &id]);
    it.run(&["journal", "restore", &id]);
    it.run(&["journal", "drop", &id, "--yes"]);
}
