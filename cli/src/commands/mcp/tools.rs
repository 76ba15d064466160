//! The tools. A client gives all descriptions to its model with every request, so they are short,
//! and there are few.

#![expect(clippy::unnecessary_wraps, reason = "all tools build their commands by one type")]

use super::tool::ArgumentKind::{Count, Flag, OneOf, Text};
use super::tool::{Argument, CallArguments, CommandWords, Tool};

type CommandLine = Result<Vec<String>, String>;

const fn text(name: &'static str, about: &'static str) -> Argument {
    Argument::new(name, Text, about)
}

const fn flag(name: &'static str, about: &'static str) -> Argument {
    Argument::new(name, Flag, about)
}

/// Every tool.
pub(super) const TOOLS: [Tool; 8] = [
    Tool {
        name: "status",
        about: "Show what this session holds: item, phase, task. `of` lists the live sessions, or \
                the unfinished items of this repository; `item` shows one item and its last events.",
        is_reading: true,
        arguments: &[
            Argument::new("of", OneOf(&["session", "sessions", "items"]), ""),
            text("item", ""),
        ],
        build_command: build_status,
    },
    Tool {
        name: "next",
        about: "Show the next ready item, or claim it. A held item must be finished first, unless \
                give_up.",
        is_reading: false,
        arguments: &[flag("claim", ""), text("parent", "only its children"), flag("give_up", "")],
        build_command: build_next,
    },
    Tool {
        name: "claim",
        about: "Take an item before working on it. The one held before is released. A refusal says \
                who holds it.",
        is_reading: false,
        arguments: &[
            text("item", "").required(),
            flag("create", "add it if there is none"),
            flag("force", "take it from a holder silent for 60 s"),
        ],
        build_command: build_claim,
    },
    Tool {
        name: "checkpoint",
        about: "Record where the work stands. Call it whenever phase or task changes.",
        is_reading: false,
        arguments: &[text("phase", "such as LEAD, PLAN, EXEC"), text("task", "what is done now")],
        build_command: build_checkpoint,
    },
    Tool {
        name: "release",
        about: "Give the held item back. With `status`, set its status: a finished item is \
                released, a blocked one stays held.",
        is_reading: false,
        arguments: &[
            text("item", "default: the held one"),
            Argument::new("status", OneOf(&["completed", "failed", "blocked", "cancelled"]), ""),
            text("reason", ""),
            text("evidence", "pull request or test run that proves completion"),
        ],
        build_command: build_release,
    },
    Tool {
        name: "handoff",
        about: "Hand the held item to another session with notes, or answer an open hand-off. \
                create needs type, accept and show need id, reject needs id and reason.",
        is_reading: false,
        arguments: &[
            Argument::new("action", OneOf(&["create", "accept", "reject", "list", "show"]), "")
                .required(),
            text("id", ""),
            text("type", "such as PLAN-TO-EXEC"),
            text("to", "session; default any"),
            text("summary", ""),
            text("deliverables", ""),
            text("decisions", ""),
            text("known_issues", ""),
            text("resources", ""),
            text("actions", "what to do next"),
            text("reason", ""),
        ],
        build_command: build_handoff,
    },
    Tool {
        name: "plan",
        about: "Work through the tasks of imported plans. All but list, status and next need task; \
                fail and skip need reason.",
        is_reading: false,
        arguments: &[
            Argument::new(
                "action",
                OneOf(&["list", "status", "next", "start", "complete", "fail", "skip", "retry"]),
                "",
            )
            .required(),
            text("plan", "id; default the only plan"),
            text("task", "such as 1.2"),
            text("reason", ""),
        ],
        build_command: build_plan,
    },
    Tool {
        name: "log",
        about: "Show what changed in this repository, who changed it and why, oldest first.",
        is_reading: true,
        arguments: &[
            text("item", ""),
            flag("all_repos", ""),
            text("since", "such as 2h"),
            Argument::new("limit", Count, "default 50; 0 is all"),
        ],
        build_command: build_log,
    },
];

fn build_status(arguments: &CallArguments) -> CommandLine {
    let words = match (arguments.text("item"), arguments.text("of")) {
        (Some(item), _) => return Ok(CommandWords::new("item show").values(&[item])),
        (None, Some("sessions")) => "status --all",
        (None, Some("items")) => "item list --unfinished",
        (None, _) => "status",
    };
    Ok(CommandWords::new(words).values(&[]))
}

fn build_next(arguments: &CallArguments) -> CommandLine {
    let words = CommandWords::new("next").options(arguments, &["parent"]);
    Ok(words.flags(arguments, &["claim", "give_up"]).values(&[]))
}

fn build_claim(arguments: &CallArguments) -> CommandLine {
    let words = CommandWords::new("claim").flags(arguments, &["create", "force"]);
    Ok(words.values(&[arguments.need("item", "claim")?]))
}

fn build_checkpoint(arguments: &CallArguments) -> CommandLine {
    if arguments.text("phase").is_none() && arguments.text("task").is_none() {
        return Err("checkpoint needs phase or task".to_owned());
    }
    Ok(CommandWords::new("set").options(arguments, &["phase", "task"]).values(&[]))
}

fn build_release(arguments: &CallArguments) -> CommandLine {
    let item = arguments.text("item");
    let Some(status) = arguments.text("status") else {
        if arguments.text("evidence").is_some() {
            return Err("evidence needs status".to_owned());
        }
        let words = CommandWords::new("release").options(arguments, &["reason"]);
        return Ok(words.values(item.as_slice()));
    };
    let item = arguments.need("item", "status")?;
    let words = CommandWords::new("item transition").options(arguments, &["reason", "evidence"]);
    Ok(words.values(&[item, status]))
}

fn build_handoff(arguments: &CallArguments) -> CommandLine {
    const NOTES: [&str; 6] =
        ["summary", "deliverables", "decisions", "known_issues", "resources", "actions"];
    let action = arguments.need("action", "handoff")?;
    let words = CommandWords::new("handoff").word(action);
    match action {
        "create" => {
            let kind = arguments.need("type", action)?;
            Ok(words.options(arguments, &["to"]).options(arguments, &NOTES).values(&[kind]))
        }
        "list" => Ok(words.values(&[])),
        "reject" => {
            let id = arguments.need("id", action)?;
            Ok(words.option("reason", arguments.need("reason", action)?).values(&[id]))
        }
        _ => Ok(words.values(&[arguments.need("id", action)?])),
    }
}

fn build_plan(arguments: &CallArguments) -> CommandLine {
    let action = arguments.need("action", "plan")?;
    let words = CommandWords::new("plan").word(action);
    let words = match action {
        "list" => return Ok(words.values(&[])),
        "status" | "next" => return Ok(words.options(arguments, &["plan"]).values(&[])),
        "fail" => words.option("error", arguments.need("reason", action)?),
        "skip" => words.option("reason", arguments.need("reason", action)?),
        _ => words,
    };
    Ok(words.options(arguments, &["plan"]).values(&[arguments.need("task", action)?]))
}

fn build_log(arguments: &CallArguments) -> CommandLine {
    let words = CommandWords::new("log").flags(arguments, &["all_repos"]);
    Ok(words.options(arguments, &["item", "since", "limit"]).values(&[]))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::commands::TrueupArgs;

    fn build(name: &str, arguments: &Value) -> CommandLine {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        tool.build_command_line(arguments.as_object().unwrap())
    }

    #[test]
    fn calls_become_command_lines_that_the_program_understands() {
        for (tool, arguments, expected) in [
            ("status", json!({}), "status"),
            ("status", json!({"of": "session", "item": null}), "status"),
            ("status", json!({"of": "sessions"}), "status --all"),
            ("status", json!({"of": "items"}), "item list --unfinished"),
            ("status", json!({"item": "SD-1"}), "item show -- SD-1"),
            ("next", json!({}), "next"),
            (
                "next",
                json!({"claim": "true", "parent": "SD-1", "give_up": true}),
                "next --parent=SD-1 --claim --give-up",
            ),
            (
                "claim",
                json!({"item": "SD-1", "create": true, "force": false}),
                "claim --create -- SD-1",
            ),
            ("claim", json!({"item": 77}), "claim -- 77"),
            (
                "checkpoint",
                json!({"phase": "EXEC", "task": "--all"}),
                "set --phase=EXEC --task=--all",
            ),
            ("release", json!({}), "release"),
            ("release", json!({"item": "SD-1", "reason": "r"}), "release --reason=r -- SD-1"),
            (
                "release",
                json!({"item": "SD-1", "status": "completed", "evidence": "PR"}),
                "item transition --evidence=PR -- SD-1 completed",
            ),
            (
                "handoff",
                json!({"action": "create", "type": "PLAN-TO-EXEC", "known_issues": "k"}),
                "handoff create --known-issues=k -- PLAN-TO-EXEC",
            ),
            (
                "handoff",
                json!({"action": "accept", "id": "h-0a1b2c3d4e"}),
                "handoff accept -- h-0a1b2c3d4e",
            ),
            (
                "handoff",
                json!({"action": "reject", "id": "h-0a1b2c3d4e", "reason": "r"}),
                "handoff reject --reason=r -- h-0a1b2c3d4e",
            ),
            ("handoff", json!({"action": "list"}), "handoff list"),
            ("plan", json!({"action": "list", "plan": "p"}), "plan list"),
            ("plan", json!({"action": "next", "plan": "p"}), "plan next --plan=p"),
            ("plan", json!({"action": "start", "task": 1.2}), "plan start -- 1.2"),
            (
                "plan",
                json!({"action": "fail", "task": "1.2", "reason": "e"}),
                "plan fail --error=e -- 1.2",
            ),
            (
                "log",
                json!({"item": "SD-1", "limit": 5, "since": "2h"}),
                "log --item=SD-1 --since=2h --limit=5",
            ),
            ("log", json!({"all_repos": true, "limit": 5}), "log --all-repos --limit=5"),
        ] {
            let words = build(tool, &arguments).unwrap();
            assert_eq!(words.join(" "), expected, "{tool} {arguments}");
            let line = std::iter::once("trueup".to_owned()).chain(words);
            assert!(TrueupArgs::try_parse_from(line).is_ok(), "{expected}");
        }
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused_with_what_would() {
        for (tool, arguments, expected) in [
            ("status", json!({"of": "all"}), "of is one of session, sessions, items"),
            ("status", json!({"off": "x"}), "there is no argument \"off\"; there are of, item"),
            ("next", json!({"claim": "yes"}), "claim is true or false"),
            ("claim", json!({}), "item is missing"),
            ("claim", json!({"item": null}), "item is missing"),
            ("claim", json!({"item": ["a"]}), "item is neither text nor a number"),
            ("checkpoint", json!({}), "checkpoint needs phase or task"),
            ("release", json!({"status": "failed"}), "status needs item"),
            ("release", json!({"evidence": "x"}), "evidence needs status"),
            ("handoff", json!({"action": "create"}), "create needs type"),
            ("handoff", json!({"action": "reject", "id": "h"}), "reject needs reason"),
            ("plan", json!({"action": "start"}), "start needs task"),
            ("plan", json!({"action": "skip", "task": "1"}), "skip needs reason"),
            ("log", json!({"limit": -1}), "limit is a whole number from 0"),
        ] {
            assert_eq!(build(tool, &arguments).unwrap_err(), expected, "{tool} {arguments}");
        }
    }

    #[test]
    fn all_descriptions_together_cost_a_model_less_than_1500_tokens() {
        let descriptions: Vec<Value> = TOOLS.iter().map(Tool::to_description).collect();
        let bytes = json!({"tools": descriptions}).to_string().len();
        // A token of such JSON has about four bytes.
        assert!(bytes / 4 < 1_500, "{bytes} bytes");
        for tool in &TOOLS {
            assert!(tool.about.len() < 300, "{}", tool.name);
        }
    }
}
