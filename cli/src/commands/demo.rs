//! `trueup demo`: the incident of the first seed, for real, in a temporary directory.
//!
//! The database and the branch say SD-002C, the local file still says SD-002B, and the agent
//! works on the wrong thing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup_core::cache::{self, CacheFile};
use trueup_core::claims::{ClaimItemRequest, claim_item};
use trueup_core::deadline::Deadline;
use trueup_core::fs::{create_private_dir, write_private};
use trueup_core::model::{FieldValue, ItemKey, NewItem, SessionId, StateField};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, Store as _};
use trueup_core::sync::{RunContext, register_session, true_up};

use crate::command_error::CommandError;
use crate::output::Output;

pub(super) fn cmd_demo() -> Result<Output, CommandError> {
    let folder = tempfile::Builder::new().prefix("trueup-demo-").tempdir()?;
    let project = folder.path().join("project");
    create_repository(&project, "feat/SD-002C-sync")?;
    let home = folder.path().join("home");
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
    let mut store = SqliteStore::open_or_create(&home.join("trueup.db"), deadline)?;
    let session: SessionId = "demo-session"
        .parse()
        .map_err(|_| CommandError::usage("trueup demo --help", "demo"))?;
    register_session(&mut store, &session, None, &run_context)?;
    for key in ["SD-002B", "SD-002C"] {
        claim_new_item(&mut store, &session, key, &run_context)?;
    }
    let changes = BTreeMap::from([(StateField::Phase, FieldValue::Text(Some("PLAN".to_owned())))]);
    let current = store
        .load_session(&session)?
        .ok_or_else(|| CommandError::session_not_registered("demo-session"))?;
    let current = super::set::push_changes(&mut store, current, &changes, None, "demo")?;
    true_up(&mut store, current, &[], &run_context)?;
    let path = cache::shared_cache_path(&project);
    // The file as a tool without a database left it: on the previous child.
    write_private(&path, stale_cache_file().as_bytes())?;

    let before = describe_cache_file(&path);
    let clock = Instant::now();
    let session = store
        .load_session(&session)?
        .ok_or_else(|| CommandError::session_not_registered("demo-session"))?;
    let synced = true_up(&mut store, session, &[], &run_context)?;
    let elapsed = clock.elapsed();
    let after = describe_cache_file(&path);

    let item = synced
        .session
        .item
        .as_ref()
        .map_or("none", ItemKey::as_str)
        .to_owned();
    let mut text = vec![
        "Before: three copies of one fact; one is wrong.".to_owned(),
        format!("  database  claim on {item}"),
        "  git       branch feat/SD-002C-sync".to_owned(),
        format!("  file      {before}"),
        "A session starts, and session-start-sync trues up the file:".to_owned(),
    ];
    text.extend(synced.found.iter().map(|d| format!("  {}", d.message)));
    text.push(format!(
        "After, {:.1} ms later:",
        elapsed.as_secs_f64() * 1000.0
    ));
    text.push(format!("  database  claim on {item}"));
    text.push("  git       branch feat/SD-002C-sync".to_owned());
    text.push(format!("  file      {after}"));
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
    let exit_code = if is_consistent {
        0
    } else {
        crate::command_error::REFUSED
    };
    Ok(Output {
        divergences: synced.found,
        exit_code,
        ..Output::new(text, data)
    })
}

/// Makes what is needed of a git worktree, without needing git.
fn create_repository(project: &Path, branch: &str) -> Result<(), CommandError> {
    let git = project.join(".git");
    create_private_dir(&git.join("refs/heads"))?;
    create_private_dir(&git.join("objects"))?;
    write_private(
        &git.join("HEAD"),
        format!("ref: refs/heads/{branch}\n").as_bytes(),
    )?;
    Ok(())
}

fn claim_new_item(
    store: &mut SqliteStore,
    session: &SessionId,
    key: &str,
    run_context: &RunContext,
) -> Result<(), CommandError> {
    let key: ItemKey = key
        .parse()
        .map_err(|_| CommandError::usage("trueup demo --help", "demo"))?;
    let item = NewItem::new(key.clone());
    store.add_item(&item, &Provenance::new(session.as_str(), "demo"))?;
    let request = ClaimItemRequest {
        session: session.clone(),
        item: key,
        force: false,
        quiet_period_seconds: None,
        provenance: Provenance::new(session.as_str(), ""),
    };
    claim_item(store, &request, run_context)?;
    Ok(())
}

/// The original's file format, on the wrong child.
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
    let text = |field| {
        reading
            .fields
            .get(&field)
            .map_or(Value::Null, |value| json!(value))
    };
    format!(
        "currentSd {}, currentPhase {}",
        super::render_json_value(&text(StateField::Item)),
        super::render_json_value(&text(StateField::Phase))
    )
}
