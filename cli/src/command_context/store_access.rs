//! Opening the database for a command: what is done first, and what is noticed.

use trueup_core::log::LogLevel;
use trueup_core::model::DeadOrchestrator;
use trueup_core::orchestrators;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{CommandStore, ExpectedRead, ReadTime, Result as StoreResult, Store};
use trueup_core::sync::drain_outbox;
use trueup_core::text::redact::redact;

use super::{CommandContext, find_session_by_prefix};
use crate::command_error::{CommandResult, UNABLE};

impl CommandContext {
    /// Opens the database and does nothing else.
    fn open_store(&self) -> CommandResult<Box<dyn CommandStore>> {
        if let Some(opened) = self.opened.take() {
            return opened;
        }
        let mut store = self.store_location()?.open_until_exit(self.run.deadline)?;
        let own_session = || self.read_env_session().ok().flatten();
        let session = self.named_session.clone().or_else(own_session);
        let mut reads = vec![ExpectedRead::LiveOrchestrators];
        reads.extend(session.as_ref().map(ExpectedRead::Session));
        store.expect_reads(ReadTime::BeforeWrite, &reads);
        Ok(store)
    }

    /// Opens the database, where a command says what it reads besides its session.
    pub(crate) fn expect_reads(&self, reads: &[ExpectedRead<'_>]) {
        if !reads.is_empty() {
            self.prepare_store(|store| store.expect_reads(ReadTime::BeforeWrite, reads));
        }
    }

    /// Opens the database before the command asks for it.
    pub(super) fn prepare_store(&self, prepare: impl FnOnce(&mut dyn CommandStore)) {
        // The command itself reports a database that cannot be opened.
        let mut opened = self.open_store();
        if let Ok(store) = &mut opened {
            prepare(&mut **store);
        }
        self.opened.replace(Some(opened));
    }

    /// Opens the database for reading. Orchestrators that died are reported and left as they are.
    ///
    /// # Errors
    ///
    /// When the database cannot be used, which the first question to it tells where it is remote.
    pub(crate) fn open_for_reading(&self) -> CommandResult<Box<dyn CommandStore>> {
        let mut store = self.open_store()?;
        self.report_dead_orchestrators(&mut *store)?;
        Ok(store)
    }

    /// Opens the file of the database as [`Self::open_for_reading`] does, to copy or to check it.
    pub(crate) fn open_sqlite_for_reading(&self) -> CommandResult<SqliteStore> {
        let mut store = SqliteStore::open(self.sqlite_file()?, self.run.deadline)?.until_exit();
        self.report_dead_orchestrators(&mut store)?;
        Ok(store)
    }

    fn report_dead_orchestrators(&self, store: &mut dyn Store) -> CommandResult<()> {
        let found = orchestrators::find_dead_orchestrators(store, &self.run);
        self.add_orchestrator_notices(found)
    }

    /// Adds a notice for each orchestrator that died. An error goes to the log only: it must not
    /// stop the command, unless the database cannot be used at all, or no time is left to use it.
    fn add_orchestrator_notices(
        &self,
        found: StoreResult<Vec<DeadOrchestrator>>,
    ) -> CommandResult<()> {
        match found {
            Ok(deaths) => {
                let mut notices = self.notices.borrow_mut();
                notices.extend(deaths.iter().map(DeadOrchestrator::render_line));
            }
            Err(error) if error.is_out_of_use() || self.run.deadline.has_passed() => {
                return Err(error.into());
            }
            Err(error) => self.run.log(LogLevel::Warn, "orchestrators", &error.to_string()),
        }
        Ok(())
    }

    /// Adds a notice where arguments contain secrets, which are redacted before they are stored.
    fn warn_of_secrets(&self) {
        let arguments = std::env::args_os().skip(1);
        let found: usize = arguments
            .take_while(|argument| argument != "--")
            .map(|argument| redact(&argument.to_string_lossy()).findings.len())
            .sum();
        if found > 0 {
            let text = format!("secrets in the arguments were redacted: {found}");
            self.notices.borrow_mut().push(text);
        }
    }

    /// Opens the database for a change, and drains the outbox first.
    ///
    /// A missing database is not created: where it was moved away, an empty one in its place would
    /// make every cache foreign. `trueup db migrate` and the start of a session create one.
    pub(crate) fn open_for_change(&self) -> CommandResult<Box<dyn CommandStore>> {
        self.warn_of_secrets();
        let mut store = self.open_store()?;
        if !self.run.outbox().is_idle() {
            self.drain_outbox(&mut *store);
            // Another process may have sent it, behind the first reading of this one.
            if let Some(session) = self.read_env_session().ok().flatten() {
                let _ = store.reload_session(&session);
            }
        }
        let cleared = self.clear_dead_orchestrators(&mut *store);
        self.add_orchestrator_notices(cleared)?;
        Ok(store)
    }

    /// Clears orchestrators that died. Who asks is looked up only when there is one.
    fn clear_dead_orchestrators(
        &self,
        store: &mut dyn Store,
    ) -> StoreResult<Vec<DeadOrchestrator>> {
        let dead = orchestrators::find_dead_orchestrators(store, &self.run)?;
        if dead.is_empty() {
            return Ok(dead);
        }
        let actor = self.resolve_sweep_actor(store);
        orchestrators::clear_dead_orchestrators(store, dead, &actor)
    }

    /// Drains the outbox, and adds a notice for each problem.
    pub(crate) fn drain_outbox(&self, store: &mut dyn Store) {
        let drained = drain_outbox(store, &self.run);
        let drain_lines = drained.describe_problems(&self.run, self.named_session.as_ref());
        self.notices.borrow_mut().extend(drain_lines);
    }

    /// Refuses an unknown `--session`, also where the command uses it only as a filter, which would
    /// silently match nothing.
    pub(crate) fn check_named_session(&self) -> CommandResult<()> {
        let Some(id) = &self.named_session else {
            return Ok(());
        };
        // What becomes of opening is the command's: another connection costs as much as some
        // requests, and a database that cannot be used would use up the time once more.
        let (opened, found) = match self.open_store() {
            Err(error) => (Err(error), Ok(())),
            Ok(mut store) => match find_session_by_prefix(&mut *store, id) {
                Err(error) if error.exit_code() == UNABLE => (Err(error), Ok(())),
                found => (Ok(store), found.map(drop)),
            },
        };
        self.opened.replace(Some(opened));
        found
    }
}
