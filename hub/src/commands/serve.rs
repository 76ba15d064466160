//! `trueup-hub serve`.

use std::sync::Arc;

use tokio::runtime::Builder;

use crate::access::{Access, AccessPolicy, AllowedHosts};
use crate::api::ViolationCache;
use crate::command_line::{DatabaseArgs, ServeArgs};
use crate::database::Database;
use crate::failure::Failure;
use crate::hub_state::HubState;
use crate::live::{Live, LiveParts, LiveStart};
use crate::metrics::Metrics;
use crate::overview::OverviewCache;
use crate::printer::{print_diagnostic, print_line};
use crate::retention::prune_daily;
use crate::server::{ServerError, TlsFiles, TlsIdentity, listen, watch_signals};
use crate::session_judge::SessionJudge;
use crate::store_pool::StorePool;
use crate::webhooks::{NeedSources, Webhooks, follow_needs};

/// Serves until the process is told to stop.
pub(crate) fn run(database: &DatabaseArgs, arguments: &ServeArgs) -> Result<(), Failure> {
    let database = Database::find(database)?;
    for warning in &database.settings().warnings {
        print_diagnostic(&format!("warning: {warning}"));
    }
    let webhooks = prepare_webhooks(&database, arguments)?;
    let tls = load_tls(arguments)?;
    check_listen(arguments, tls.is_some())?;
    // What is wrong with the database is told now, to whoever starts the hub.
    let opened = database.open_or_create().and_then(|mut store| LiveStart::load(&mut *store));
    let live = opened.map_err(|error| with_database(error.into(), &database))?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unable("no_runtime", error.to_string()))?;
    runtime.block_on(serve_database(&database, live, arguments, tls, webhooks))
}

async fn serve_database(
    database: &Database,
    live: LiveStart,
    arguments: &ServeArgs,
    tls: Option<TlsIdentity>,
    webhooks: Option<Webhooks>,
) -> Result<(), Failure> {
    let shutdown = watch_signals().map_err(|e| Failure::unable("no_signals", e.to_string()))?;
    let pool = StorePool::start(database)
        .map_err(|error| Failure::unable("no_threads", error.to_string()))?;
    let listening = listen(arguments.listen).await?;
    let names = tls.iter().flat_map(|identity| identity.names.clone());
    let policy = AccessPolicy {
        hosts: AllowedHosts::new(listening.address, names.chain(arguments.hosts.clone())),
        is_secure: tls.is_some() || arguments.behind_proxy,
        is_behind_proxy: arguments.behind_proxy,
        open_metrics: arguments.open_metrics,
        max_rate: arguments.max_rate,
    };
    let ceiling_seconds = database.settings().ceiling_seconds;
    let metrics = Arc::new(Metrics::new());
    let access = Arc::new(Access::new(policy, pool.clone()));
    let parts = LiveParts {
        pool: pool.clone(),
        access: Arc::clone(&access),
        metrics: Arc::clone(&metrics),
        shutdown: shutdown.clone(),
    };
    let live = Live::start(live, database, parts)
        .map_err(|error| Failure::unable("no_threads", error.to_string()))?;
    let state = HubState {
        access,
        judge: Arc::new(SessionJudge::new(ceiling_seconds)),
        live: Arc::new(live),
        metrics,
        overview: Arc::new(OverviewCache::new(pool.clone(), ceiling_seconds)),
        violations: Arc::new(ViolationCache::new(pool.clone())),
        pool,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    print_line(&format!(
        "trueup-hub listens on {scheme}://{} and serves {}",
        listening.address,
        database.describe()
    ));
    let telling = webhooks.map(|webhooks| {
        print_line(&format!("trueup-hub tells {} what needs a person", webhooks.describe()));
        let sources = NeedSources {
            pool: state.pool.clone(),
            overview: Arc::clone(&state.overview),
            metrics: Arc::clone(&state.metrics),
        };
        tokio::spawn(follow_needs(webhooks, sources, shutdown.clone()))
    });
    let pruning = tokio::spawn(prune_daily(database.clone(), state.pool.clone(), shutdown.clone()));
    listening.answer_requests(&state, tls, arguments.max_connections, shutdown).await;
    if let Some(telling) = telling {
        // It ends with the same signal.
        let _ = telling.await;
    }
    // It ends with the same signal.
    let _ = pruning.await;
    state.live.wait_for_leave().await;
    print_line("trueup-hub stopped");
    Ok(())
}

/// Prepares telling a receiver, where one is named; a flag wins over the file.
fn prepare_webhooks(
    database: &Database,
    arguments: &ServeArgs,
) -> Result<Option<Webhooks>, Failure> {
    let settings = database.settings();
    let url = arguments.webhook.as_ref().or(settings.webhook.as_ref());
    url.map(|url| Webhooks::prepare(url, settings, database.environment()))
        .transpose()
        .map_err(|error| Failure::unable("webhook_unusable", error.to_string()))
}

fn load_tls(arguments: &ServeArgs) -> Result<Option<TlsIdentity>, Failure> {
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
    TlsIdentity::load(&files).map(Some).map_err(|problem| Failure::unable("tls", problem))
}

/// Refuses to send tokens over a network in the clear.
fn check_listen(arguments: &ServeArgs, has_tls: bool) -> Result<(), Failure> {
    if arguments.listen.ip().is_loopback() || has_tls || arguments.behind_proxy {
        return Ok(());
    }
    Err(Failure::usage(
        "tls_needed",
        format!("{} is reached from other machines, and needs TLS", arguments.listen),
        "give --tls-cert FILE --tls-key FILE, or --behind-proxy where a proxy ends TLS",
    ))
}

/// Names the database, where its error does not.
fn with_database(failure: Failure, database: &Database) -> Failure {
    if failure.message.contains(&database.describe()) {
        return failure;
    }
    let message = format!("{}: {}", database.describe(), failure.message);
    Failure { message, ..failure }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::unable("cannot_listen", error.to_string())
            .with_hint("another process may listen there; --listen takes another address")
    }
}
