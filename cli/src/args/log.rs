//! `trueup log`

use clap::Args;
use trueup_core::model::ItemKey;

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Only events of this item and its phases
    #[arg(long, value_name = "K")]
    pub(crate) item: Option<ItemKey>,
    /// Only events of this entity, such as item, phase, session or port
    #[arg(long, value_name = "E")]
    pub(crate) entity: Option<String>,
    /// Only events of this kind, such as claimed, released, status or reopened
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Only events by this actor: a session id, a user, or sql
    #[arg(long, value_name = "A")]
    pub(crate) actor: Option<String>,
    /// Only events since this time, such as 2026-02-02T03:00:00Z or 2026-02-02 (UTC by default),
    /// or since a duration ago, such as 2h, 1h30m or 1w
    #[arg(long, value_name = "T")]
    pub(crate) since: Option<String>,
    /// Only events after this cursor, the `next` value of an earlier answer
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<i64>,
    /// Maximum number of events: the newest, or the next ones with --after; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    /// Keep running and print new events
    #[arg(long)]
    pub(crate) follow: bool,
}
