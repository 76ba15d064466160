//! `trueup log`

use clap::Args;
use trueup_core::model::ItemKey;

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Only events of this item and its phases
    #[arg(long, value_name = "K")]
    pub(crate) item: Option<ItemKey>,
    /// Only of this kind of thing, such as item, phase, session, port
    #[arg(long, value_name = "E")]
    pub(crate) entity: Option<String>,
    /// Only of this kind, such as claimed, released, status, reopened
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<String>,
    /// Only by this one: a session id, a user, or sql
    #[arg(long, value_name = "A")]
    pub(crate) actor: Option<String>,
    /// Only since this time, such as 2026-02-02T03:00:00Z or 2026-02-02 (UTC unless it says
    /// otherwise), or so long ago, such as 2h, 1h30m or 1w
    #[arg(long, value_name = "T")]
    pub(crate) since: Option<String>,
    /// Only after this cursor, the `next` of an earlier answer
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<i64>,
    /// At most so many: the newest, with --after the next ones; 0 for all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    /// Go on printing what happens
    #[arg(long)]
    pub(crate) follow: bool,
}
