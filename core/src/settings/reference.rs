//! `docs/configuration.md`, generated from the settings.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::config_file::ConfigFile;
use super::environment::VARIABLES;
use super::number_setting::NUMBERS;
use super::repository_keys::{REPOSITORY_KEYS, RepositoryKey};

/// A setting that is no number.
struct TextSetting {
    key: Option<&'static str>,
    variable: Option<&'static str>,
    value: &'static str,
    default: &'static str,
    about: &'static str,
}

const fn row(
    key: Option<&'static str>,
    variable: Option<&'static str>,
    value: &'static str,
    default: &'static str,
    about: &'static str,
) -> TextSetting {
    TextSetting { key, variable, value, default, about }
}

/// Settings of the user that are no numbers.
const TEXTS: &[TextSetting] = &[
    row(
        None,
        Some("TRUEUP_HOME"),
        "absolute path",
        "the system's directories for data and configuration",
        "One directory for all of trueup's own files, `config.toml` among them.",
    ),
    row(
        Some("database_url"),
        Some("TRUEUP_DATABASE_URL"),
        "`sqlite:/path`, `postgres://…` or `https://…`",
        "`trueup.db` in the data directory",
        "The database.",
    ),
    row(
        Some("api_key"),
        Some("TRUEUP_API_KEY"),
        "text",
        "none",
        "The key for an `https:` database: that of a hub's token, or of Supabase.",
    ),
    row(
        Some("api_key_file"),
        None,
        "path of a file that only the user can read",
        "none",
        "A file with that key.",
    ),
    row(
        None,
        Some("TRUEUP_API_TOKEN"),
        "text",
        "the key",
        "The bearer token for an `https:` database, where it is not the key.",
    ),
    row(
        Some("api_token_file"),
        None,
        "path of a file that only the user can read",
        "none",
        "A file with that token.",
    ),
    row(
        Some("tls_roots"),
        None,
        "`webpki` or `system`",
        "`webpki`",
        "Which authorities sign the certificate of a server: Mozilla's, or the system's.",
    ),
    row(
        Some("log"),
        Some("TRUEUP_LOG"),
        "`off`, `error`, `warn`, `info` or `debug`",
        "`warn`",
        "The most detailed level that `trueup.log` in the data directory gets.",
    ),
    row(
        Some("notify"),
        None,
        "`terminal` or `terminal-777`",
        "none",
        "How the terminal of a session tells what needs its user: by OSC 9 or by OSC 777.",
    ),
    row(Some("webhook"), None, "`https://…`", "none", "Where a hub tells what needs a person."),
    row(
        Some("webhook_secret_file"),
        Some("TRUEUP_WEBHOOK_SECRET"),
        "path of a file; in the variable the secret itself",
        "made by the hub, in `webhook-secret` in the data directory",
        "The secret by which a hub signs what it sends.",
    ),
    row(
        Some("handoff_commands"),
        None,
        "list of patterns with `*`",
        "`[\"*handoff*\"]`",
        "Shell commands before which all copies must agree. A repository's are added.",
    ),
    row(
        Some("branch_pattern"),
        None,
        "regular expression",
        "keys such as `SD-002C` anywhere in the name",
        "Finds the key of an item in the name of a branch.",
    ),
    row(
        None,
        Some("TRUEUP_SESSION_ID"),
        "id of a session",
        "the session of this project",
        "The session that a command acts for; `--session` comes first.",
    ),
    row(
        None,
        Some("TRUEUP_PLAN"),
        "id or file of a plan",
        "the only plan",
        "The plan of `trueup plan` without `--plan`.",
    ),
    row(
        None,
        Some("TRUEUP_ORCHESTRATOR_ID"),
        "id of an orchestrator",
        "none",
        "Set by `trueup orchestrator start` for what it runs.",
    ),
    row(
        None,
        Some("TRUEUP_RELEASES_URL"),
        "`https://…`",
        "the releases of the project",
        "Where `trueup upgrade` looks for the newest release.",
    ),
];

/// Variables of the client, of PostgreSQL and of the system that trueup reads.
const FOREIGN: &[(&str, &str)] = &[
    ("CLAUDE_PROJECT_DIR", "The project directory; set by Claude Code for hooks."),
    ("CLAUDE_PLUGIN_ROOT", "The plugin's directory; set by Claude Code for hooks."),
    ("CLAUDE_ENV_FILE", "A file for variables of the session's commands; set by Claude Code."),
    ("CLAUDE_PID", "The process of Claude Code, where it is set."),
    ("CLAUDE_CODE_SESSION_ID", "The session of a command that the agent runs."),
    ("CLAUDE_CODE_SESSION_ATTENDED", "Whether a person is there to be asked."),
    ("CODEX_SESSION_ID", "The session of a command that Codex runs."),
    ("CODEX_THREAD_ID", "The same, where Codex sets no `CODEX_SESSION_ID`."),
    ("CODEX_HOME", "Codex's configuration directory, else `~/.codex`."),
    ("CLAUDE_CONFIG_DIR", "Claude Code's configuration directory, else `~/.claude`."),
    ("BASH_DEFAULT_TIMEOUT_MS", "How long a command of the agent may take."),
    ("PGPASSWORD", "The password for `postgres://`."),
    ("PGPASSFILE", "A file with passwords for `postgres://`, else `~/.pgpass`."),
    ("HOME", "The home directory."),
    ("USER", "The user, as the actor of commands without a session."),
    ("PATH", "Where programs are."),
    ("NO_COLOR", "No colours. `--color always`, `never` or `auto` counts before it."),
    ("CLICOLOR_FORCE", "Colours also where the output is no terminal."),
    ("COLUMNS", "Width of the terminal, before what the terminal itself says."),
];

fn render_page() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         No configuration is needed. What is set is looked for in this order: a flag of the command, \
         a variable of the environment, the user's `config.toml`, the default. A number outside of \
         its range is a warning that names the value used. An empty variable counts as unset.\n\n\
         This page is generated from `core/src/settings`; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-core docs_of_settings` to write it anew.\n\n\
         `config.toml` is in `TRUEUP_HOME` where that is set, else in the configuration directory of \
         the system: `~/.config/trueup` on Linux, `~/Library/Application Support/trueup` on \
         macOS.\n\n",
    );
    render_numbers(&mut page);
    render_texts(&mut page);
    render_repository(&mut page);
    page.push_str(
        "\n## Variables of other programs\n\n| variable | what it is for |\n| --- | --- |\n",
    );
    for (name, about) in FOREIGN {
        let _ = writeln!(page, "| `{name}` | {about} |");
    }
    page
}

fn code(name: Option<&str>) -> String {
    name.map_or_else(|| "–".to_owned(), |name| format!("`{name}`"))
}

fn render_numbers(page: &mut String) {
    page.push_str(
        "## Numbers\n\n\
         | key of `config.toml` | variable | unit | range | default | what it does |\n\
         | --- | --- | --- | --- | --: | --- |\n",
    );
    for it in NUMBERS {
        let default = it.default.map_or_else(|| "unset".to_owned(), |number| number.to_string());
        let range = format!("{} to {}", it.range.start(), it.range.end());
        let (key, variable) = (code(Some(it.key)), code(it.variable));
        let _ = writeln!(
            page,
            "| {key} | {variable} | {} | {range} | {default} | {} |",
            it.unit, it.about
        );
    }
}

fn render_texts(page: &mut String) {
    page.push_str(
        "\n## Other settings\n\n\
         | key of `config.toml` | variable | value | default | what it does |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for it in TEXTS {
        let (key, variable) = (code(it.key), code(it.variable));
        let _ =
            writeln!(page, "| {key} | {variable} | {} | {} | {} |", it.value, it.default, it.about);
    }
}

fn render_repository(page: &mut String) {
    page.push_str(
        "\n## Settings of a repository\n\n\
         A repository may have a file `.trueup.toml` with these keys. It never names a database, a \
         command to run or a credential; other keys are ignored with a warning.\n\n\
         | key | value | default | what it does |\n| --- | --- | --- | --- |\n",
    );
    for RepositoryKey { name, value, default, about, .. } in &REPOSITORY_KEYS {
        let _ = writeln!(page, "| `{name}` | {value} | {default} | {about} |");
    }
    page.push_str("\n`trueup init` writes such a file, in which every key is a comment.\n");
}

#[test]
fn docs_of_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = render_page();
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/configuration.md is out of date; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-core docs_of_settings`"
    );
}

#[test]
fn the_reference_has_every_key_and_every_variable() {
    // The error of an unknown key lists all keys.
    let error = toml::from_str::<ConfigFile>("unknown = 1").err().unwrap().to_string();
    let (_, known) = error.split_once("expected one of ").unwrap();
    let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
    let numbers = NUMBERS.iter().map(|it| it.key);
    let keys: BTreeSet<&str> = numbers.chain(TEXTS.iter().filter_map(|it| it.key)).collect();
    assert_eq!(keys, known);
    let numbers = NUMBERS.iter().filter_map(|it| it.variable);
    let texts = TEXTS.iter().filter_map(|it| it.variable);
    let foreign = FOREIGN.iter().map(|(name, _)| *name);
    let variables: BTreeSet<&str> = numbers.chain(texts).chain(foreign).collect();
    assert_eq!(variables, VARIABLES.iter().copied().collect());
}

#[test]
fn a_repository_may_set_the_keys_of_the_reference() {
    let dir = tempfile::tempdir().unwrap();
    let project = super::Project { dir: dir.path().to_owned(), git: None, is_home: false };
    let text = "repo = \"r\"\npassive = true\nstate_file = \"S.md\"\nhandoff_commands = []\n\
                branch_pattern = \"x\"\nplans = 1\n";
    let keys = text.lines().filter_map(|line| line.split_once(' ')).map(|(key, _)| key);
    assert_eq!(
        keys.collect::<Vec<_>>(),
        REPOSITORY_KEYS.iter().map(|row| row.name).collect::<Vec<_>>()
    );
    std::fs::write(dir.path().join(".trueup.toml"), text).unwrap();
    let config = project.read_config().unwrap();
    assert_eq!((config.refused, config.problems), (vec![], vec![]));
    for key in TEXTS.iter().filter_map(|it| it.key) {
        let is_listed = REPOSITORY_KEYS.iter().any(|row| row.name == key);
        std::fs::write(dir.path().join(".trueup.toml"), format!("{key} = 1.5\n")).unwrap();
        assert!(is_listed || project.read_config().unwrap().refused == [key], "{key}");
    }
}
