//! The schema for PostgreSQL as one script.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::statements;
use crate::model::legal_edges;
use crate::text::to_hex;

/// Where a PostgreSQL database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresFlavor {
    /// A server of its own, or one behind `PostgREST`.
    Postgres,
    /// A project of Supabase, which exposes the schema `public` alone.
    Supabase,
}

/// A migration with the number of its counterpart for SQLite.
struct Migration {
    version: i64,
    name: &'static str,
    texts: &'static [&'static str],
}

/// The first one makes what the migrations for SQLite up to its number add up to.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 18,
    name: "base",
    texts: &[
        include_str!("migrations/postgres/0018_base/1_functions.sql"),
        include_str!("migrations/postgres/0018_base/2_tables.sql"),
        include_str!("migrations/postgres/0018_base/3_indexes.sql"),
        include_str!("migrations/postgres/0018_base/4_session_rules.sql"),
        include_str!("migrations/postgres/0018_base/5_item_rules.sql"),
        include_str!("migrations/postgres/0018_base/6_phase_and_plan_rules.sql"),
    ],
}];

const ROLES: &str = include_str!("migrations/postgres/roles.sql");
const EXCHANGE: &str = include_str!("migrations/postgres/exchange.sql");
const GRANTS: &str = include_str!("migrations/postgres/grants.sql");
const SUPABASE: &str = include_str!("migrations/postgres/supabase.sql");

/// Writes the script that creates the schema, or brings it up to date: one transaction, for `psql`,
/// an SQL editor or a direct connection. It may be run again.
pub fn postgres_schema(flavor: PostgresFlavor) -> String {
    let mut script = String::from(
        "-- The database of trueup, for PostgreSQL 15 and later.\n\n\
         BEGIN;\n\
         SET LOCAL client_min_messages = warning;\n\
         -- Two that migrate at once wait for each other.\n\
         DO $$ BEGIN PERFORM pg_advisory_xact_lock(1414681936); END $$;\n\n",
    );
    script.push_str(ROLES);
    for migration in MIGRATIONS {
        push_migration(&mut script, migration);
    }
    push_facts(&mut script);
    script.push_str(EXCHANGE);
    script.push_str(GRANTS);
    if flavor == PostgresFlavor::Supabase {
        script.push_str(SUPABASE);
    }
    script.push_str("\nCOMMIT;\n");
    script
}

fn push_migration(script: &mut String, Migration { version, name, texts }: &Migration) {
    let sql = texts.concat();
    let checksum = to_hex(&Sha256::digest(sql.as_bytes()));
    let _ = write!(
        script,
        "\nDO $trueup$ BEGIN\n\
         IF NOT EXISTS (SELECT 1 FROM trueup.schema_migrations WHERE version = {version}) THEN\n\
         EXECUTE $migration$\n{sql}$migration$;\n\
         INSERT INTO trueup.schema_migrations (version, name, checksum)\n\
         VALUES ({version}, '{name}', '{checksum}');\n\
         END IF;\nEND $trueup$;\n"
    );
}

/// What the schema holds of the code: the legal transitions and the statements. Statements of
/// earlier versions stay, for programs that are not upgraded yet.
fn push_facts(script: &mut String) {
    script.push_str(
        "\nINSERT INTO trueup.trueup_meta (key, value)\n\
         VALUES ('lineage', gen_random_uuid()::text) ON CONFLICT DO NOTHING;\n\
         \nDELETE FROM trueup.legal_transitions;\n\
         INSERT INTO trueup.legal_transitions (entity, from_status, to_status, back) VALUES\n",
    );
    let edges = legal_edges().into_iter().map(|edge| {
        let entity = edge.entity.as_str();
        format!("('{entity}', '{}', '{}', {})", edge.from, edge.to, u8::from(edge.is_reopening))
    });
    script.push_str(&edges.collect::<Vec<_>>().join(",\n"));
    script.push_str(";\n\nINSERT INTO trueup.statements (digest, name, text, writes) VALUES\n");
    let rows = statements().map(|statement| {
        format!(
            "('{}', '{}', {}, {})",
            statement.digest(),
            statement.name(),
            literal(&statement.registered_text()),
            statement.is_write()
        )
    });
    script.push_str(&rows.collect::<Vec<_>>().join(",\n"));
    script.push_str("\nON CONFLICT (digest) DO UPDATE SET name = excluded.name;\n\n");
}

/// Writes a text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SCHEMA_VERSION;

    #[test]
    fn versions_rise_by_one_and_end_where_those_for_sqlite_do() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let expected: Vec<i64> = (18..=SCHEMA_VERSION).collect();
        assert_eq!(versions, expected);
    }

    #[test]
    fn no_text_ends_the_quotes_around_it() {
        for migration in MIGRATIONS {
            let sql = migration.texts.concat();
            assert!(!sql.contains("$migration$") && !sql.contains("$trueup$"));
        }
        assert_eq!(literal("it's"), "'it''s'");
        // Backslashes would depend on a setting of the server.
        assert!(statements().all(|statement| !statement.registered_text().contains('\\')));
    }

    #[test]
    fn only_supabase_has_a_wrapper_in_public() {
        let wrapper = "public.trueup_exchange";
        assert!(!postgres_schema(PostgresFlavor::Postgres).contains(wrapper));
        assert!(postgres_schema(PostgresFlavor::Supabase).contains(wrapper));
    }
}
