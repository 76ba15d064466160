//! What a session that lost an item was doing, and how its work is taken up again.

use super::{Item, Session, SessionId, Timestamp};
use crate::text::quote_for_shell;

/// Work on an item that its last holder did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterruptedWork {
    /// Who did it.
    pub session: SessionId,
    /// In which phase.
    pub phase: Option<String>,
    /// At which task.
    pub task: Option<String>,
    /// When the item was taken from it.
    pub lost_at: Timestamp,
}

impl InterruptedWork {
    /// Looks for such work: who gives an item up leaves nothing of it in the session's state,
    /// so a last holder that still has it there lost it without a word.
    pub fn find(item: &Item, last_holder: &Session, lost_at: Timestamp) -> Option<Self> {
        let work = last_holder.execution_state().work;
        let same = item.holder.as_ref() == Some(&last_holder.id);
        if same || work.item.as_deref() != Some(item.key.as_str()) {
            return None;
        }
        Some(Self {
            session: last_holder.id.clone(),
            phase: work.phase,
            task: work.task,
            lost_at,
        })
    }

    /// Returns the command that takes phase and task over; there is none where neither was
    /// recorded.
    pub fn restore_command(&self) -> Option<String> {
        let option = |name: &str, value: &Option<String>| {
            value.as_deref().map(|value| {
                // Behind a space it would be read as a flag.
                let between = if value.starts_with('-') { '=' } else { ' ' };
                format!(" --{name}{between}{}", quote_for_shell(value))
            })
        };
        let phase = option("phase", &self.phase);
        let task = option("task", &self.task);
        if phase.is_none() && task.is_none() {
            return None;
        }
        Some(format!(
            "trueup set{}{}",
            phase.unwrap_or_default(),
            task.unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::fixture::{sample_item, sample_session, seconds_from_now};
    use crate::model::{ItemStatus, SessionStatus};

    fn find_work(state: serde_json::Value) -> Option<InterruptedWork> {
        let mut last = sample_session("old", SessionStatus::Lost, 2_000);
        last.metadata.insert("execution_state".to_owned(), state);
        InterruptedWork::find(
            &sample_item(ItemStatus::Running, Some("new")),
            &last,
            seconds_from_now(-5),
        )
    }

    #[test]
    fn work_is_parked_where_the_state_still_names_the_item() {
        let found = find_work(json!({"currentSd": "SD-002C", "currentPhase": "EXEC"})).unwrap();
        assert_eq!(
            (
                found.session.as_str(),
                found.phase.as_deref(),
                found.lost_at
            ),
            ("old", Some("EXEC"), seconds_from_now(-5))
        );
        assert_eq!(find_work(json!({"currentSd": "SD-002B"})), None);
        assert_eq!(find_work(json!({"currentSd": null})), None);
    }

    #[test]
    fn ones_own_work_goes_on_by_itself() {
        let mut me = sample_session("new", SessionStatus::Active, 0);
        let state = json!({"currentSd": "SD-002C", "currentTask": "x"});
        me.metadata.insert("execution_state".to_owned(), state);
        let mine = sample_item(ItemStatus::Running, Some("new"));
        assert_eq!(InterruptedWork::find(&mine, &me, seconds_from_now(0)), None);
    }

    #[test]
    fn the_command_restores_every_text_as_it_was_and_carries_nothing_out() {
        let found = |phase: Option<&str>, task: Option<&str>| {
            find_work(json!({"currentSd": "SD-002C", "currentPhase": phase, "currentTask": task}))
                .unwrap()
                .restore_command()
        };
        for (phase, task, expected) in [
            (None, None, None),
            (Some("EXEC"), None, Some("trueup set --phase EXEC")),
            (
                Some("EXEC"),
                Some("write the test"),
                Some("trueup set --phase EXEC --task 'write the test'"),
            ),
            (
                None,
                Some("$(rm x)`y`"),
                Some("trueup set --task '$(rm x)`y`'"),
            ),
            (None, Some("it's"), Some(r"trueup set --task 'it'\''s'")),
            (None, Some("-x y"), Some("trueup set --task='-x y'")),
        ] {
            assert_eq!(found(phase, task).as_deref(), expected);
        }
    }
}
