//! Compares what workers and followers wrote down with the database.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use support::postgres::run_psql;

use crate::LoadError;
use crate::arguments::Arguments;
use crate::checks::{Evidence, FollowedEvents, find_violations};
use crate::record::{FollowedFrom, Record};
use crate::summary::Summary;

/// How many violations are printed.
const MAX_SHOWN: usize = 20;

/// Reads the tables as the superuser, and prints what became of the load; fails if a promise was
/// broken.
pub(crate) fn run_verify(mut arguments: Arguments) -> Result<ExitCode, LoadError> {
    let url = arguments.next("a URL")?;
    let folder = PathBuf::from(arguments.next("a folder")?);
    let is_json = arguments.flag("--json");
    arguments.finish()?;
    let evidence = collect_evidence(&url, &folder)?;
    let violations = find_violations(&evidence);
    let summary = Summary::new(&evidence.records, evidence.events.len(), violations.len());
    let mut stdout = std::io::stdout();
    if is_json {
        writeln!(stdout, "{}", serde_json::to_string(&summary)?)?;
    } else {
        write!(stdout, "{summary}")?;
    }
    for violation in violations.iter().take(MAX_SHOWN) {
        writeln!(std::io::stderr(), "BROKEN: {violation}")?;
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes the logs of a folder: `work-*.log` and `follow-*.log`.
fn collect_evidence(url: &str, folder: &Path) -> Result<Evidence, LoadError> {
    let mut records: Vec<Record> = Vec::new();
    let mut followers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        if name.starts_with("work-") {
            records.append(&mut parse_lines(text.lines())?);
        } else if name.starts_with("follow-") {
            let mut lines = text.lines();
            let first = lines.next().ok_or_else(|| format!("{name} is empty"))?;
            let from: FollowedFrom = serde_json::from_str(first)?;
            followers.push(FollowedEvents { name, after: from.after, seen: parse_lines(lines)? });
        }
    }
    Ok(Evidence {
        records,
        followers,
        events: query(
            url,
            "SELECT json_build_object('seq', seq, 'entity', entity, 'key', key, 'kind', kind,
                 'epoch', epoch, 'op_id', op_id, 'actor', actor)
             FROM trueup.events ORDER BY seq",
        )?,
        tasks: query_pairs(
            url,
            "SELECT json_build_array(session_id,
                 coalesce(metadata -> 'execution_state' ->> 'currentTask', ''))
             FROM trueup.claude_sessions WHERE session_id LIKE 'load-%'",
        )?,
        heartbeats: query_pairs(
            url,
            "SELECT json_build_array(session_id,
                 (extract(epoch FROM heartbeat_at::timestamptz) * 1000000)::bigint)
             FROM trueup.claude_sessions WHERE session_id LIKE 'load-%'",
        )?,
        statuses: query_pairs(url, "SELECT json_build_array(key, status) FROM trueup.work_items")?,
    })
}

fn parse_lines<'a, T: DeserializeOwned>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<Vec<T>, LoadError> {
    Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn query<T: DeserializeOwned>(url: &str, sql: &str) -> Result<Vec<T>, LoadError> {
    let answer = run_psql(url, sql).map_err(|error| error.message)?;
    parse_lines(answer.lines())
}

fn query_pairs<T>(url: &str, sql: &str) -> Result<BTreeMap<String, T>, LoadError>
where
    T: DeserializeOwned,
{
    Ok(query::<(String, T)>(url, sql)?.into_iter().collect())
}
