//! The schemas of identifiers, statuses, times and counters in views.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::model::phase::PhaseName;
use crate::model::{
    AttentionId, Epoch, HandoffId, HandoffStatus, HandoffType, ItemKey, ItemPriority, ItemStatus,
    LivenessState, OrchestratorId, OrchestratorStatus, PlanId, PlanTaskId, PlanTaskStatus, QueueId,
    RepoSlug, Revision, SessionId, SessionStatus, Timestamp, TokenName, TokenRole,
};
use crate::reconcile::RejectionReason;

/// Gives a type the schema of a function, under its own name.
macro_rules! schema {
    ($($name:ident => $schema:expr;)+) => {
        $(
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    RefOr::T(Schema::Object($schema.build()))
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            }
        )+
    };
}

fn text(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).description(Some(about))
}

/// An identifier of so many of these characters that is no path and no flag. A reader of the
/// document takes the pattern for a regular expression of ECMA 262.
fn id(about: &str, characters: &str, most: usize) -> ObjectBuilder {
    let pattern = format!("^(?![.-])(?!.*\\.\\.)[{characters}]{{1,{most}}}$");
    text(about).pattern(Some(pattern)).min_length(Some(1)).max_length(Some(most))
}

fn words<const N: usize>(about: &str, words: [&'static str; N]) -> ObjectBuilder {
    text(about).enum_values(Some(words))
}

fn counter(about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some(about))
}

schema! {
    SessionId => id("A session, as its client names it", "A-Za-z0-9._\\-", 128);
    ItemKey => id("The key of an item", "A-Za-z0-9._:#\\-", 200);
    AttentionId => id("Something that needs a person", "A-Za-z0-9._:#\\-", 200);
    PlanId => id("A plan, named after its file", "A-Za-z0-9._\\-", 200);
    QueueId => id("A phase", "A-Za-z0-9._:#\\-", 240);
    HandoffId => id("A hand-off", "A-Za-z0-9_\\-", 64);
    HandoffType => id("The kind of a hand-off", "A-Za-z0-9_\\-", 64);
    OrchestratorId => id("A run of a plan", "A-Za-z0-9._\\-", 64);
    TokenName => id("The name of a token", "A-Za-z0-9._\\-", 100);
    TokenRole => words("What the bearer of a token may do", TokenRole::ALL.map(TokenRole::as_str));
    RepoSlug => id("The name of a repository", "A-Za-z0-9._\\-", 64);
    PlanTaskId => text("The id of a task in its plan").min_length(Some(1)).max_length(Some(100));
    Timestamp => text("A time in UTC, with milliseconds")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Revision => counter("A number of changes");
    Epoch => counter("The number of a claim, its fencing token");
    ItemPriority => counter("How urgent an item is; 0 comes first").maximum(Some(4));
    SessionStatus => words("The status of a session", ["active", "idle", "ended", "lost"]);
    ItemStatus => words("The status of an item or a phase", ItemStatus::ALL.map(ItemStatus::as_str));
    PlanTaskStatus => words(
        "The status of a task of a plan",
        PlanTaskStatus::ALL.map(PlanTaskStatus::as_str)
    );
    OrchestratorStatus => words(
        "The status of a run of a plan",
        OrchestratorStatus::ALL.map(OrchestratorStatus::as_str)
    );
    HandoffStatus => words(
        "The status of a hand-off",
        HandoffStatus::ALL.map(HandoffStatus::as_str)
    );
    LivenessState => words("Whether something lives", ["alive", "dead", "unknown"]);
    PhaseName => text("A kind of work: a usual one, such as plan or build, or a project's own")
        .pattern(Some(PhaseName::PATTERN));
    RejectionReason => words("Why an edit was rejected", [
        "database_moved_on", "unstamped_cache", "older_database_adopted", "altered_stamp",
        "claim_lost",
    ]);
}
