//! `validate-session-state`

use serde_json::{Value, json};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::reconcile::{Code, Divergence, Policy, Severity, reconcile};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};
use trueup_core::sync::{inspect, observe_without_database, true_up};

use crate::args::Validate;
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::report::Answer;

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
    let findings = sessions
        .into_iter()
        .map(|session| look(desk, &mut store, session, arguments.fix))
        .collect::<Result<Vec<_>, _>>()?;
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
            if let Some(fix) = divergence
                .fix
                .as_ref()
                .filter(|_| divergence.severity == Severity::Error)
            {
                text.push(format!("  mend with: {fix}"));
            }
        }
        if !mended.is_empty() {
            text.push(format!("mended {}", mended.join(", ")));
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
        text.push("no active session on this machine".to_owned());
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
    let found = reconcile(&observation.snapshot, policy).divergences;
    let told = found.iter().find(|d| d.code == Code::S12);
    Failure {
        message: told.map_or(failure.message, |d| d.message.clone()),
        divergences: found,
        ..failure
    }
}
