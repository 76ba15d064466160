//! `trueup-hub token`: the tokens by which machines and people are known.

use serde_json::{Value as Json, json};
use trueup_core::model::{AccessToken, TokenName, TokenRole};
use trueup_core::settings::Environment;
use trueup_core::store::{CommandStore, NewToken, Provenance, StoreError};

use crate::access::{digest_token, make_token};
use crate::command_line::{DatabaseArgs, TokenCommand};
use crate::database::Database;
use crate::failure::Failure;
use crate::printer::{print_diagnostic, print_json, print_line, print_secret};

/// Who acts where the system names nobody.
const PERSON: &str = "user";

/// Carries out a command about tokens.
pub(crate) fn run(
    database: &DatabaseArgs,
    command: &TokenCommand,
    json: bool,
) -> Result<(), Failure> {
    let database = Database::find(database)?;
    let store = &mut *database.open_or_create()?;
    match command {
        TokenCommand::Create { name, role } => create(store, name, *role, json),
        TokenCommand::List => list(store, json),
        TokenCommand::Revoke { name } => revoke(store, name, json),
    }
}

fn create(
    store: &mut dyn CommandStore,
    name: &TokenName,
    role: TokenRole,
    json: bool,
) -> Result<(), Failure> {
    let text = make_token();
    let new = NewToken { name: name.clone(), role, digest: digest_token(&text) };
    let token = match store.create_token(&new, &provenance("token created")) {
        Err(error @ StoreError::Denied { .. }) => return Err(name_is_taken(store, name, error)),
        other => other?,
    };
    if json {
        let mut view = token_view(&token);
        view["token"] = Json::from(text);
        print_json(&json!({ "ok": true, "data": view }));
    } else {
        // The token alone is on stdout, so that a script can take it.
        print_diagnostic(&format!(
            "token of {} made, role {}; it is shown this once:",
            token.name,
            token.role.as_str()
        ));
        print_secret(&text);
    }
    Ok(())
}

/// Tells whose the name is, where that is why there is no token.
fn name_is_taken(store: &mut dyn CommandStore, name: &TokenName, error: StoreError) -> Failure {
    let Ok(Some(token)) = find_by_name(store, name) else {
        return error.into();
    };
    let message = match token.revoked_at {
        Some(at) => format!("{name} was the name of a token that was revoked at {at}"),
        None => format!("{name} is the name of a token already"),
    };
    let hint = format!(
        "a name is given once, so that the log stays right; take another, such as {name}-2"
    );
    Failure { message, ..Failure::from(error) }.with_hint(hint)
}

fn find_by_name(
    store: &mut dyn CommandStore,
    name: &TokenName,
) -> Result<Option<AccessToken>, StoreError> {
    Ok(store.list_tokens()?.into_iter().find(|token| token.name == *name))
}

fn list(store: &mut dyn CommandStore, json: bool) -> Result<(), Failure> {
    let tokens = store.list_tokens()?;
    if json {
        let views: Vec<Json> = tokens.iter().map(token_view).collect();
        print_json(&json!({ "ok": true, "data": { "tokens": views } }));
        return Ok(());
    }
    if tokens.is_empty() {
        print_diagnostic("no tokens; `trueup-hub token create NAME --role ROLE` makes one");
    }
    for token in &tokens {
        print_line(&describe_token(token));
    }
    Ok(())
}

fn revoke(store: &mut dyn CommandStore, name: &TokenName, json: bool) -> Result<(), Failure> {
    let earlier = find_by_name(store, name)?.and_then(|token| token.revoked_at);
    let token = store.revoke_token(name, &provenance("token revoked"))?;
    if json {
        let mut view = token_view(&token);
        view["was_revoked"] = earlier.is_some().into();
        print_json(&json!({ "ok": true, "data": view }));
    } else {
        print_line(&match earlier {
            Some(at) => format!("token of {} was revoked already, at {at}", token.name),
            None => format!("token of {} revoked", token.name),
        });
    }
    Ok(())
}

fn describe_token(token: &AccessToken) -> String {
    let end = token.revoked_at.map_or_else(String::new, |at| format!(", revoked {at}"));
    format!("{}, {}, made {}{end}", token.name, token.role.as_str(), token.created_at)
}

fn token_view(token: &AccessToken) -> Json {
    json!({
        "name": token.name,
        "role": token.role.as_str(),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "revoked_at": token.revoked_at,
    })
}

fn provenance(reason: &str) -> Provenance {
    let environment = Environment::from_process();
    Provenance::new(environment.text("USER").unwrap_or(PERSON), reason)
}
