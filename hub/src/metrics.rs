//! What the server counts, in the text format of Prometheus.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the buckets of the time to an answer, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// What tells requests apart. The route is the pattern of the router and no path of a client, so
/// that their number is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

/// What became of an attempt to send what needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryOutcome {
    /// The receiver has it.
    Delivered,
    /// It is tried again.
    Failed,
    /// It was tried for too long.
    GivenUp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    outcome: &'static str,
}

/// What the server counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Histogram,
    /// The clients that follow the stream of events now.
    pub(crate) live_clients: Gauge,
    /// The events that were read from the database for them.
    pub(crate) live_events: Counter,
    /// The clients that were closed because they did not keep up.
    pub(crate) slow_clients: Counter,
    /// The connections that are open now.
    pub(crate) connections: Gauge,
    deliveries: Family<DeliveryLabels, Counter>,
    /// The messages that wait to be sent to a webhook.
    pub(crate) webhook_waiting: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("trueup_hub");
        let requests = Family::<RequestLabels, Counter>::default();
        let seconds = Histogram::new(SECONDS);
        let live_clients = Gauge::default();
        let live_events = Counter::default();
        let slow_clients = Counter::default();
        let connections = Gauge::default();
        let deliveries = Family::<DeliveryLabels, Counter>::default();
        let webhook_waiting = Gauge::default();
        registry.register("requests", "Requests answered", requests.clone());
        registry.register("request_seconds", "Time to an answer, in seconds", seconds.clone());
        registry.register(
            "live_clients",
            "Clients that follow the stream of events",
            live_clients.clone(),
        );
        registry.register("live_events", "Events read for the stream", live_events.clone());
        registry.register(
            "slow_clients",
            "Clients closed because they did not keep up",
            slow_clients.clone(),
        );
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register(
            "webhook_deliveries",
            "Attempts to send to the webhook",
            deliveries.clone(),
        );
        registry.register(
            "webhook_waiting",
            "Messages that wait to be sent to the webhook",
            webhook_waiting.clone(),
        );
        Self {
            registry,
            requests,
            seconds,
            live_clients,
            live_events,
            slow_clients,
            connections,
            deliveries,
            webhook_waiting,
        }
    }

    /// Counts an answered request.
    pub(crate) fn count_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts an attempt to send to a webhook.
    pub(crate) fn count_delivery(&self, outcome: DeliveryOutcome) {
        let outcome = match outcome {
            DeliveryOutcome::Delivered => "delivered",
            DeliveryOutcome::Failed => "failed",
            DeliveryOutcome::GivenUp => "given_up",
        };
        self.deliveries.get_or_create(&DeliveryLabels { outcome }).inc();
    }

    /// Renders everything.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
