//! A run of `trueup check` over one or several repositories.

use std::time::Duration;

use trueup_core::consistency::{
    CheckError, CheckReport, CheckRequest, Checkout, FixActor, PushScope, check_checkout,
};
use trueup_core::deadline::Deadline;
use trueup_core::model::{Session, SessionId};
use trueup_core::store::{CommandStore, Store};

use super::arguments::CheckArgs;
use super::check_output::build_output;
use super::repo_check::RepoCheck;
use super::repo_reports::report_commits;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

/// Time limit of the writes of one repository. The first check may need thousands of them.
const WRITE_PATIENCE: Duration = Duration::from_mins(5);

/// What the checks of all repositories share.
pub(super) struct CheckRun<'a> {
    context: &'a CommandContext,
    arguments: &'a CheckArgs,
    pub(super) store: Box<dyn CommandStore>,
    request: CheckRequest,
    /// The session that makes the fixes.
    session: Option<SessionId>,
}

impl<'a> CheckRun<'a> {
    pub(super) fn begin(
        context: &'a CommandContext,
        arguments: &'a CheckArgs,
    ) -> CommandResult<Self> {
        let mut store =
            if arguments.fix { context.open_for_change()? } else { context.open_for_reading()? };
        let (request, session) = build_request(context, &mut *store, arguments)?;
        let session = session.map(|session| session.id);
        Ok(Self { context, arguments, store, request, session })
    }

    /// Checks a repository. Each has the whole time limit for its writes.
    pub(super) fn check(&mut self, checkout: &Checkout) -> Result<CheckReport, CheckError> {
        self.store.set_deadline(Deadline::after(WRITE_PATIENCE.max(self.context.patience())));
        let paths = &self.context.run.settings.paths;
        let report = check_checkout(&mut *self.store, checkout, &self.request, paths)?;
        // A check that only reads writes nothing, not even that.
        if self.request.fix {
            let (run, actor) = (&self.context.run, &self.request.actor.name);
            report_commits(&mut *self.store, run, &checkout.root, &report, actor);
        }
        Ok(report)
    }

    /// Trues up the cache of the session that made the fixes, and builds the output.
    pub(super) fn finish(mut self, mut repo_checks: Vec<RepoCheck>) -> CommandResult {
        for repo_check in &mut repo_checks {
            repo_check.set_fix_directories(self.context);
        }
        let mut warnings = Vec::new();
        if let Some(id) = &self.session {
            self.context.true_up_after_change(&mut *self.store, id, &mut warnings)?;
        }
        let mut output = build_output(self.context, self.arguments, &repo_checks);
        output.warnings.extend(warnings);
        Ok(output)
    }
}

/// Builds the request, and loads the session that makes the fixes. Edits of its cache by hand are
/// pushed first.
fn build_request(
    context: &CommandContext,
    store: &mut dyn Store,
    arguments: &CheckArgs,
) -> CommandResult<(CheckRequest, Option<Session>)> {
    let session = if arguments.fix { context.begin_change_by_anyone(store)? } else { None };
    let mover = FixActor {
        session: session.as_ref().map(|session| session.id.clone()),
        name: context.resolve_actor(store)?,
    };
    let request = CheckRequest {
        fix: arguments.fix,
        writeback: !arguments.no_writeback,
        pull: arguments.pull,
        push: match (arguments.push, arguments.no_push) {
            (true, _) => PushScope::All,
            (false, true) => PushScope::Never,
            (false, false) => PushScope::Own,
        },
        actor: mover,
    };
    Ok((request, session))
}
