//! `validate-session-state`: findings on one or all sessions, and fixing them.

use std::path::PathBuf;

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
use trueup_core::text::{path_to_text, pluralize};

/// Report every difference between the database, the local cache and git
///
/// Exit codes: 0 consistent, 1 findings or an unknown session, 2 no session could be determined,
/// 3 the check could not run.
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
    fixed: Vec<Divergence>,
    warnings: Vec<String>,
    /// The cache, if `--fix` could not write it.
    unwritable_cache: Option<PathBuf>,
}

impl SessionReport {
    fn is_consistent(&self) -> bool {
        !self.remaining.iter().any(|d| d.severity == Severity::Error)
    }

    /// Renders the advice for a finding. Where `--fix` could not write the cache, it would fail
    /// again.
    fn render_fix(&self, divergence: &Divergence) -> String {
        match &self.unwritable_cache {
            Some(cache) if *divergence.advice.kind() == AdviceKind::TrueUpSession => {
                let folder = path_to_text(cache.parent().unwrap_or(cache));
                format!("make {folder} writable, then run `{}`", divergence.advice)
            }
            _ => divergence.advice.to_string(),
        }
    }

    /// Renders how the session stands.
    fn render_conclusion(&self) -> Option<String> {
        let Session { id, revision, .. } = &self.session;
        if !self.is_consistent() {
            return None;
        }
        if self.remaining.is_empty() {
            return Some(format!("session {id} is consistent at revision {revision}"));
        }
        let is_edit = |d: &&Divergence| d.code == Code::EditNotPushed;
        let edits = self.remaining.iter().filter(is_edit).count();
        let others = self.remaining.len() - edits;
        let mut open = Vec::new();
        if edits > 0 {
            open.push(pluralize(edits, "edit waits", "edits wait") + " to be pushed");
        }
        if others > 0 {
            open.push(pluralize(others, "warning", "warnings"));
        }
        let open = open.join(", ");
        Some(format!("session {id} has no errors at revision {revision}; {open}"))
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
            statuses: SessionStatus::PRESENT.to_vec(),
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
    for report in &mut reports {
        set_fix_targets(context, &default_caller, report);
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
        statuses: SessionStatus::PRESENT.to_vec(),
        worktree: session.worktree.clone(),
        limit: MAX_NEIGHBORS,
        ..SessionFilter::default()
    })?;
    if !fix {
        let (session, _, decision) = observe_and_decide(store, session, &neighbors, &run_context)?;
        let remaining = decision.divergences;
        context.end_resolved_reports(store, &session, &remaining);
        return Ok(SessionReport {
            session,
            remaining,
            fixed: Vec::new(),
            warnings: Vec::new(),
            unwritable_cache: None,
        });
    }
    let synced = true_up(store, session, &neighbors, &run_context)?;
    context.end_resolved_reports(store, &synced.session, &synced.remaining);
    let fixed_codes = synced.fixed_codes();
    let mut fixed = synced.found;
    fixed.retain(|divergence| fixed_codes.contains(&divergence.code));
    Ok(SessionReport {
        session: synced.session,
        remaining: synced.remaining,
        fixed,
        unwritable_cache: (!synced.problems.is_empty()).then_some(synced.file.path),
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
        let mut fixed_codes: Vec<&str> = report.fixed.iter().map(|d| d.code.as_str()).collect();
        fixed_codes.dedup();
        for divergence in &report.remaining {
            text.push(divergence.message.clone());
            text.push(format!("  fix: {}", report.render_fix(divergence)));
        }
        let fixed = report.fixed.iter();
        text.extend(fixed.map(|d| format!("fixed {}: {}", d.code.as_str(), d.message)));
        text.extend(report.render_conclusion());
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
