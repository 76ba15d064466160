//! `trueup demo`: the incident of the first seed, for real, in a temporary directory.
//!
//! The database and the branch say SD-002C, the local file still says SD-002B, and the agent
//! works on the wrong thing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup_core::cache::{self, CacheFile};
use trueup_core::claims::{Wish, claim};
use trueup_core::deadline::Deadline;
use trueup_core::files::{private_dir, write_own};
use trueup_core::model::{Field, ItemKey, NewItem, SessionId, Value as FieldValue};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, Store as _};
use trueup_core::sync::{Site, register, true_up};

use crate::failure::Failure;
use crate::report::Answer;

pub(super) fn run() -> Result<Answer, Failure> {
    let folder = tempfile::Builder::new().prefix("trueup-demo-").tempdir()?;
    let project = folder.path().join("project");
    repository(&project, "feat/SD-002C-sync")?;
    let home = folder.path().join("home");
    let environment = Environment::from_lookup(|name| match name {
        "TRUEUP_HOME" => Some(home.clone().into_os_string()),
        _ => None,
    });
    let settings = Settings::load(&environment)?;
    let deadline = Deadline::after(Duration::from_secs(10));
    let site = Site::new(
        &environment,
        settings,
        Project::at(&environment, project.clone()),
        None,
        deadline,
    );
    let mut store = SqliteStore::open_or_create(&home.join("trueup.db"), deadline)?;
    let session: SessionId = "demo-session"
        .parse()
        .map_err(|_| Failure::usage("trueup demo --help", "demo"))?;
    register(&mut store, &session, None, &site)?;
    for key in ["SD-002B", "SD-002C"] {
        hold(&mut store, &session, key, &site)?;
    }
    let changes = BTreeMap::from([(Field::Phase, FieldValue::Text(Some("PLAN".to_owned())))]);
    let current = store
        .session(&session)?
        .ok_or_else(|| Failure::phantom("demo-session"))?;
    let current = super::set::push(&mut store, current, &changes, None, "demo")?;
    true_up(&mut store, current, &[], &site)?;
    let path = cache::shared_path(&project);
    // The file as a tool without a database left it: on the previous child.
    write_own(&path, stale().as_bytes())?;

    let before = show(&path);
    let clock = Instant::now();
    let session = store
        .session(&session)?
        .ok_or_else(|| Failure::phantom("demo-session"))?;
    let synced = true_up(&mut store, session, &[], &site)?;
    let took = clock.elapsed();
    let after = show(&path);

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
        took.as_secs_f64() * 1000.0
    ));
    text.push(format!("  database  claim on {item}"));
    text.push("  git       branch feat/SD-002C-sync".to_owned());
    text.push(format!("  file      {after}"));
    let mended = synced.remaining.is_empty() && after.contains("SD-002C");
    text.push(if mended {
        "The copies agree. Nothing outside a temporary directory was touched.".to_owned()
    } else {
        "The copies still differ: this is a bug in trueup.".to_owned()
    });
    let data = json!({
        "before": {"file": before, "claim": item},
        "after": {"file": after, "claim": item},
        "mended": synced.mended(),
        "consistent": mended,
    });
    let exit = if mended { 0 } else { crate::failure::REFUSED };
    Ok(Answer {
        divergences: synced.found,
        exit,
        ..Answer::new(text, data)
    })
}

/// Makes what is needed of a git worktree, without needing git.
fn repository(project: &Path, branch: &str) -> Result<(), Failure> {
    let git = project.join(".git");
    private_dir(&git.join("refs/heads"))?;
    private_dir(&git.join("objects"))?;
    write_own(
        &git.join("HEAD"),
        format!("ref: refs/heads/{branch}\n").as_bytes(),
    )?;
    Ok(())
}

fn hold(
    store: &mut SqliteStore,
    session: &SessionId,
    key: &str,
    site: &Site,
) -> Result<(), Failure> {
    let key: ItemKey = key
        .parse()
        .map_err(|_| Failure::usage("trueup demo --help", "demo"))?;
    let item = NewItem::new(key.clone());
    store.add_item(&item, &Provenance::new(session.as_str(), "demo"))?;
    let wish = Wish {
        session: session.clone(),
        item: key,
        force: false,
        span_seconds: None,
        provenance: Provenance::new(session.as_str(), ""),
    };
    claim(store, &wish, site)?;
    Ok(())
}

/// The original's file format, on the wrong child.
fn stale() -> String {
    let file = json!({
        "isActive": true, "wasInterrupted": false, "currentSd": "SD-002B",
        "currentPhase": "LEAD", "currentTask": null, "lastInterruptedAt": null,
        "lastResumedAt": null, "resumeCount": 2, "version": "1.0.0",
    });
    format!("{file:#}\n")
}

fn show(path: &Path) -> String {
    let reading = match CacheFile::read(path).document {
        trueup_core::reconcile::Reading::Fresh(document) => document.reading(),
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
        super::plain(&text(Field::Item)),
        super::plain(&text(Field::Phase))
    )
}
