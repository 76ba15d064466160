//! `validate-session-state`

use crate::command_context::Caller;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, REFUSED};
use crate::global_args::GlobalArgs;
use crate::output::Output;
use clap::Parser;
use serde_json::{Value, json};
use trueup_core::diagnostic::{AdviceKind, Code, Divergence, Severity};
use trueup_core::model::{Session, SessionStatus};
use trueup_core::reconcile::{Policy, reconcile};
use trueup_core::store::{SessionFilter, Store};
use trueup_core::sync::{observe_and_decide, observe_without_database, true_up};

/// Report every difference between the database, the local cache and git
///
/// Exit codes: 0 consistent, 1 findings, 2 no session, 3 the check could not run.
///
/// Example: validate-session-state --fix
#[derive(Debug, Parser)]
#[command(name = "validate-session-state", version, max_term_width = 100, verbatim_doc_comment)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// Fix what can be fixed: the database wins, a rejected edit is kept in the journal
    #[arg(long)]
    pub(crate) fix: bool,
    /// Check every active session of this machine
    #[arg(long, conflicts_with = "session")]
    pub(crate) all: bool,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Most other sessions of the worktree that are loaded.
const MAX_NEIGHBORS: u32 = 12;

/// The findings on one session.
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

pub(crate) fn cmd_validate(context: &CommandContext, arguments: &ValidateArgs) -> CommandResult {
    let mut store = match context.open_for_reading() {
        Ok(store) => store,
        Err(error) => return Err(build_unreachable_error(context, error)),
    };
    let store = &mut *store;
    if arguments.fix {
        context.drain_outbox(store);
    }
    let sessions = if arguments.all {
        let mut sessions = store.list_sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT,
            ..SessionFilter::default()
        })?;
        sessions.retain(|session| context.is_within_reach(session));
        sessions
    } else {
        vec![context.require_session(store)?]
    };
    let mut reports = sessions
        .into_iter()
        .map(|session| check_session(context, store, session, arguments.fix))
        .collect::<Result<Vec<_>, _>>()?;
    let default_caller = context.find_default_caller(store)?;
    for finding in &mut reports {
        set_fix_targets(context, &default_caller, finding);
    }
    Ok(build_output(context, arguments, reports))
}

fn check_session(
    context: &CommandContext,
    store: &mut dyn Store,
    session: Session,
    fix: bool,
) -> CommandResult<SessionReport> {
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
        return Ok(SessionReport { session, remaining, fixed: Vec::new(), warnings: Vec::new() });
    }
    let synced = true_up(store, session, &neighbors, &run_context)?;
    let fixed = synced.fixed_codes();
    Ok(SessionReport {
        session: synced.session,
        remaining: synced.remaining,
        fixed,
        warnings: synced.problems,
    })
}

/// Makes the fixes name the session and its project, where the reader's defaults would differ.
fn set_fix_targets(context: &CommandContext, default_caller: &Caller, report: &mut SessionReport) {
    let session = &report.session;
    let run_context = context.run_context_of(session);
    let is_elsewhere = !context.is_default_project(&run_context.project.dir);
    let is_another = *default_caller != Caller::Session(session.id.clone());
    for divergence in &mut report.remaining {
        if is_elsewhere {
            divergence.advice.set_directory(&run_context.project.dir);
        }
        if is_elsewhere || is_another {
            divergence.advice.set_session(&session.id);
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
            text.push(format!("  fix: {}", divergence.advice));
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
    Output { divergences, warnings, exit_code, ..Output::new(text, data) }
}

/// Extends the error of an unreachable database by the age of the cache.
fn build_unreachable_error(context: &CommandContext, error: CommandError) -> CommandError {
    let Some(session) = context.presume_session() else {
        return error;
    };
    let observation = observe_without_database(&session, &error.message, &context.run);
    let policy = Policy { create_cache: false };
    let mut divergences = reconcile(&observation.snapshot, policy).divergences;
    for divergence in divergences.iter_mut().filter(|d| d.code == Code::DatabaseUnreachable) {
        divergence.advice = AdviceKind::from_store_error(error.code()).into();
    }
    let unreachable = divergences.iter().find(|d| d.code == Code::DatabaseUnreachable);
    CommandError {
        message: unreachable.map_or(error.message, |d| d.message.clone()),
        divergences,
        ..error
    }
}
