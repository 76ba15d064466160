//! `trueup item transition` and `trueup item reopen`

use serde_json::json;
use trueup_core::claims::{Advanced, MoveWish, advance};
use trueup_core::model::{Goal, Item, ItemKey, MoveRefusal};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{ItemMoved, ItemStore as _};

use crate::args::ItemTransition;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

pub(super) fn transition(desk: &Desk, arguments: ItemTransition) -> Result<Answer, Failure> {
    let ItemTransition {
        key,
        status,
        reason,
        evidence,
    } = arguments;
    run(desk, key, Goal::Status(status), reason, evidence)
}

pub(super) fn reopen(desk: &Desk, key: ItemKey, reason: String) -> Result<Answer, Failure> {
    run(desk, key, Goal::Start, Some(reason), None)
}

fn run(
    desk: &Desk,
    key: ItemKey,
    goal: Goal,
    reason: Option<String>,
    evidence: Option<String>,
) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let kinds = ["status", "reopened", "changed"];
    if let Some(event) = desk.carried_out(&mut store, "item", Some(key.as_str()), &kinds)? {
        let item = super::known(&mut store, &key)?;
        let text = format!("this operation changed {key} at {}", event.at);
        return Ok(Answer::new(vec![text], json!({"item": json::item(&item)})));
    }
    let mut session = desk.mover(&mut store)?;
    if let Some(found) = session {
        session = Some(desk.before_change(&mut store, found)?);
    }
    let because = reason.as_deref().unwrap_or("item transition");
    let wish = MoveWish {
        session: session.as_ref().map(|session| session.id.clone()),
        item: key,
        goal,
        evidence,
        provenance: desk.provenance(&desk.actor(&mut store)?, because),
        reason,
    };
    let (before, moved) = match advance(&mut store, &wish)? {
        Advanced::Moved { before, moved } => (before, moved),
        Advanced::Refused(refusal) => return Err(refused(&mut store, &wish, &refusal)?),
    };
    let mut warnings = Vec::new();
    if let Some(session) = &session {
        desk.after_change(&mut store, &session.id, &mut warnings)?;
    }
    Ok(Answer {
        warnings,
        ..Answer::new(
            told(&before, &moved),
            json!({"item": json::item(&moved.item)}),
        )
    })
}

/// Says what changed, from what to what.
fn told(before: &Item, moved: &ItemMoved) -> Vec<String> {
    let item = &moved.item;
    let mut text = vec![if before.status == item.status {
        format!("{} is still {}", item.key, item.status)
    } else {
        format!("{}: {} -> {}", item.key, before.status, item.status)
    }];
    if let (Some(holder), None) = (&before.holder, &item.holder) {
        text.push(format!(
            "released by {holder}; `trueup next` shows what comes next"
        ));
    }
    let followed = moved.followed.iter();
    text.extend(followed.map(|(key, status)| format!("{key} is now {status}")));
    text
}

fn refused(
    store: &mut SqliteStore,
    wish: &MoveWish,
    refusal: &MoveRefusal,
) -> Result<Failure, Failure> {
    let key = &wish.item;
    let refused = |case: ErrorCase, message: String| Failure::new(case, message);
    let item = key.into();
    Ok(match refusal {
        MoveRefusal::PhantomSession => {
            Failure::phantom(wish.session.as_ref().map_or("?", |id| id.as_str()))
        }
        MoveRefusal::ItemNotFound => Failure::no_item(key),
        MoveRefusal::NotHolder(holder) => refused(
            ErrorCase::NotHolder { item },
            format!("{key} is held by {holder}; only the holder can move it"),
        )
        .data(json!({"holder": holder})),
        MoveRefusal::StaleEpoch(holder) => refused(
            ErrorCase::OwnClaimLost,
            format!("the claim on {key} was lost; {holder} holds it now"),
        )
        .data(json!({"holder": holder})),
        MoveRefusal::IllegalTransition { from, to, legal } => {
            let message = match (wish.goal, legal.as_slice()) {
                (Goal::Start, _) => format!("{key} is {from} and does not need to be reopened"),
                (_, []) => format!("{key} is {from} and cannot become {to}: it is finished"),
                (_, legal) => format!(
                    "{key} is {from} and cannot become {to}; allowed: {}",
                    legal.join(", ")
                ),
            };
            let case = match wish.goal {
                Goal::Start => ErrorCase::NothingToReopen { item },
                Goal::Status(_) => ErrorCase::IllegalMove { item },
            };
            refused(case, message).data(json!({"from": from, "to": to, "legal": legal}))
        }
        MoveRefusal::DependenciesOpen => {
            let open = store.open_dependencies(key)?;
            let message = format!("{key} waits for {}", super::standing(&open));
            refused(ErrorCase::DependenciesOpen { item }, message)
        }
        MoveRefusal::EvidenceRequired => refused(
            ErrorCase::EvidenceRequired,
            format!("{key} needs --evidence to be completed"),
        ),
    })
}
