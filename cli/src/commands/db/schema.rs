//! `trueup db schema`: printing the schema of a shared database as a script.

use serde_json::json;
use trueup_core::settings::DatabaseUrl;
use trueup_core::store::SCHEMA_VERSION;
use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

use crate::command_context::CommandContext;
use crate::output::Output;

// Which kind of server the script is for; that of the configured URL if no flag says it. A doc
// comment would take the place of the help of the command.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct SchemaArgs {
    /// For PostgreSQL 15 or later
    #[arg(long)]
    postgres: bool,
    /// For a project of Supabase, or PostgREST: with the function that it exposes
    #[arg(long, conflicts_with = "postgres")]
    supabase: bool,
}

pub(super) fn cmd_schema(context: &CommandContext, arguments: SchemaArgs) -> Output {
    let is_https = match &context.run.settings.database {
        DatabaseUrl::Remote(url) => url.first_address().scheme != "postgres",
        DatabaseUrl::Sqlite(_) | DatabaseUrl::Unusable(_) => false,
    };
    let (flavor, name) = if arguments.supabase || is_https && !arguments.postgres {
        (PostgresFlavor::Supabase, "supabase")
    } else {
        (PostgresFlavor::Postgres, "postgres")
    };
    let script = postgres_schema(flavor);
    let data = json!({"flavor": name, "version": SCHEMA_VERSION, "script": script});
    Output { verbatim: Some(script), ..Output::new(Vec::new(), data) }
}
