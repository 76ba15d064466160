//! What an event says happened, as a sentence.

use serde_json::Value;
use trueup_core::model::{Event, EventKind};
use trueup_core::text::one_line;

use super::change_text::{MAX_VALUE_CHARS, quote, render_change, render_changes, render_value};
use super::difference::{FieldChange, describe_kind, list_changes};
use crate::commands::value_text::render_json_value;

/// Fields that say by whom something is done.
const WHO_FIELDS: [&str; 5] = ["holder", "assigned_to", "started_by", "session", "orchestrator"];

/// The parts of a sentence after who did it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sentence {
    pub(super) verb: String,
    /// The key of what it was done to.
    pub(super) thing: String,
    pub(super) rest: String,
}

impl Sentence {
    fn new(verb: &str, thing: &str, rest: String) -> Self {
        Self { verb: verb.to_owned(), thing: thing.to_owned(), rest }
    }
}

/// Describes an event.
pub(super) fn describe_event(event: &Event) -> Sentence {
    match event.entity.as_str() {
        "item" => describe_item_event(event),
        "phase" => describe_phase_event(event),
        "session" => describe_session_event(event),
        "handoff" => describe_handoff_event(event),
        "port" => describe_port_event(event),
        "plan_task" => describe_task_event(event),
        "attention" => describe_attention_event(event),
        entity => {
            let verb = format!("{} {}", describe_kind(event), entity.replace('_', " "));
            Sentence::new(&verb, &event.key, render_changes(&list_changes(event), ": "))
        }
    }
}

fn describe_item_event(event: &Event) -> Sentence {
    let key = &event.key;
    let title = find_text(event, "title").map(|title| format!(" {}", quote(title)));
    let title = title.unwrap_or_default();
    let is = |kind: EventKind| event.is_kind(kind);
    if is(EventKind::Added)
        || is(EventKind::Removed)
        || is(EventKind::Claimed)
        || is(EventKind::Released)
    {
        return Sentence::new(&event.kind, key, title);
    }
    if is(EventKind::TakenOver) {
        let holder = event.before.get("holder").and_then(Value::as_str);
        let from = holder.map(|holder| format!(" from {holder}"));
        return Sentence::new("took over", key, title + &from.unwrap_or_default());
    }
    if is(EventKind::Dependencies) {
        let on = event.after.get("depends_on").and_then(Value::as_array);
        let on: Vec<&str> = on.into_iter().flatten().filter_map(Value::as_str).collect();
        let on = if on.is_empty() { "nothing".to_owned() } else { on.join(", ") };
        return Sentence::new("made", key, format!("{title} depend on {on}"));
    }
    let (verb, rest) = describe_move(event);
    Sentence::new(&verb, key, title + &rest)
}

fn describe_phase_event(event: &Event) -> Sentence {
    let name = find_text(event, "current_phase").map(|name| format!(" ({name})"));
    let name = name.unwrap_or_default();
    if event.is_kind(EventKind::Added) {
        return Sentence::new("added phase", &event.key, name);
    }
    let (verb, rest) = describe_move(event);
    Sentence::new(&format!("{verb} phase"), &event.key, name + &rest)
}

fn describe_task_event(event: &Event) -> Sentence {
    let title = find_text(event, "title").map(|title| format!(" {}", quote(title)));
    let title = title.unwrap_or_default();
    if event.is_kind(EventKind::Added) {
        return Sentence::new("added task", &event.key, title);
    }
    let (verb, rest) = describe_move(event);
    Sentence::new(&format!("{verb} task"), &event.key, title + &rest)
}

/// Describes many tasks that one act added to a plan.
pub(super) fn describe_added_tasks(plan: &str, count: usize) -> Sentence {
    Sentence::new(&format!("added {count} tasks to plan"), plan, String::new())
}

fn describe_attention_event(event: &Event) -> Sentence {
    let line = find_text(event, "line").map(|line| format!(" {}", quote(line)));
    Sentence::new(&describe_kind(event), &event.key, line.unwrap_or_default())
}

/// Describes a change of status as a move, and what else changed.
fn describe_move(event: &Event) -> (String, String) {
    let mut changes = list_changes(event);
    let status = changes.iter().position(|change| change.field == "status");
    let Some(at) = status.filter(|at| changes.get(*at).is_some_and(|it| !it.old.is_null())) else {
        return (describe_kind(event), render_changes(&changes, ": "));
    };
    let FieldChange { old, new, .. } = changes.remove(at);
    // Who holds or does something is told by who moved it.
    changes.retain(|change| !WHO_FIELDS.contains(&change.field.as_str()));
    let verb =
        if event.is_kind(EventKind::Status) { "moved".to_owned() } else { describe_kind(event) };
    let moved = format!(" from {} to {}", render_json_value(&old), render_json_value(&new));
    (verb, moved + &render_changes(&changes, ", "))
}

fn describe_session_event(event: &Event) -> Sentence {
    let is_own = event.actor == event.key;
    let own = |text: &str| Sentence::new(text, "", String::new());
    if event.is_kind(EventKind::Registered) && is_own {
        let worktree = find_text(event, "worktree").map(|path| format!("in {path}"));
        let host = find_text(event, "host").map(|host| format!(" on {host}"));
        let place = worktree.unwrap_or_default() + &host.unwrap_or_default();
        let place = one_line(&place, MAX_VALUE_CHARS * 2);
        return Sentence::new("started a session", "", format!(" {place}"));
    }
    if is_own && event.is_kind(EventKind::Ended) {
        return own("ended its session");
    }
    if is_own && event.is_kind(EventKind::Active) {
        return own("works again");
    }
    if is_own && event.is_kind(EventKind::Idle) {
        return own("waits between turns");
    }
    let whose = if is_own { String::new() } else { format!(" for session {}", event.key) };
    if event.is_kind(EventKind::State) {
        return Sentence::new(&describe_state(&list_changes(event)), "", whose);
    }
    if event.is_kind(EventKind::Lost) {
        return Sentence::new("found dead", &format!("session {}", event.key), String::new());
    }
    let changes = render_changes(&list_changes(event), ": ");
    if is_own {
        return Sentence::new(&format!("{} its session", describe_kind(event)), "", changes);
    }
    let verb = format!("{} session", describe_kind(event));
    Sentence::new(&verb, &event.key, changes)
}

/// Describes what became of the work of a session.
fn describe_state(changes: &[FieldChange]) -> String {
    let parts: Vec<String> = changes.iter().filter_map(describe_state_change).collect();
    if parts.is_empty() { "touched its state".to_owned() } else { parts.join(", ") }
}

fn describe_state_change(change: &FieldChange) -> Option<String> {
    let FieldChange { field, old, new } = change;
    Some(match (field.as_str(), new) {
        ("currentSd", Value::Null) => format!("put {} down", render_json_value(old)),
        ("currentSd", _) => format!("works on {}", render_json_value(new)),
        ("currentPhase", Value::Null) => "left its phase".to_owned(),
        ("currentPhase", _) => format!("went to phase {}", render_value(field, new)),
        ("currentTask", Value::Null) => "finished its task".to_owned(),
        ("currentTask", _) => format!("began task {}", quote(&render_json_value(new))),
        ("wasInterrupted", Value::Bool(true)) => "was interrupted".to_owned(),
        ("wasInterrupted", _) => "goes on".to_owned(),
        ("isActive" | "resumeCount", _) => return None,
        _ => return render_change(change),
    })
}

fn describe_handoff_event(event: &Event) -> Sentence {
    let item = find_text(event, "item").unwrap_or_default();
    let kind = find_text(event, "type").map(|kind| format!(" ({kind}, {})", event.key));
    let kind = kind.unwrap_or_default();
    if event.is_kind(EventKind::Created) {
        let to = find_text(event, "to_session").unwrap_or("anyone");
        return Sentence::new("offered", item, format!(" to {to}{kind}"));
    }
    Sentence::new(&format!("{} the hand-off of", describe_kind(event)), item, kind)
}

fn describe_port_event(event: &Event) -> Sentence {
    let port = |name: &str| {
        let values = [&event.after, &event.before];
        values.into_iter().find_map(|value| value.get(name)).map(render_json_value)
    };
    let pair = match (port("backend"), port("frontend")) {
        (Some(backend), Some(frontend)) => format!("ports {backend} and {frontend}"),
        _ => "ports".to_owned(),
    };
    Sentence::new(&format!("{} {pair} for", describe_kind(event)), &event.key, String::new())
}

/// Finds a text in what something is now, or else was before.
fn find_text<'a>(event: &'a Event, field: &str) -> Option<&'a str> {
    [&event.after, &event.before].into_iter().find_map(|value| value.get(field)?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trueup_core::model::Timestamp;

    use super::super::filters::KNOWN_ENTITIES;
    use super::*;

    const SESSION: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

    fn tell(entity: &str, key: &str, kind: EventKind, before: Value, after: Value) -> String {
        let event = Event {
            seq: 1,
            at: Timestamp::from_millis(0),
            actor: SESSION.to_owned(),
            entity: entity.to_owned(),
            key: key.to_owned(),
            kind: kind.as_str().to_owned(),
            before,
            after,
            epoch: None,
            reason: None,
            op_id: None,
            via: None,
        };
        let Sentence { verb, thing, rest } = describe_event(&event);
        format!("{verb} {thing}{rest}")
    }

    #[test]
    fn an_event_is_a_sentence() {
        let item = |status: &str, holder: Option<&str>| json!({"title": "Sync on start", "status": status, "holder": holder});
        let (queued, running) = (item("queued", None), item("running", Some(SESSION)));
        for (kind, before, after, expected) in [
            (EventKind::Added, json!(null), queued.clone(), "added SD-1 \"Sync on start\""),
            (EventKind::Claimed, queued.clone(), running.clone(), "claimed SD-1 \"Sync on start\""),
            (
                EventKind::TakenOver,
                running.clone(),
                running.clone(),
                "took over SD-1 \"Sync on start\" from 7c9e6679-7425-40de-944b-e07fc1f90ae7",
            ),
            (
                EventKind::Status,
                queued.clone(),
                running.clone(),
                "moved SD-1 \"Sync on start\" from queued to running",
            ),
            (
                EventKind::Changed,
                json!({"title": "Old one"}),
                json!({"title": "New one", "phase": "EXEC"}),
                "changed SD-1 \"New one\": title from \"Old one\" to \"New one\", phase EXEC",
            ),
            (
                EventKind::Dependencies,
                json!({"depends_on": []}),
                json!({"depends_on": ["A", "B"]}),
                "made SD-1 depend on A, B",
            ),
        ] {
            assert_eq!(tell("item", "SD-1", kind, before, after), expected);
        }
        let phase = |status: &str| json!({"current_phase": "build", "status": status});
        let moved = tell("phase", "SD-1:2", EventKind::Status, phase("ready"), phase("running"));
        assert_eq!(moved, "moved phase SD-1:2 (build) from ready to running");
        let state =
            |phase: Value| json!({"execution_state": {"currentPhase": phase, "isActive": true}});
        let went =
            tell("session", SESSION, EventKind::State, state(json!(null)), state(json!("EXEC")));
        assert_eq!(went, "went to phase EXEC ");
        let port = json!({"backend": 9100, "frontend": 9200});
        let reserved = tell("port", "x", EventKind::Reserved, json!(null), port);
        assert_eq!(reserved, "reserved ports 9100 and 9200 for x");
    }

    #[test]
    fn no_event_is_told_as_data() {
        let task = json!({
            "title": "Write it", "status": "pending", "phase_number": 1, "phase_title": null,
            "priority": null, "position": 0, "depends_on": [], "retry_count": 0, "stuck": 0,
            "started_by": null, "extra": {},
        });
        let told = tell("plan_task", "p/1.1", EventKind::Added, json!(null), task);
        assert_eq!(told, "added task p/1.1 \"Write it\"");
        let (failed, again) = (
            json!({"title": "Write it", "status": "failed", "retry_count": 0, "started_by": "ann"}),
            json!({"title": "Write it", "status": "pending", "retry_count": 1, "started_by": null}),
        );
        let told = tell("plan_task", "p/1.1", EventKind::Reopened, failed, again);
        assert_eq!(told, "reopened task p/1.1 \"Write it\" from failed to pending, retry count 1");
        let imported = tell(
            "item",
            "bd-3",
            EventKind::Changed,
            json!({"extra": {"source": {"at": 1}}}),
            json!({"extra": {"source": {"at": 2}}}),
        );
        assert_eq!(imported, "changed bd-3: details that its file has");
    }

    #[test]
    fn no_kind_of_event_prints_json_or_values_that_say_nothing() {
        let full = json!({
            "title": "One", "line": "look", "status": "queued", "holder": null, "list": [],
            "deep": {"a": {"b": [1]}}, "objects": [{"a": 1}], "words": ["x", "y"], "extra": {"a": 1},
            "retry_count": 0, "is_off": false, "empty": "", "object": {}, "depends_on": [],
            "execution_state": {"currentSd": "SD-1", "deeper": {"c": []}, "none": [], "zero": 0},
        });
        let bare = json!({
            "title": "One", "status": "running", "deep": {"a": 1}, "objects": [],
            "extra": {}, "execution_state": {"currentSd": null, "deeper": {}, "zero": 0},
        });
        let values = [json!(null), full, bare];
        for (entity, kind) in KNOWN_ENTITIES
            .iter()
            .chain(&["newer"])
            .flat_map(|entity| EventKind::ALL.iter().map(move |kind| (*entity, kind)))
        {
            for (before, after) in
                values.iter().flat_map(|before| values.iter().map(move |after| (before, after)))
            {
                let told = tell(entity, "SD-1", *kind, before.clone(), after.clone());
                let says_nothing = told.split(',').any(|part| {
                    part.ends_with(" 0") || part.ends_with(" none") || part.contains("is off")
                });
                assert!(!told.contains(['[', ']', '{', '}']) && !says_nothing, "{entity}: {told}");
            }
        }
    }
}
