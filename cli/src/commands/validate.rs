//! `validate-session-state`

use serde_json::{Value, json};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::reconcile::{Code, Divergence, Policy, Severity, Way, reconcile};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};
use trueup_core::sync::{observe_and_decide, observe_without_database, true_up};

use crate::args::ValidateArgs;
use crate::caller::Caller;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, REFUSED};
use crate::output::Output;

/// Most sessions of a worktree looked at for company.
const MAX_NEIGHBORS: u32 = 12;

/// What was found of one session.
struct SessionReport {
    session: Session,
    remaining: Vec<Divergence>,
    fixed: Vec<Code>,
    warnings: Vec<String>,
}

impl SessionReport {
    fn is_consistent(&self) -> bool {
        !self.remaining.iter().any(|d| d.severity == Severity::Error)
    }
}

pub(crate) fn cmd_validate(
    context: &CommandContext,
    arguments: &ValidateArgs,
) -> Result<Output, CommandError> {
    let mut store = match context.open_for_reading() {
        Ok(store) => store,
        Err(error) => return Err(build_unreachable_error(context, error)),
    };
    if arguments.fix {
        context.drain_outbox(&mut store);
    }
    let sessions = if arguments.all {
        let mut sessions = store.list_sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT,
            ..SessionFilter::default()
        })?;
        sessions.retain(|session| context.is_within_reach(session));
        sessions
    } else {
        vec![context.require_session(&mut store)?]
    };
    let mut reports = sessions
        .into_iter()
        .map(|session| check_session(context, &mut store, session, arguments.fix))
        .collect::<Result<Vec<_>, _>>()?;
    let default_caller = context.find_default_caller(&mut store)?;
    for finding in &mut reports {
        set_fix_targets(context, &default_caller, finding);
    }
    Ok(build_output(context, arguments, reports))
}

fn check_session(
    context: &CommandContext,
    store: &mut SqliteStore,
    session: Session,
    fix: bool,
) -> Result<SessionReport, CommandError> {
    let run_context = context.run_context_of(&session);
    let neighbors = store.list_sessions(&SessionFilter {
        statuses: SessionStatus::PRESENT,
        worktree: session.worktree.clone(),
        limit: MAX_NEIGHBORS,
        ..SessionFilter::default()
    })?;
    if !fix {
        let (session, _, decision) = observe_and_decide(store, session, &neighbors, &run_context)?;
        let remaining = decision.divergences;
        return Ok(SessionReport {
            session,
            remaining,
            fixed: Vec::new(),
            warnings: Vec::new(),
        });
    }
    let synced = true_up(store, session, &neighbors, &run_context)?;
    let mended = synced.fixed_codes();
    Ok(SessionReport {
        session: synced.session,
        remaining: synced.remaining,
        fixed: mended,
        warnings: synced.problems,
    })
}

/// Advises what speaks for the session, in the project where it works, whoever reads it.
fn set_fix_targets(context: &CommandContext, default_caller: &Caller, report: &mut SessionReport) {
    let session = &report.session;
    let run_context = context.run_context_of(session);
    let is_elsewhere = !context.is_default_project(&run_context.project.dir);
    let is_another = *default_caller != Caller::Session(session.id.clone());
    for divergence in &mut report.remaining {
        if is_elsewhere {
            divergence.fix.set_directory(&run_context.project.dir);
        }
        if is_elsewhere || is_another {
            divergence.fix.set_session(&session.id);
        }
    }
}

fn build_output(
    context: &CommandContext,
    arguments: &ValidateArgs,
    reports: Vec<SessionReport>,
) -> Output {
    let mut text = Vec::new();
    let mut rows = Vec::new();
    let mut divergences = Vec::new();
    let mut warnings = context.warnings();
    let mut has_findings = false;
    for report in reports {
        let consistent = report.is_consistent();
        has_findings |= !consistent || (arguments.strict && !report.remaining.is_empty());
        let fixed_codes: Vec<&str> = report.fixed.iter().map(|code| code.as_str()).collect();
        for divergence in &report.remaining {
            text.push(divergence.message.clone());
            text.push(format!("  fix: {}", divergence.fix));
        }
        if !fixed_codes.is_empty() {
            text.push(format!("fixed {}", fixed_codes.join(", ")));
        }
        if consistent {
            text.push(format!(
                "session {} is consistent at revision {}",
                report.session.id, report.session.revision
            ));
        }
        rows.push(json!({
            "session_id": report.session.id,
            "revision": report.session.revision,
            "consistent": consistent,
            "mended": fixed_codes,
        }));
        divergences.extend(report.remaining);
        warnings.extend(report.warnings);
    }
    if rows.is_empty() {
        text.push("no active sessions on this machine".to_owned());
    }
    let data = if arguments.all {
        json!({"sessions": rows})
    } else {
        rows.into_iter().next().unwrap_or(Value::Null)
    };
    let exit_code = if has_findings { REFUSED } else { 0 };
    Output {
        divergences,
        warnings,
        exit_code,
        ..Output::new(text, data)
    }
}

/// Says how old the cache is that is left to go by, beside why the database cannot be asked.
fn build_unreachable_error(context: &CommandContext, error: CommandError) -> CommandError {
    let Some(session) = context.presume_session() else {
        return error;
    };
    let observation = observe_without_database(&session, &error.message, &context.run);
    let policy = Policy {
        create_cache: false,
    };
    let mut divergences = reconcile(&observation.snapshot, policy).divergences;
    for divergence in divergences.iter_mut().filter(|d| d.code == Code::S12) {
        divergence.fix = Way::from_store_error(error.code()).into();
    }
    let unreachable = divergences.iter().find(|d| d.code == Code::S12);
    CommandError {
        message: unreachable.map_or(error.message, |d| d.message.clone()),
        divergences,
        ..error
    }
}
