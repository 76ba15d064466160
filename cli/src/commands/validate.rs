//! `validate-session-state`

use serde_json::{Value, json};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::reconcile::{Code, Divergence, Policy, Severity, Way, reconcile};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};
use trueup_core::sync::{inspect, observe_without_database, true_up};

use crate::args::Validate;
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::report::Answer;
use crate::speaker::Speaker;

/// Most sessions of a worktree looked at for company.
const NEIGHBOURS: u32 = 12;

/// What was found of one session.
struct Finding {
    session: Session,
    remaining: Vec<Divergence>,
    mended: Vec<Code>,
    warnings: Vec<String>,
}

impl Finding {
    fn is_consistent(&self) -> bool {
        !self.remaining.iter().any(|d| d.severity == Severity::Error)
    }
}

pub(crate) fn run(desk: &Desk, arguments: &Validate) -> Result<Answer, Failure> {
    let mut store = match desk.open() {
        Ok(store) => store,
        Err(failure) => return Err(unreachable_database(desk, failure)),
    };
    if arguments.fix {
        desk.send_waiting(&mut store);
    }
    let sessions = if arguments.all {
        let mut sessions = store.sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT,
            ..SessionFilter::default()
        })?;
        sessions.retain(|session| desk.is_within_reach(session));
        sessions
    } else {
        vec![desk.session(&mut store)?]
    };
    let mut findings = sessions
        .into_iter()
        .map(|session| look(desk, &mut store, session, arguments.fix))
        .collect::<Result<Vec<_>, _>>()?;
    let default = desk.default_speaker(&mut store)?;
    for finding in &mut findings {
        advise(desk, &default, finding);
    }
    Ok(answer(desk, arguments, findings))
}

fn look(
    desk: &Desk,
    store: &mut SqliteStore,
    session: Session,
    fix: bool,
) -> Result<Finding, Failure> {
    let site = desk.site_of(&session);
    let neighbours = store.sessions(&SessionFilter {
        statuses: SessionStatus::PRESENT,
        worktree: session.worktree.clone(),
        limit: NEIGHBOURS,
        ..SessionFilter::default()
    })?;
    if !fix {
        let (session, _, decision) = inspect(store, session, &neighbours, &site)?;
        let remaining = decision.divergences;
        return Ok(Finding {
            session,
            remaining,
            mended: Vec::new(),
            warnings: Vec::new(),
        });
    }
    let synced = true_up(store, session, &neighbours, &site)?;
    let mended = synced.mended();
    Ok(Finding {
        session: synced.session,
        remaining: synced.remaining,
        mended,
        warnings: synced.problems,
    })
}

/// Advises what speaks for the session, in the project where it works, whoever reads it.
fn advise(desk: &Desk, default: &Speaker, finding: &mut Finding) {
    let session = &finding.session;
    let site = desk.site_of(session);
    let is_elsewhere = !desk.stands_in(&site.project.dir);
    let is_another = *default != Speaker::Session(session.id.clone());
    for divergence in &mut finding.remaining {
        if is_elsewhere {
            divergence.fix.set_directory(&site.project.dir);
        }
        if is_elsewhere || is_another {
            divergence.fix.set_session(&session.id);
        }
    }
}

fn answer(desk: &Desk, arguments: &Validate, findings: Vec<Finding>) -> Answer {
    let mut text = Vec::new();
    let mut rows = Vec::new();
    let mut divergences = Vec::new();
    let mut warnings = desk.warnings();
    let mut wrong = false;
    for finding in findings {
        let consistent = finding.is_consistent();
        wrong |= !consistent || (arguments.strict && !finding.remaining.is_empty());
        let mended: Vec<&str> = finding.mended.iter().map(|code| code.as_str()).collect();
        for divergence in &finding.remaining {
            text.push(divergence.message.clone());
            text.push(format!("  fix: {}", divergence.fix));
        }
        if !mended.is_empty() {
            text.push(format!("fixed {}", mended.join(", ")));
        }
        if consistent {
            text.push(format!(
                "session {} is consistent at revision {}",
                finding.session.id, finding.session.revision
            ));
        }
        rows.push(json!({
            "session_id": finding.session.id,
            "revision": finding.session.revision,
            "consistent": consistent,
            "mended": mended,
        }));
        divergences.extend(finding.remaining);
        warnings.extend(finding.warnings);
    }
    if rows.is_empty() {
        text.push("no active sessions on this machine".to_owned());
    }
    let data = if arguments.all {
        json!({"sessions": rows})
    } else {
        rows.into_iter().next().unwrap_or(Value::Null)
    };
    let exit = if wrong { REFUSED } else { 0 };
    Answer {
        divergences,
        warnings,
        exit,
        ..Answer::new(text, data)
    }
}

/// Says how old the cache is that is left to go by, beside why the database cannot be asked.
fn unreachable_database(desk: &Desk, failure: Failure) -> Failure {
    let Some(session) = desk.presumed_session() else {
        return failure;
    };
    let observation = observe_without_database(&session, &failure.message, &desk.site);
    let policy = Policy {
        create_cache: false,
    };
    let mut found = reconcile(&observation.snapshot, policy).divergences;
    for divergence in found.iter_mut().filter(|d| d.code == Code::S12) {
        divergence.fix = Way::out_of_store_error(failure.code()).into();
    }
    let told = found.iter().find(|d| d.code == Code::S12);
    Failure {
        message: told.map_or(failure.message, |d| d.message.clone()),
        divergences: found,
        ..failure
    }
}
