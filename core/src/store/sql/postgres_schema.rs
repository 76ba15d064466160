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

impl Migration {
    fn sql(&self) -> String {
        self.texts.concat()
    }

    fn checksum(&self) -> String {
        to_hex(&Sha256::digest(self.sql().as_bytes()))
    }
}

/// The first one makes what the migrations for SQLite up to its number add up to. The text of a
/// released one never changes: a script refuses a database that was made with another text.
const MIGRATIONS: &[Migration] = &[
    Migration {
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
    },
    Migration {
        version: 19,
        name: "callers_and_signs_of_life",
        texts: &[include_str!("migrations/postgres/0019_callers_and_signs_of_life.sql")],
    },
    Migration {
        version: 20,
        name: "delivered_from",
        texts: &[include_str!("migrations/postgres/0020_delivered_from.sql")],
    },
    Migration {
        version: 21,
        name: "tokens_callers_attention",
        texts: &[include_str!("migrations/postgres/0021_tokens_callers_attention.sql")],
    },
    Migration {
        version: 22,
        name: "item_priorities",
        texts: &[include_str!("migrations/postgres/0022_item_priorities.sql")],
    },
];

/// The schema that the script makes.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

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
    push_refusal_of_newer(&mut script);
    for migration in MIGRATIONS {
        push_migration(&mut script, migration);
    }
    push_schema_version(&mut script);
    push_facts(&mut script);
    script.push_str(EXCHANGE);
    script.push_str(GRANTS);
    if flavor == PostgresFlavor::Supabase {
        script.push_str(SUPABASE);
    }
    script.push_str("\nCOMMIT;\n");
    script
}

/// Returns whether a migration was applied with the text that this program has for it.
pub(super) fn is_known_migration(version: i64, checksum: &str) -> bool {
    let migration = MIGRATIONS.iter().find(|migration| migration.version == version);
    migration.is_some_and(|migration| migration.checksum() == checksum)
}

/// Refuses a schema that this script does not know. It would replace functions that the newer
/// schema relies on. The error undoes the transaction, whatever runs the script.
fn push_refusal_of_newer(script: &mut String) {
    let _ = write!(
        script,
        "\nDO $trueup$ DECLARE\n\
         found bigint := (SELECT max(version) FROM trueup.schema_migrations);\n\
         BEGIN\n\
         IF found > {NEWEST} THEN\n\
         RAISE EXCEPTION USING ERRCODE = 'TU030', MESSAGE = format(\n\
         'the database has schema %s, and this script of trueup knows {NEWEST}', found),\n\
         HINT = 'take the script of a newer trueup; nothing was changed';\n\
         END IF;\nEND $trueup$;\n"
    );
}

/// Applies a migration unless it was applied. One that was applied with another text is refused:
/// what follows would build on something that is not there.
fn push_migration(script: &mut String, migration: &Migration) {
    let Migration { version, name, .. } = migration;
    let (sql, checksum) = (migration.sql(), migration.checksum());
    let _ = write!(
        script,
        "\nDO $trueup$ DECLARE\n\
         applied text := (SELECT checksum FROM trueup.schema_migrations WHERE version = {version});\n\
         BEGIN\n\
         IF applied IS NULL THEN\n\
         EXECUTE $migration$\n{sql}$migration$;\n\
         INSERT INTO trueup.schema_migrations (version, name, checksum)\n\
         VALUES ({version}, '{name}', '{checksum}');\n\
         ELSIF applied <> '{checksum}' THEN\n\
         RAISE EXCEPTION USING ERRCODE = 'TU031',\n\
         MESSAGE = 'migration {version} ({name}) was applied with another text than this script has',\n\
         HINT = 'the database was made by a changed trueup; nothing was changed';\n\
         END IF;\nEND $trueup$;\n"
    );
}

/// Which schema the functions are of: a request reads no table to learn it.
fn push_schema_version(script: &mut String) {
    let _ = write!(
        script,
        "\nCREATE OR REPLACE FUNCTION trueup.schema_version() RETURNS bigint\n\
         LANGUAGE sql IMMUTABLE RETURN {NEWEST}::bigint;\n"
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
    script.push_str(
        ";\n\nINSERT INTO trueup.statements\n\
         (digest, name, text, writes, is_sign_of_life, is_for_hub) VALUES\n",
    );
    let rows = statements().map(|statement| {
        format!(
            "('{}', '{}', {}, {}, {}, {})",
            statement.digest(),
            statement.name(),
            literal(&statement.registered_text()),
            statement.is_write(),
            statement.is_sign_of_life(),
            statement.is_for_hub(),
        )
    });
    script.push_str(&rows.collect::<Vec<_>>().join(",\n"));
    script.push_str(
        "\nON CONFLICT (digest) DO UPDATE\n\
         SET name = excluded.name, is_sign_of_life = excluded.is_sign_of_life,\n\
         is_for_hub = excluded.is_for_hub;\n\n",
    );
}

/// Writes a text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA_VERSION;

    #[test]
    fn versions_rise_by_one_and_end_where_those_for_sqlite_do() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let expected: Vec<i64> = (18..=SCHEMA_VERSION).collect();
        assert_eq!(versions, expected);
    }

    /// A number that one of the databases lacks would make one schema version mean two schemas.
    #[test]
    fn every_migration_since_the_base_is_a_pair_of_files() {
        let expected: Vec<String> =
            MIGRATIONS.iter().skip(1).map(|m| format!("{:04}_{}.sql", m.version, m.name)).collect();
        for dir in ["src/store/sqlite/migrations", "src/store/sql/migrations/postgres"] {
            let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
            let names = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name());
            let mut numbered: Vec<String> = names
                .filter_map(|name| name.into_string().ok())
                .filter(|name| name.get(..4).is_some_and(|digits| digits > "0018"))
                .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
                .collect();
            numbered.sort();
            assert_eq!(numbered, expected);
        }
    }

    /// A database that was made with the text of a released migration must accept the script.
    #[test]
    fn released_migrations_have_the_text_that_was_released() {
        let released = [(18, "efb874f559d45bee0c7cb7fffc14b1157f65f98aacd17bbcee2022fcbd63378d")];
        for (version, checksum) in released {
            let migration = MIGRATIONS.iter().find(|migration| migration.version == version);
            assert_eq!(migration.unwrap().checksum(), checksum, "migration {version}");
        }
    }

    #[test]
    fn no_text_ends_the_quotes_around_it() {
        for migration in MIGRATIONS {
            let sql = migration.sql();
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
