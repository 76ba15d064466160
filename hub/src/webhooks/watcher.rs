//! Watching what needs a person, and sending what is queued.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};
use trueup_core::model::Timestamp;
use trueup_core::settings::{Environment, Secret, Settings};
use trueup_remote::{PostClient, PostUrl};

use super::delivery::Delivery;
use super::observed_need::ObservedNeed;
use super::queue::{NextStep, WebhookQueue};
use super::queue_file::QueueFile;
use super::sender::Receiver;
use super::signing_secret::load_secret;
use super::webhook_error::WebhookError;
use crate::metrics::{DeliveryOutcome, Metrics};
use crate::overview::OverviewCache;
use crate::printer::print_diagnostic;
use crate::problem::HubError;
use crate::store_pool::StorePool;

/// How often it is looked what needs a person.
const OBSERVE_EVERY: Duration = Duration::from_secs(2);

/// How often a hub that does not send looks whether it may.
const TAKE_OVER_EVERY: Duration = Duration::from_secs(5);

/// A receiver that was named, and what is sent to it.
pub(crate) struct Webhooks {
    receiver: Receiver,
    /// The receiver, as far as it may be shown.
    shown: String,
    folder: PathBuf,
}

impl Webhooks {
    /// Prepares sending to an address.
    ///
    /// # Errors
    ///
    /// When the address, the secret or the trusted authorities cannot be used.
    pub(crate) fn prepare(
        url: &Secret,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, WebhookError> {
        let url = PostUrl::parse(url.expose())?;
        let shown = url.to_string();
        let configured = settings.webhook_secret(environment);
        let secret = load_secret(&configured, &settings.paths.webhook_secret())?;
        let client = PostClient::build(url, settings.tls_roots)?;
        Ok(Self { receiver: Receiver { client, secret }, shown, folder: settings.paths.webhooks() })
    }

    /// Returns scheme, host and port of the receiver.
    pub(crate) fn describe(&self) -> &str {
        &self.shown
    }
}

/// What the watcher needs of the hub.
pub(crate) struct NeedSources {
    /// The connections to the database.
    pub(crate) pool: StorePool,
    /// Where what needs a person is found.
    pub(crate) overview: Arc<OverviewCache>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
}

/// Sends until the hub is told to stop. A message that is under way then is sent again after the
/// next start, under the same id.
pub(crate) async fn follow_needs(
    webhooks: Webhooks,
    sources: NeedSources,
    mut shutdown: watch::Receiver<bool>,
) {
    let working = async {
        let (file, queue) = open_queue(&webhooks, &sources.pool).await;
        Watcher { webhooks, sources, file, queue, reported: None }.run().await;
    };
    tokio::select! {
        _ = shutdown.wait_for(|stopped| *stopped) => {}
        () = working => {}
    }
}

/// Waits for the database, and until no other hub of this machine sends.
async fn open_queue(webhooks: &Webhooks, pool: &StorePool) -> (QueueFile, WebhookQueue) {
    let mut reported = None;
    loop {
        match try_open(webhooks, pool).await {
            Ok(Some(opened)) => return opened,
            Ok(None) => {
                report_once(&mut reported, "webhook: another hub of this machine sends".to_owned());
            }
            Err(error) => report_once(&mut reported, error.to_string()),
        }
        sleep(TAKE_OVER_EVERY).await;
    }
}

async fn try_open(
    webhooks: &Webhooks,
    pool: &StorePool,
) -> Result<Option<(QueueFile, WebhookQueue)>, WebhookError> {
    let lineage = pool.run(|store| store.load_lineage()).await?.0;
    let Some(file) = block_in_place(|| QueueFile::take(&webhooks.folder, &lineage))? else {
        return Ok(None);
    };
    let mut queue = block_in_place(|| file.load(&lineage))?;
    queue.make_all_due(now());
    Ok(Some((file, queue)))
}

/// Prints a problem, unless it was the last one that was printed.
fn report_once(reported: &mut Option<String>, problem: String) {
    if reported.as_ref() != Some(&problem) {
        print_diagnostic(&problem);
        *reported = Some(problem);
    }
}

struct Watcher {
    webhooks: Webhooks,
    sources: NeedSources,
    file: QueueFile,
    queue: WebhookQueue,
    /// The problem of the database or the disk that was printed last.
    reported: Option<String>,
}

impl Watcher {
    async fn run(&mut self) {
        let mut observe_at = Instant::now();
        loop {
            if Instant::now() >= observe_at {
                self.observe().await;
                observe_at = Instant::now() + OBSERVE_EVERY;
            }
            let until_observed = observe_at.saturating_duration_since(Instant::now());
            match self.queue.next_step(now()) {
                NextStep::Send(delivery) => self.send(&delivery).await,
                NextStep::Wait(millis) => {
                    sleep(until_observed.min(Duration::from_millis(millis))).await;
                }
                NextStep::Nothing => sleep(until_observed).await,
            }
        }
    }

    /// Looks what needs a person. A database that does not answer settles nothing.
    async fn observe(&mut self) {
        match self.read_needs().await {
            Ok(needs) => {
                self.reported = None;
                if self.queue.observe(needs, now()) {
                    self.save();
                }
            }
            Err(error) => report_once(&mut self.reported, WebhookError::from(error).to_string()),
        }
    }

    async fn read_needs(&self) -> Result<Vec<ObservedNeed>, HubError> {
        let needs = self.sources.overview.load_needs().await?;
        Ok(needs.iter().map(ObservedNeed::new).collect())
    }

    async fn send(&mut self, delivery: &Delivery) {
        let sent = self.webhooks.receiver.send(delivery, now()).await;
        let receiver = self.webhooks.describe();
        match sent {
            Ok(()) => {
                if self.queue.is_failing() {
                    print_diagnostic(&format!("webhook to {receiver}: it takes messages again"));
                }
                self.queue.record_success(&delivery.id, now());
                self.sources.metrics.count_delivery(DeliveryOutcome::Delivered);
            }
            Err(problem) => {
                if !self.queue.is_failing() {
                    print_diagnostic(&format!("webhook to {receiver}: {problem}; tried again"));
                }
                self.sources.metrics.count_delivery(DeliveryOutcome::Failed);
                if let Some(dead) = self.queue.record_failure(&delivery.id, now()) {
                    self.sources.metrics.count_delivery(DeliveryOutcome::GivenUp);
                    print_diagnostic(&format!(
                        "webhook to {receiver}: delivery {} about {} is given up after {} attempts: {problem}",
                        dead.id,
                        dead.needs.first().map_or("nothing", String::as_str),
                        dead.failures,
                    ));
                }
            }
        }
        self.save();
    }

    /// Writes the queue. If that fails, it goes on from memory: what a crash then repeats has the
    /// same ids.
    fn save(&mut self) {
        self.sources
            .metrics
            .webhook_waiting
            .set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        if let Err(error) = block_in_place(|| self.file.save(&self.queue)) {
            report_once(&mut self.reported, error.to_string());
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}
