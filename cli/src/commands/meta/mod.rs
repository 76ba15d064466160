//! `trueup meta`: `agents/<id>/adw_state.json`.

pub(super) mod check;
mod fix;
mod schema;
mod start;

use serde_json::{Map, Value as Json, json};
use trueup_core::files::path_to_text;
use trueup_core::metadata::{
    Change, Document, Literal, MetadataError, MetadataFile, examine, owned, place, unparsable,
    writer,
};
use trueup_core::model::AdwId;
use trueup_core::reconcile::Divergence;
use trueup_core::store::{MetadataChange, MetadataDeed, MetadataStore as _};
use trueup_core::text::one_line;

pub(super) use start::may_start;

use super::set::lines;
use crate::args::MetaCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::report::Answer;

/// Longest name of a field, in bytes.
const LONGEST_NAME: usize = 200;

pub(super) fn run(desk: &Desk, command: MetaCommand) -> Result<Answer, Failure> {
    match command {
        MetaCommand::Get { id, field } => get(desk, &id, field.as_deref()),
        MetaCommand::Set { id, pairs } => set(desk, &id, &pairs),
        MetaCommand::Check(arguments) => check::run(desk, arguments),
        MetaCommand::Fix { ids } => fix::run(desk, ids),
    }
}

/// Names the file of a workflow in the project.
fn file(desk: &Desk, id: &AdwId) -> MetadataFile {
    MetadataFile::new(&desk.site.project.dir, id)
}

fn shown_place(id: &AdwId) -> String {
    place(id).to_string_lossy().into_owned()
}

/// Returns the finding on a file that cannot be read: one among others hides none of them.
fn flaw(id: &AdwId, error: &MetadataError) -> Divergence {
    let place = shown_place(id);
    match error {
        MetadataError::Unparsable { error, .. } => unparsable(id, &place, error),
        other => trueup_core::metadata::unreadable(id, &place, &other.reason()),
    }
}

/// Turns what is wrong with a file into an answer; one that does not parse is a finding too.
fn unreadable(id: &AdwId, error: &MetadataError) -> Failure {
    let mut failure = Failure::from(error);
    if let MetadataError::Unparsable { error, .. } = error {
        failure.divergences = vec![unparsable(id, &shown_place(id), error)];
    }
    failure
}

fn not_found(id: &AdwId) -> Failure {
    let message = format!("{} does not exist", shown_place(id));
    Failure::new(ErrorCase::MetadataNotFound { id: id.into() }, message)
}

/// Names who wrote a file: what it says itself, else whom it belongs to.
fn writer_of(file: &MetadataFile, document: &Document) -> Option<String> {
    let owner = || file.owner().map(|uid| format!("the user with uid {uid}"));
    writer(document).or_else(owner)
}

/// Returns the findings on a file that was read.
fn findings(file: &MetadataFile, document: &Document) -> Vec<Divergence> {
    let writer = writer_of(file, document);
    examine(
        file.id(),
        &shown_place(file.id()),
        document,
        writer.as_deref(),
    )
}

fn refuse_owned(field: &str) -> Result<(), Failure> {
    let Some(owned) = owned(field) else {
        return Ok(());
    };
    let message = format!(
        "{field} is owned by the database; change it with `{}`",
        owned.command
    );
    Err(Failure::new(ErrorCase::FieldOfDatabase, message))
}

fn get(desk: &Desk, id: &AdwId, field: Option<&str>) -> Result<Answer, Failure> {
    let file = file(desk, id);
    let read = file.read().map_err(|error| unreadable(id, &error))?;
    let document = read.ok_or_else(|| not_found(id))?;
    let mut divergences = findings(&file, &document);
    desk.advise(&mut divergences);
    let mut state = document.to_map();
    let text = match field {
        None => vec![
            String::from_utf8_lossy(&document.render())
                .trim()
                .to_owned(),
        ],
        Some(field) => {
            state.retain(|key, _| key == field);
            let Some(value) = state.get(field) else {
                // What a file must not hold is nothing to set in it.
                if owned(field).is_some() {
                    let message = format!("{field} is owned by the database");
                    return Err(Failure::new(ErrorCase::FieldOfDatabase, message));
                }
                let message = format!("{} has no field {}", shown_place(id), one_line(field, 80));
                let case = ErrorCase::FieldNotFound { id: id.into() };
                return Err(Failure::new(case, message));
            };
            vec![value.as_str().map_or_else(
                || document.raw(field).unwrap_or_default().to_owned(),
                str::to_owned,
            )]
        }
    };
    let data = json!({"id": id, "path": path_to_text(file.path()), "state": state});
    Ok(Answer {
        warnings: reported(&divergences),
        divergences,
        ..Answer::new(text, data)
    })
}

/// Returns the lines of findings that do not change what a command did.
fn reported(divergences: &[Divergence]) -> Vec<String> {
    divergences.iter().map(|d| d.message.clone()).collect()
}

fn set(desk: &Desk, id: &AdwId, pairs: &[String]) -> Result<Answer, Failure> {
    let wishes = pairs
        .iter()
        .map(|pair| wish(id, pair))
        .collect::<Result<Vec<_>, _>>()?;
    let file = file(desk, id);
    let (document, changed) = change(desk, &file, |old| {
        let created = old.is_none();
        let before = old.unwrap_or_else(|| Document::new(id));
        let mut after = before.clone();
        for (key, literal) in &wishes {
            after.set(key, literal);
        }
        let mut changed = changed(&before, &after, &wishes);
        if created && let Some(value) = after.get("adw_id") {
            changed.insert("adw_id".to_owned(), json!({"from": null, "to": value}));
        }
        Ok((Some(after.clone()), (after, changed)))
    })?;
    let unrecorded = record(desk, id, &changed);
    let mut divergences = findings(&file, &document);
    divergences.extend(schema::violations(id, &shown_place(id), &document));
    desk.advise(&mut divergences);
    let data = json!({
        "id": id, "path": path_to_text(file.path()), "state": document.to_map(), "changed": changed,
    });
    let mut warnings = reported(&divergences);
    warnings.extend(unrecorded);
    Ok(Answer {
        divergences,
        warnings,
        ..Answer::new(lines(&changed), data)
    })
}

/// Puts what was set into the log. The file is what counts and needs no database: returns the
/// warning that the log lacks it, unless there is no log at all.
fn record(desk: &Desk, id: &AdwId, changed: &Map<String, Json>) -> Option<String> {
    if changed.is_empty() {
        return None;
    }
    let side = |side: &str| {
        let sides = changed.iter();
        sides
            .map(|(key, change)| (key.clone(), change[side].clone()))
            .collect()
    };
    let change = MetadataChange {
        deed: MetadataDeed::Set,
        id: id.clone(),
        path: shown_place(id),
        project: desk.site.project.name(),
        before: side("from"),
        after: side("to"),
        writer: None,
    };
    let recorded = desk.open_for_change().and_then(|mut store| {
        let provenance = desk.provenance(&desk.actor(&mut store)?, "meta set");
        store.record_metadata_change(&change, &provenance)?;
        Ok(())
    });
    match recorded {
        Err(failure) if *failure.case != ErrorCase::DatabaseMissing => {
            Some(format!("not recorded in the log: {}", failure.message))
        }
        _ => None,
    }
}

/// Changes a file under its lock.
fn change<T>(
    desk: &Desk,
    file: &MetadataFile,
    mut decide: impl FnMut(Option<Document>) -> Result<(Option<Document>, T), Failure>,
) -> Result<T, Failure> {
    /// What a decision or the file said.
    enum Stop {
        Failure(Failure),
        File(MetadataError),
    }
    impl From<MetadataError> for Stop {
        fn from(error: MetadataError) -> Self {
            Self::File(error)
        }
    }
    let lock = desk.site.settings.paths.lock_of(file.path());
    let change = Change {
        lock: &lock,
        patience: desk.deadline().left(),
    };
    file.change(change, |old| decide(old).map_err(Stop::Failure))
        .map_err(|stop| match stop {
            Stop::Failure(failure) => failure,
            Stop::File(error) => unreadable(file.id(), &error),
        })
}

/// Reads `FIELD=VALUE`.
fn wish(id: &AdwId, pair: &str) -> Result<(String, Literal), Failure> {
    let Some((key, value)) = pair.split_once('=').filter(|(key, _)| is_name(key)) else {
        let message = format!("{:?} is not FIELD=VALUE", one_line(pair, 80));
        return Err(Failure::usage("trueup meta set --help", message));
    };
    refuse_owned(key)?;
    let literal = match key {
        "issue_number" | "adw_id" => Literal::string(value),
        _ => Literal::of(value),
    };
    if key == "adw_id" && literal != Literal::text(id.as_str()) {
        let message = format!(
            "adw_id of {} must be {id}, like its directory",
            shown_place(id)
        );
        return Err(Failure::new(ErrorCase::IdMismatch, message));
    }
    Ok((key.to_owned(), literal))
}

fn is_name(key: &str) -> bool {
    (1..=LONGEST_NAME).contains(&key.len()) && !key.chars().any(char::is_control)
}

/// Returns what became of the fields asked for, from what, to what.
fn changed(before: &Document, after: &Document, wishes: &[(String, Literal)]) -> Map<String, Json> {
    let differs = wishes
        .iter()
        .filter(|(key, _)| before.raw(key) != after.raw(key));
    differs
        .map(|(key, _)| {
            let change = json!({"from": before.get(key), "to": after.get(key)});
            (key.clone(), change)
        })
        .collect()
}
