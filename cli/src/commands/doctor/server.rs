//! Checks of the server of a shared database: version, clock, certificate, and what the user of
//! the URL may do.

use jiff::SignedDuration;
use trueup_core::model::{TokenName, TokenRole};
use trueup_remote::{ServerFacts, ServerSoftware, UserRights};

use super::check_result::CheckResult;
use crate::command_context::CommandContext;
use crate::commands::db::server_text::describe_server;
use crate::store_location::StoreLocation;

/// The oldest supported version of PostgreSQL.
const MIN_SERVER_VERSION: u32 = 15;

/// With fewer days left, a certificate should be renewed.
const MIN_CERTIFICATE_DAYS: i64 = 14;

/// How far the clocks may be apart. Ages are computed by the server's clock alone, so that a
/// difference misleads only people who compare times.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(60);

/// Checks the server of a shared database, which is asked once; nothing where it is embedded. A
/// database that cannot be reached is reported by its own check.
pub(super) fn check_server(context: &CommandContext) -> Vec<(&'static str, CheckResult)> {
    let Ok(StoreLocation::Remote(database)) = context.store_location() else {
        return Vec::new();
    };
    let facts = database.load_server_facts(context.deadline()).ok();
    let not_checked = || CheckResult::skip("not checked");
    let server = facts.as_ref().map_or_else(not_checked, assess_server);
    let rights = facts.and_then(|facts| facts.rights);
    let user = rights.as_ref().map_or_else(not_checked, assess_user);
    vec![("database server", server), ("database user", user)]
}

fn assess_server(facts: &ServerFacts) -> CheckResult {
    let line = describe_server(facts);
    let is_postgres = facts.software == ServerSoftware::Postgres;
    let major = facts.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if is_postgres && major.is_some_and(|major| major < MIN_SERVER_VERSION) {
        return CheckResult::fail(line, format!("upgrade it to PostgreSQL {MIN_SERVER_VERSION}"));
    }
    if facts.certificate_days_left.is_some_and(|days| days < MIN_CERTIFICATE_DAYS) {
        return CheckResult::warn(line, "renew the server's certificate");
    }
    if facts.clock_ahead.abs() > MAX_CLOCK_DIFFERENCE {
        return CheckResult::warn(line, "set the clocks of this machine and of the server");
    }
    CheckResult::ok(line)
}

fn assess_user(rights: &UserRights) -> CheckResult {
    match rights {
        UserRights::Postgres { user, is_client, is_owner } => {
            assess_postgres_user(user, *is_client, *is_owner)
        }
        UserRights::Hub { name, role } => assess_token(name, *role),
    }
}

/// A machine has to write: a session that only reads can neither claim nor report.
fn assess_token(name: &TokenName, role: TokenRole) -> CheckResult {
    match role {
        TokenRole::Reader => CheckResult::fail(
            format!("the token {name} is of a reader: sessions of this machine can write nothing"),
            "let whoever runs the hub make a token: trueup-hub token create NAME --role agent",
        ),
        TokenRole::Agent => CheckResult::ok(format!("the token {name} is of an agent")),
        TokenRole::Admin => CheckResult::warn(
            format!("the token {name} is of an administrator, who may end the work of others"),
            "use a token of the role agent for the sessions of a machine",
        ),
    }
}

fn assess_postgres_user(user: &str, is_client: Option<bool>, is_owner: bool) -> CheckResult {
    let Some(is_client) = is_client else {
        return CheckResult::skip("not checked: there is no trueup database yet");
    };
    if !is_client {
        return CheckResult::fail(
            format!("{user} may not use the database"),
            format!("let its owner run: GRANT trueup_client TO {user}"),
        );
    }
    if is_owner {
        return CheckResult::warn(
            format!("{user} may change tables and rules"),
            "use the URL of a user who only belongs to trueup_client",
        );
    }
    CheckResult::ok(format!("{user} may use the database, and not change its rules"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::commands::doctor::check_result::CheckStatus;

    fn facts() -> ServerFacts {
        ServerFacts {
            software: ServerSoftware::Postgres,
            version: "15.4 (Debian)".to_owned(),
            uses_tls: true,
            certificate_days_left: Some(80),
            round_trip: Duration::from_micros(400),
            clock_ahead: SignedDuration::from_millis(-3),
            rights: None,
        }
    }

    #[test]
    fn an_old_server_fails_and_a_certificate_or_a_clock_warns() {
        let good = assess_server(&facts());
        assert_eq!(good.status, CheckStatus::Ok);
        assert_eq!(
            good.detail,
            "PostgreSQL 15.4 (Debian), TLS, certificate valid for 80 days, round trip 0.4 ms, \
             clock -3 ms"
        );
        let old = ServerFacts { version: "14.9".to_owned(), ..facts() };
        assert_eq!(assess_server(&old).status, CheckStatus::Fail);
        let hub =
            ServerFacts { software: ServerSoftware::Hub, version: "0.1.0".to_owned(), ..facts() };
        assert_eq!(assess_server(&hub).status, CheckStatus::Ok);
        let expiring = ServerFacts { certificate_days_left: Some(13), ..facts() };
        assert_eq!(assess_server(&expiring).status, CheckStatus::Warn);
        let behind = ServerFacts { clock_ahead: SignedDuration::from_secs(-61), ..facts() };
        assert_eq!(assess_server(&behind).status, CheckStatus::Warn);
    }

    #[test]
    fn a_user_may_use_the_database_and_nothing_else() {
        for (is_client, is_owner, expected) in [
            (Some(true), false, CheckStatus::Ok),
            (Some(true), true, CheckStatus::Warn),
            (Some(false), false, CheckStatus::Fail),
            (None, true, CheckStatus::Skip),
        ] {
            let rights = UserRights::Postgres { user: "ann".to_owned(), is_client, is_owner };
            assert_eq!(assess_user(&rights).status, expected);
        }
    }

    #[test]
    fn the_token_of_a_machine_is_of_an_agent() {
        for (role, expected) in [
            (TokenRole::Reader, CheckStatus::Fail),
            (TokenRole::Agent, CheckStatus::Ok),
            (TokenRole::Admin, CheckStatus::Warn),
        ] {
            let rights = UserRights::Hub { name: "laptop".parse().unwrap(), role };
            assert_eq!(assess_user(&rights).status, expected, "{role}");
        }
    }
}
