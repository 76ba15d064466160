//! `trueup doctor`: what is in place, what is not, and what mends it. It takes no lock twice
//! and changes nothing without `--fix`.

mod client_process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trueup_core::cache::lock::available_space;
use trueup_core::files::{private_dir, read_text};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Store as _, StoreError};
use trueup_core::text::one_line;

use super::db::{flaw_line, rows_line};
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::report::Answer;

/// Longest name of a database shown, in characters.
const LONGEST_NAME: usize = 200;

/// Space below which writes may soon fail, in bytes.
const LITTLE_SPACE: u64 = 64 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    Warn,
    Fail,
}

struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    fn wrong(
        name: &'static str,
        status: Status,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name,
            status,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    const fn word(&self) -> &'static str {
        match self.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

pub(super) fn run(desk: &Desk, fix: bool) -> Answer {
    let checks = [
        data_directory(desk, fix),
        space(desk),
        database(desk, fix),
        rows(desk),
        outbox(desk, fix),
        journal(desk),
        repository(desk),
        hooks(desk),
        plugin(desk),
        client_process::check(desk),
    ];
    let text = checks
        .iter()
        .flat_map(|check| {
            let line = format!("{:<4} {:<16} {}", check.word(), check.name, check.detail);
            let fix = check.fix.as_ref().map(|fix| format!("       -> {fix}"));
            std::iter::once(line).chain(fix)
        })
        .collect();
    let rows: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name, "status": check.word(), "detail": check.detail,
                "fix": check.fix,
            })
        })
        .collect();
    let failed = checks.iter().any(|check| check.status == Status::Fail);
    let exit = if failed { REFUSED } else { 0 };
    Answer {
        exit,
        ..Answer::new(text, json!({"checks": rows}))
    }
}

fn data_directory(desk: &Desk, fix: bool) -> Check {
    const NAME: &str = "data directory";
    let path = &desk.site.settings.paths.data;
    if fix && let Err(error) = private_dir(path) {
        return Check::wrong(
            NAME,
            Status::Fail,
            format!("{}: {error}", path.display()),
            "make it yours",
        );
    }
    let shown = path.display();
    match fs::metadata(path) {
        Err(_) => Check::wrong(
            NAME,
            Status::Warn,
            format!("{shown} is missing"),
            "trueup db migrate",
        ),
        Ok(data) if !data.is_dir() => Check::wrong(
            NAME,
            Status::Fail,
            format!("{shown} is no directory"),
            "move it away",
        ),
        Ok(data) => privacy(path, &data, fix).unwrap_or_else(|| Check::ok(NAME, shown.to_string())),
    }
}

/// Largest record of the client read, in bytes.
const LARGEST_RECORDS: u64 = 16 * 1024 * 1024;

/// The bits of a mode that let others in.
#[cfg(unix)]
const OTHERS_BITS: u32 = 6;

#[cfg(unix)]
fn privacy(path: &Path, data: &fs::Metadata, fix: bool) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt as _;
    if data.permissions().mode().trailing_zeros() >= OTHERS_BITS {
        return None;
    }
    if fix && fs::set_permissions(path, fs::Permissions::from_mode(0o700)).is_ok() {
        return None;
    }
    let detail = format!("{} can be read by others", path.display());
    let fix = format!("chmod 700 {}", path.display());
    Some(Check::wrong("data directory", Status::Warn, detail, fix))
}

#[cfg(not(unix))]
fn privacy(_: &Path, _: &fs::Metadata, _: bool) -> Option<Check> {
    None
}

fn space(desk: &Desk) -> Check {
    const NAME: &str = "disk space";
    let path = &desk.site.settings.paths.data;
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    match available_space(existing) {
        Ok(bytes) if bytes < LITTLE_SPACE => Check::wrong(
            NAME,
            Status::Warn,
            format!("{} MiB are left at {}", bytes >> 20, existing.display()),
            "free some space: without it even reads of the database fail",
        ),
        Ok(bytes) => Check::ok(NAME, format!("{} MiB are left", bytes >> 20)),
        Err(error) => Check::wrong(
            NAME,
            Status::Warn,
            format!("{}: {error}", existing.display()),
            "df",
        ),
    }
}

fn database(desk: &Desk, fix: bool) -> Check {
    const NAME: &str = "database";
    let path = match desk.database() {
        Ok(path) => path,
        Err(failure) => {
            return Check::wrong(
                NAME,
                Status::Fail,
                failure.message,
                failure.hint.unwrap_or_default(),
            );
        }
    };
    let opened = if fix {
        SqliteStore::open_or_create(path, desk.deadline())
    } else {
        SqliteStore::open(path, desk.deadline())
    };
    let opened = opened.and_then(|mut store| {
        let lineage = store.lineage()?;
        Ok((store.check()?, lineage))
    });
    match opened {
        Ok((wrong, lineage)) if wrong.is_empty() => Check::ok(
            NAME,
            format!("{}, lineage {}", path.display(), lineage.short()),
        ),
        Ok((wrong, _)) => Check::wrong(
            NAME,
            Status::Fail,
            wrong.join("; "),
            "restore a backup of the file",
        ),
        Err(error @ StoreError::Missing(_)) => {
            Check::wrong(NAME, Status::Warn, error.to_string(), "trueup db migrate")
        }
        Err(error) => {
            let failure = Failure::from(error);
            Check::wrong(
                NAME,
                Status::Fail,
                failure.message,
                failure.hint.unwrap_or_default(),
            )
        }
    }
}

/// Rows that break a rule, whoever wrote them. Of a database that cannot be opened the check
/// before this one has said all.
fn rows(desk: &Desk) -> Check {
    const NAME: &str = "rows";
    let flaws = desk
        .open()
        .and_then(|store| store.compliance().map_err(Failure::from));
    match flaws.as_deref() {
        Ok([first, ..]) => Check::wrong(
            NAME,
            Status::Fail,
            format!(
                "{}, such as {}",
                rows_line(flaws.as_deref().unwrap_or_default()),
                flaw_line(first)
            ),
            "trueup db status lists them; mend them with sqlite3, or restore a backup",
        ),
        Ok([]) => Check::ok(NAME, rows_line(&[])),
        Err(_) => Check::ok(NAME, "not looked at"),
    }
}

fn outbox(desk: &Desk, fix: bool) -> Check {
    const NAME: &str = "outbox";
    if fix && let Ok(mut store) = desk.open() {
        desk.send_waiting(&mut store);
    }
    match outbox_contents(desk) {
        Ok(contents) => contents.check(NAME),
        Err(error) => {
            let path = desk.site.settings.paths.outbox();
            Check::wrong(
                NAME,
                Status::Fail,
                format!("{}: {error}", path.display()),
                "make it yours",
            )
        }
    }
}

/// What is in the outbox.
struct Contents {
    here: usize,
    /// By the name of the database that they wait for.
    elsewhere: BTreeMap<String, usize>,
    damaged: usize,
    dead: usize,
    /// Where what is damaged and dead is kept.
    folder: PathBuf,
}

impl Contents {
    fn check(&self, name: &'static str) -> Check {
        let mut line = format!(
            "{} writes wait for the database, {} lines are damaged",
            self.here, self.damaged
        );
        for (database, count) in &self.elsewhere {
            line.push_str(&format!(", {count} writes wait for another: {database}"));
        }
        if self.dead > 0 {
            line.push_str(&format!(", {} writes were refused for good", self.dead));
        }
        let fix = if self.here > 0 {
            "trueup doctor --fix".to_owned()
        } else if self.damaged + self.dead > 0 {
            let folder = self.folder.display();
            format!("look at outbox.damaged and outbox.dead.jsonl in {folder}, and remove them")
        } else if self.elsewhere.is_empty() {
            return Check::ok(name, "nothing waits");
        } else {
            "use that database once more, or remove outbox.elsewhere".to_owned()
        };
        Check::wrong(name, Status::Warn, line, fix)
    }
}

fn outbox_contents(desk: &Desk) -> std::io::Result<Contents> {
    let outbox = desk.site.outbox();
    let here = desk.site.settings.database_address();
    let known = desk.site.databases();
    let lineage = known.last_at(&here);
    let mut contents = Contents {
        here: 0,
        elsewhere: BTreeMap::new(),
        damaged: outbox.damaged()?,
        dead: outbox.dead()?.len(),
        folder: desk.site.settings.paths.data.clone(),
    };
    for pending in outbox.waiting()? {
        let other = pending.origin.and_then(|origin| match origin.lineage {
            Some(other) if lineage.as_ref().is_none_or(|lineage| *lineage == other) => None,
            Some(other) => {
                let name = known.name_of(&other).unwrap_or_default();
                let name = one_line(&name, LONGEST_NAME);
                Some(format!("{name} ({})", other.short()))
            }
            None if origin.database == here => None,
            None => Some("one that was never in contact".to_owned()),
        });
        match other {
            None => contents.here += 1,
            Some(name) => *contents.elsewhere.entry(name).or_default() += 1,
        }
    }
    Ok(contents)
}

fn journal(desk: &Desk) -> Check {
    const NAME: &str = "journal";
    let journal = desk.site.journal();
    match (journal.entries(), journal.damaged()) {
        (Ok(entries), Ok(0)) => Check::ok(NAME, format!("{} edits are kept", entries.len())),
        (Ok(_), Ok(damaged)) => Check::wrong(
            NAME,
            Status::Warn,
            format!("{damaged} lines are damaged and skipped"),
            "trueup journal list",
        ),
        (Err(error), _) | (_, Err(error)) => {
            let path = desk.site.settings.paths.journal();
            Check::wrong(
                NAME,
                Status::Fail,
                format!("{}: {error}", path.display()),
                "make it yours",
            )
        }
    }
}

fn repository(desk: &Desk) -> Check {
    const NAME: &str = "project";
    match (&desk.site.project.git, desk.site.warnings.first()) {
        (_, Some(warning)) => Check::wrong(NAME, Status::Warn, warning.clone(), "mend that line"),
        (Some(git), None) => Check::ok(
            NAME,
            format!(
                "{}, branch {}",
                git.root.display(),
                super::or_none(desk.site.branch().as_deref())
            ),
        ),
        (None, None) => Check::ok(
            NAME,
            format!("{} is no git worktree", desk.site.project.dir.display()),
        ),
    }
}

/// Patterns of hand-off commands that the plugin's hooks would never see: the client decides
/// by the word "handoff" in the command before it starts a hook.
fn hooks(desk: &Desk) -> Check {
    const NAME: &str = "hand-off commands";
    let patterns = desk.site.settings.handoff_commands(&desk.site.repository);
    let unseen: Vec<&str> = patterns
        .iter()
        .map(String::as_str)
        .filter(|pattern| !pattern.to_lowercase().contains("handoff"))
        .collect();
    if unseen.is_empty() {
        return Check::ok(NAME, patterns.join(", "));
    }
    Check::wrong(
        NAME,
        Status::Warn,
        format!(
            "the client shows the gate only commands with the word handoff, so {} is checked at Stop alone",
            unseen.join(", ")
        ),
        "add a PreToolUse hook of pre-handoff-validate for it to your settings.json",
    )
}

/// Looks for the plugin in the client's own records.
fn plugin(desk: &Desk) -> Check {
    const NAME: &str = "plugin";
    let config = desk.environment.path("CLAUDE_CONFIG_DIR").or_else(|| {
        desk.environment
            .path("HOME")
            .map(|home: PathBuf| home.join(".claude"))
    });
    let records = config.map(|dir| dir.join("plugins").join("installed_plugins.json"));
    let text = records
        .and_then(|path| read_text(&path, LARGEST_RECORDS, true).ok())
        .unwrap_or_default();
    let installed = serde_json::from_str::<Value>(&text).is_ok_and(|json| {
        json.get("plugins")
            .and_then(Value::as_object)
            .is_some_and(|plugins| plugins.keys().any(|name| name.starts_with("trueup@")))
    });
    if installed {
        Check::ok(NAME, "Claude Code has it installed")
    } else {
        Check::wrong(
            NAME,
            Status::Warn,
            "Claude Code does not have it installed",
            "run install/install.sh with `claude` on PATH, or start claude with --plugin-dir",
        )
    }
}
