//! `trueup item depend`, and the check of new dependencies.

use serde_json::json;
use trueup_core::model::{ItemKey, Waits, circle, drawn};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Depend, ItemStore as _, Store as _};

use super::{known, listed};
use crate::args::ItemDepend;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

pub(super) fn run(desk: &Desk, arguments: ItemDepend) -> Result<Answer, Failure> {
    let ItemDepend { key, on, remove } = arguments;
    let mut store = desk.open_for_change()?;
    let kinds = ["dependencies"];
    if let Some(event) = desk.carried_out(&mut store, "item", Some(key.as_str()), &kinds)? {
        let item = known(&mut store, &key)?;
        let text = format!("this operation changed {key} at {}", event.at);
        return Ok(Answer::new(vec![text], json!({"item": json::item(&item)})));
    }
    desk.mover(&mut store)?;
    let before = known(&mut store, &key)?;
    if remove {
        if let Some(on) = on.iter().find(|on| !before.depends_on.contains(on)) {
            let message = format!("{key} does not depend on {on}");
            let item = (&key).into();
            return Err(Failure::new(ErrorCase::NotDependent { item }, message));
        }
    } else {
        admit(&mut store, &key, before.parent.as_ref(), &on)?;
    }
    let provenance = desk.provenance(&desk.actor(&mut store)?, "item depend");
    let item = store.depend(&Depend {
        item: key.clone(),
        on,
        remove,
        provenance,
    })?;
    let or_nothing = |keys: &[ItemKey]| match keys {
        [] => "nothing".to_owned(),
        keys => listed(keys),
    };
    let mut text = vec![format!(
        "{key} depends on: {} -> {}",
        or_nothing(&before.depends_on),
        or_nothing(&item.depends_on)
    )];
    if before.status != item.status {
        text.push(format!("{key}: {} -> {}", before.status, item.status));
    }
    Ok(Answer::new(text, json!({"item": json::item(&item)})))
}

/// Refuses what does not exist and what would close a circle. The store looks again when it
/// writes; here the refusal gets its code.
pub(super) fn admit(
    store: &mut SqliteStore,
    key: &ItemKey,
    parent: Option<&ItemKey>,
    on: &[ItemKey],
) -> Result<(), Failure> {
    if on.is_empty() {
        return Ok(());
    }
    let mut waits = store.waiting_for(key)?;
    if let Some(parent) = parent {
        waits.extend(store.waiting_for(parent)?);
        waits.push(Waits {
            item: parent.clone(),
            on: key.clone(),
        });
    }
    for on in on {
        if let Some(circle) = circle(key, on, &waits) {
            let message = format!("circular dependency: {}", drawn(&circle));
            return Err(Failure::new(ErrorCase::DependencyCycle, message));
        }
        if store.item(on)?.is_none() {
            return Err(Failure::no_item(on));
        }
    }
    Ok(())
}
