//! Errors of the configuration and of the database.

use crate::command_error::hint::{HintPart, HintPromise, HintText};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// A configuration or database that cannot be used, or a write that it refused.
    DatabaseCase {
        /// The configuration cannot be read.
        Configuration => UNABLE "config" {
            says "correct the setting, or remove it to use the default";
        }
        /// The file of the configuration cannot be read.
        ConfigurationUnreadable => UNABLE "config" {
            says "make it a readable file, or move it away to use the defaults";
        }
        /// The URL names no database that this build supports.
        DatabaseUrl => UNABLE "store_unavailable" {
            says "set it to sqlite:/path, postgres://USER@HOST/DATABASE or https://HOST, or remove it \
                  from TRUEUP_DATABASE_URL and config.toml to use the default";
        }
        /// The URL begins with what is almost the name of a supported database.
        DatabaseUrlMistyped { scheme: HintText } => UNABLE "store_unavailable" {
            says "did you mean {scheme}:? correct TRUEUP_DATABASE_URL or config.toml";
        }
        /// Only a database in a file can do it.
        NotEmbedded => UNABLE "store_unavailable" {
            says "where a hub serves a file, run it on the hub's machine, with TRUEUP_DATABASE_URL set \
                  to that file; PostgreSQL is backed up and restored with its own tools, such as \
                  pg_dump, and `trueup db export FILE` writes its rows to a file";
        }
        /// A server has no database of trueup.
        RemoteDatabaseMissing => UNABLE "store_missing" {
            ends "trueup db migrate" "creates it, with the URL of its owner";
        }
        /// The schema of a remote database is older than this trueup.
        SchemaTooOld => UNABLE "schema_too_old" {
            ends "trueup db migrate" "upgrades it, with the URL of its owner";
        }
        /// A remote database cannot be reached or used.
        RemoteDatabase { advice: HintText } => UNABLE "store_unavailable" {
            says "{advice}";
        }
        /// A server answers, and its user or token may not do it.
        NotPermitted { advice: HintText } => UNABLE "not_permitted" {
            says "{advice}";
        }
        /// A remote database has no connection left, or was busy until the deadline.
        RemoteDatabaseBusy { advice: HintText } => UNABLE "store_contended" {
            says "{advice}";
        }
        /// The user of the URL may not change the schema.
        MigrationNotPermitted => UNABLE "store_unavailable" {
            says "use the URL of a user who may create roles and schemas";
            runs "trueup db schema" "prints a script that such a user can run";
        }
        /// Only a direct connection can do it.
        NeedsDirectConnection => UNABLE "store_unavailable" {
            says "set TRUEUP_DATABASE_URL to the postgres:// URL of its owner; the database of a hub is \
                  upgraded where the hub runs";
            runs "trueup db schema --supabase" "prints a script for the SQL editor";
        }
        /// A hub answers, and only its own database can do it.
        NeedsDatabaseOfHub => UNABLE "store_unavailable" {
            says "run it where the hub runs, with TRUEUP_DATABASE_URL set to the hub's own database; \
                  a hub upgrades a database in a file itself when it starts";
        }
        /// The database file does not exist.
        DatabaseMissing => UNABLE "store_missing" {
            ends "trueup db migrate" "creates it";
            says "the first Claude Code session creates it too";
        }
        /// The database cannot be reached.
        DatabaseUnavailable => UNABLE "store_unavailable" {
            says "check that the path exists and is writable, and that the disk has space";
        }
        /// Other processes kept the database locked until the deadline.
        DatabaseContended => UNABLE "store_contended" {
            says "try again; TRUEUP_DEADLINE_MS raises the limit";
        }
        /// A newer trueup wrote the database.
        SchemaTooNew => UNABLE "schema_too_new" {
            says "a newer trueup wrote it; `trueup upgrade` brings the newest";
        }
        /// The database is damaged, or not a database of trueup.
        DatabaseCorrupt => UNABLE "store_corrupt" {
            says "nothing was changed; restore a backup with `trueup db restore FILE`, or set \
                  TRUEUP_DATABASE_URL to another database";
        }
        /// The path of the database is that of a directory.
        DatabaseIsDirectory { path: HintText } => UNABLE "store_corrupt" {
            says "move {path} away; trueup db migrate then creates it";
        }
        /// Another write came first.
        Conflict => REFUSED "conflict" {
            says "it was changed by someone else; check the current state and try again";
        }
        /// A rule of the database forbids the write.
        Denied => REFUSED "denied" {
            says "nothing was changed";
        }
        /// The store refuses the request as invalid.
        Invalid => REFUSED "invalid" {
            says "nothing was changed; correct the value and try again";
        }
        /// The file to write a copy to exists.
        CopyExists => REFUSED "invalid" {
            says "choose a file that does not exist";
        }
        /// A copy cannot be written.
        CopyUnwritable => UNABLE "io" {
            says "choose a file in an existing, writable directory with enough space";
        }
        /// A copy is no usable database to restore.
        CopyUnusable => UNABLE "copy_unusable" {
            says "nothing was changed; use a file created by `trueup db backup FILE`";
        }
        /// Another process has the database open.
        DatabaseInUse => REFUSED "database_in_use" {
            says "nothing was changed; stop what uses it, such as trueup-hub, trueup log --follow or \
                  sqlite3, and try again";
        }
    }
}
