//! The session that the calls act for: registered when a client connects, kept alive while it is
//! connected, ended with the connection.

use std::time::{Duration, Instant};

use serde_json::{Map, json};
use trueup_core::deadline::Deadline;
use trueup_core::log::LogLevel;
use trueup_core::model::{ItemKey, Session, SessionId, SessionStatus};
use trueup_core::store::{CommandStore, HeartbeatRequest, Provenance};
use trueup_core::sync::{RunContext, fresh_session_id, register_session};

use super::answers::ClientInfo;
use super::spoken_for::SpokenFor;
use super::tool_run::run_process;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

/// Why a session ended, for the log.
const END_REASON: &str = "the MCP client disconnected";

/// The name of a client that does not name itself.
const UNNAMED_CLIENT: &str = "client";

/// Keeps the session of a connection.
pub(super) struct SessionKeeper<'c> {
    context: &'c CommandContext,
    spoken_for: SpokenFor,
    client: Option<ClientInfo>,
    /// When the session has to be looked after; absent before it is registered.
    due_at: Option<Instant>,
}

impl<'c> SessionKeeper<'c> {
    /// Decides whom the calls act for.
    pub(super) fn new(context: &'c CommandContext) -> CommandResult<Self> {
        let spoken_for = if let Some(id) = &context.named_session {
            SpokenFor::Named(id.clone())
        } else if is_environment_registered(context)? {
            SpokenFor::Environment
        } else {
            SpokenFor::Own(fresh_session_id("mcp"))
        };
        Ok(Self { context, spoken_for, client: None, due_at: None })
    }

    /// Finds the item that the session holds.
    pub(super) fn find_held_item(&self) -> CommandResult<Option<ItemKey>> {
        let store = &mut *self.open_database(&self.build_run_context())?;
        let id = match &self.spoken_for {
            SpokenFor::Named(id) | SpokenFor::Own(id) => Some(id.clone()),
            SpokenFor::Environment => {
                self.context.find_viewer_session(store)?.map(|session| session.id)
            }
        };
        let session = id.map(|id| store.load_session(&id)).transpose()?.flatten();
        Ok(session.and_then(|session| session.item))
    }

    pub(super) const fn spoken_for(&self) -> &SpokenFor {
        &self.spoken_for
    }

    /// Notes who is connected; the first name counts. A session is named after its client.
    pub(super) fn meet_client(&mut self, client: ClientInfo) {
        if self.client.is_some() || self.due_at.is_some() {
            return;
        }
        if let SpokenFor::Own(id) = &mut self.spoken_for {
            *id = fresh_session_id(&format!("mcp-{}", client.name));
        }
        self.client = Some(client);
    }

    /// Returns how long nothing has to be done.
    pub(super) fn idle_time(&self) -> Duration {
        let period = Duration::from_secs(self.context.run.settings.renewal_seconds().max(1));
        self.due_at.map_or(period, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Registers the session, or renews its lease when that is due.
    ///
    /// # Errors
    ///
    /// When the database cannot be used.
    pub(super) fn keep(&mut self) -> CommandResult<()> {
        let SpokenFor::Own(id) = &self.spoken_for else {
            return Ok(());
        };
        if self.due_at.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        let run = self.build_run_context();
        let store = &mut *self.open_database(&run)?;
        match store.load_session(id)? {
            None => self.register(store, id, &run)?,
            Some(session) => renew_lease(store, &session, &run)?,
        }
        let period = Duration::from_secs(run.settings.renewal_seconds().max(1));
        self.due_at = Some(Instant::now() + period);
        Ok(())
    }

    /// Renews the lease at its time. A database that is out of use is tried again at the next.
    pub(super) fn keep_while_idle(&mut self) {
        if self.due_at.is_none() {
            return;
        }
        if let Err(error) = self.keep() {
            let period = Duration::from_secs(self.context.run.settings.renewal_seconds().max(1));
            self.due_at = Some(Instant::now() + period);
            self.context.run.log(LogLevel::Warn, "mcp", &error.full_message());
        }
    }

    /// Ends a session of this connection. Work in progress is marked as interrupted, so that
    /// another session takes it up.
    pub(super) fn end(&self) {
        if self.due_at.is_none() {
            return;
        }
        if let Err(error) = self.try_end() {
            self.context.run.log(LogLevel::Warn, "mcp", &error.full_message());
        }
    }

    fn try_end(&self) -> CommandResult<()> {
        let SpokenFor::Own(id) = &self.spoken_for else {
            return Ok(());
        };
        let run = self.build_run_context();
        let held = self.open_database(&run)?.load_session(id)?.and_then(|session| session.item);
        if held.is_some() {
            // The end of the session matters more than this mark.
            let _ = run_process(self.context, &self.spoken_for, &["interrupt".to_owned()]);
        }
        let provenance = Provenance::new(id.as_str(), END_REASON);
        self.open_database(&run)?.end_session(id, END_REASON, &provenance)?;
        Ok(())
    }

    fn register(
        &self,
        store: &mut dyn CommandStore,
        id: &SessionId,
        run: &RunContext,
    ) -> CommandResult<()> {
        register_session(store, id, None, run)?;
        let client = self.client.as_ref();
        let name = client.map_or(UNNAMED_CLIENT, |client| &client.name);
        let version = client.and_then(|client| client.version.as_deref());
        let patch = json!({"name": name, "version": version, "protocol": "mcp"});
        let patch = Map::from_iter([("client".to_owned(), patch)]);
        store.merge_metadata(id, &patch, &Provenance::new(id.as_str(), "mcp client"))?;
        Ok(())
    }

    /// Makes the context of one look at the database, whose process is this one.
    fn build_run_context(&self) -> RunContext {
        let context = self.context;
        let mut run = RunContext::new(
            &context.environment,
            context.run.settings.clone(),
            context.run.project.clone(),
            None,
            Deadline::after(context.patience()),
        );
        run.client_pid = Some(std::process::id());
        run
    }

    /// Opens the database. An embedded one that is missing is created, as by the start of any
    /// session.
    fn open_database(&self, run: &RunContext) -> CommandResult<Box<dyn CommandStore>> {
        Ok(self.context.store_location()?.open_or_create(run.deadline)?)
    }
}

/// Tells whether the client runs this server in a session that its hooks have registered. One
/// that is not registered, because the client has no hooks of trueup, cannot be acted for.
fn is_environment_registered(context: &CommandContext) -> CommandResult<bool> {
    if context.environment.text("TRUEUP_SESSION_ID").is_some() {
        return Ok(true);
    }
    let Some(id) = context.read_env_session()? else {
        return Ok(false);
    };
    let deadline = Deadline::after(context.patience());
    let found = context.store_location().and_then(|location| {
        let mut store = location.open(deadline)?;
        Ok(store.load_session(&id)?)
    });
    // A database that is out of use knows no session; the calls say so.
    Ok(found.ok().flatten().is_some_and(|session| session.status != SessionStatus::Ended))
}

fn renew_lease(
    store: &mut dyn CommandStore,
    session: &Session,
    run: &RunContext,
) -> CommandResult<()> {
    store.record_heartbeat(&HeartbeatRequest {
        session: session.id.clone(),
        lease_seconds: Some(run.settings.lease_seconds),
        // Who is connected lives, even if a sweep took the session for lost.
        status: Some(SessionStatus::Active).filter(|_| !session.status.is_present()),
        quiet_seconds: None,
    })?;
    Ok(())
}
