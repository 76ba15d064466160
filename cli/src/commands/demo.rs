//! `trueup demo`: a drifted session is trued up, for real, in a temporary directory.
//!
//! The database and the branch are on SD-002C, the local file is still on SD-002B, so that an agent
//! would work on the wrong item.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup_core::cache::{self, CacheFile};
use trueup_core::claims::{ClaimItemRequest, claim_item};
use trueup_core::deadline::Deadline;
use trueup_core::fs::{create_private_dir, write_private};
use trueup_core::model::{FieldValue, ItemKey, NewItem, SessionId, StateField};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{CommandStore, ItemAddition, Provenance, Store};
use trueup_core::sync::{RunContext, register_session, true_up};

use super::state_change::{StateChange, push_change};
use super::value_text::render_json_value;
use crate::command_context::load_registered_session;
use crate::command_error::{CommandError, CommandResult, REFUSED};
use crate::output::Output;
use crate::store_location::StoreLocation;

/// A project whose database, branch and local file can be compared.
struct DemoProject {
    store: Box<dyn CommandStore>,
    session: SessionId,
    run_context: RunContext,
    cache_path: PathBuf,
}

pub(super) fn cmd_demo() -> CommandResult {
    let folder = tempfile::Builder::new().prefix("trueup-demo-").tempdir()?;
    let mut demo = prepare_project(folder.path())?;
    // As a tool without a database would leave the file: on the previous child.
    write_private(&demo.cache_path, stale_cache_file().as_bytes())?;

    let before = describe_cache_file(&demo.cache_path);
    let started_at = Instant::now();
    let session = load_registered_session(&mut *demo.store, &demo.session)?;
    let synced = true_up(&mut *demo.store, session, &[], &demo.run_context)?;
    let elapsed = started_at.elapsed();
    let after = describe_cache_file(&demo.cache_path);

    let item = synced.session.item.as_ref();
    let item = item.map_or("none", ItemKey::as_str).to_owned();
    let copies = |file: &str| {
        [
            format!("  database  claim on {item}"),
            "  git       branch feat/SD-002C-sync".to_owned(),
            format!("  file      {file}"),
        ]
    };
    let mut text = vec!["Before: three copies of one fact; one is wrong.".to_owned()];
    text.extend(copies(&before));
    text.push("A session starts, and session-start-sync trues up the file:".to_owned());
    text.extend(synced.found.iter().map(|d| format!("  {}", d.message)));
    let millis = elapsed.as_secs_f64() * 1000.0;
    text.push(format!("After, {millis:.1} ms later:"));
    text.extend(copies(&after));
    let is_consistent = synced.remaining.is_empty() && after.contains("SD-002C");
    text.push(if is_consistent {
        "The copies agree. Nothing outside a temporary directory was touched.".to_owned()
    } else {
        "The copies still differ: this is a bug in trueup.".to_owned()
    });
    let data = json!({
        "before": {"file": before, "claim": item},
        "after": {"file": after, "claim": item},
        "mended": synced.fixed_codes(),
        "consistent": is_consistent,
    });
    Ok(Output {
        divergences: synced.found,
        exit_code: if is_consistent { 0 } else { REFUSED },
        ..Output::new(text, data)
    })
}

/// Makes a project whose session holds SD-002C, with a cache that says so.
fn prepare_project(folder: &Path) -> CommandResult<DemoProject> {
    let project = folder.join("project");
    create_repository(&project, "feat/SD-002C-sync")?;
    let home = folder.join("home");
    let environment = Environment::from_lookup(|name| match name {
        "TRUEUP_HOME" => Some(home.clone().into_os_string()),
        _ => None,
    });
    let settings = Settings::load(&environment)?;
    let deadline = Deadline::after(Duration::from_secs(10));
    let run_context = RunContext::new(
        &environment,
        settings,
        Project::at_dir(&environment, project.clone()),
        None,
        deadline,
    );
    let location = StoreLocation::from_settings(&run_context.settings, &environment)?;
    let mut store = location.open_or_create(deadline)?;
    let session: SessionId = parse_literal("demo-session")?;
    register_session(&mut *store, &session, None, &run_context)?;
    for key in ["SD-002B", "SD-002C"] {
        claim_new_item(&mut *store, &session, key, &run_context)?;
    }
    let fields = BTreeMap::from([(StateField::Phase, FieldValue::Text(Some("PLAN".to_owned())))]);
    let current = load_registered_session(&mut *store, &session)?;
    push_change(
        &mut *store,
        current,
        StateChange { fields, reason: "demo", ..StateChange::default() },
    )?;
    let current = load_registered_session(&mut *store, &session)?;
    true_up(&mut *store, current, &[], &run_context)?;
    Ok(DemoProject { store, session, run_context, cache_path: cache::shared_cache_path(&project) })
}

/// Parses an id that is valid by construction.
fn parse_literal<T: FromStr>(text: &str) -> CommandResult<T> {
    text.parse().map_err(|_| CommandError::usage("trueup demo --help", "demo"))
}

/// Makes the files of a git worktree that trueup reads, without running git.
fn create_repository(project: &Path, branch: &str) -> CommandResult<()> {
    let git = project.join(".git");
    create_private_dir(&git.join("refs/heads"))?;
    create_private_dir(&git.join("objects"))?;
    write_private(&git.join("HEAD"), format!("ref: refs/heads/{branch}\n").as_bytes())?;
    Ok(())
}

fn claim_new_item(
    store: &mut dyn Store,
    session: &SessionId,
    key: &str,
    run_context: &RunContext,
) -> CommandResult<()> {
    let key: ItemKey = parse_literal(key)?;
    let addition = ItemAddition {
        item: NewItem::new(key.clone()),
        provenance: Provenance::new(session.as_str(), "demo"),
    };
    let request = ClaimItemRequest {
        session: session.clone(),
        item: key,
        new_item: Some(addition),
        force: false,
        quiet_period_seconds: None,
        provenance: Provenance::new(session.as_str(), ""),
    };
    claim_item(store, &request, run_context)?;
    Ok(())
}

/// Returns a cache in the format of tools without a database, on the wrong child.
fn stale_cache_file() -> String {
    let file = json!({
        "isActive": true, "wasInterrupted": false, "currentSd": "SD-002B",
        "currentPhase": "LEAD", "currentTask": null, "lastInterruptedAt": null,
        "lastResumedAt": null, "resumeCount": 2, "version": "1.0.0",
    });
    format!("{file:#}\n")
}

fn describe_cache_file(path: &Path) -> String {
    let reading = match CacheFile::read(path).document {
        trueup_core::reconcile::Reading::Fresh(document) => document.to_reading(),
        _ => return "unreadable".to_owned(),
    };
    let text = |field| reading.fields.get(&field).map_or(Value::Null, |value| json!(value));
    format!(
        "currentSd {}, currentPhase {}",
        render_json_value(&text(StateField::Item)),
        render_json_value(&text(StateField::Phase))
    )
}
