//! The commands that the answer to a claim suggests.

use crate::model::{ClaimForecast, InterruptedWork, ItemKey};
use crate::text::{CommandLine, quote_for_shell};

/// Returns the command that takes an item once a forecast says that it can be taken.
pub fn claim_command(forecast: ClaimForecast, item: &ItemKey) -> CommandLine {
    let claim = CommandLine::new("trueup claim").with_word(item.as_str());
    if forecast.by_force { claim.with_words("--force") } else { claim }
}

/// Returns the command that takes over the phase and task of interrupted work, or `None` where
/// neither was recorded.
pub fn restore_command(work: &InterruptedWork) -> Option<String> {
    let option = |name: &str, value: &Option<String>| {
        value.as_deref().map(|value| {
            // clap takes a value that begins with a dash only behind `=`.
            let between = if value.starts_with('-') { '=' } else { ' ' };
            format!(" --{name}{between}{}", quote_for_shell(value))
        })
    };
    let phase = option("phase", &work.phase);
    let task = option("task", &work.task);
    if phase.is_none() && task.is_none() {
        return None;
    }
    Some(format!("trueup set{}{}", phase.unwrap_or_default(), task.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn the_command_restores_every_text_as_it_was_and_runs_none_of_it() {
        let restored = |phase: Option<&str>, task: Option<&str>| {
            restore_command(&InterruptedWork {
                session: "old".parse().unwrap(),
                phase: phase.map(str::to_owned),
                task: task.map(str::to_owned),
                lost_at: Timestamp::from_millis(0),
            })
        };
        for (phase, task, expected) in [
            (None, None, None),
            (Some("EXEC"), None, Some("trueup set --phase EXEC")),
            (
                Some("EXEC"),
                Some("write the test"),
                Some("trueup set --phase EXEC --task 'write the test'"),
            ),
            (None, Some("$(rm x)`y`"), Some("trueup set --task '$(rm x)`y`'")),
            (None, Some("it's"), Some(r"trueup set --task 'it'\''s'")),
            (None, Some("-x y"), Some("trueup set --task='-x y'")),
        ] {
            assert_eq!(restored(phase, task).as_deref(), expected);
        }
    }
}
