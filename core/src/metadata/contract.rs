//! What a phase needs before it starts (seed 1's phase contracts).

use std::fmt;

use super::State;
use crate::model::phase::PhaseName;

/// A plan of fewer bytes says nothing.
pub const LEAST_PLAN: u64 = 100;

/// A piece a phase needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// `worktree_path`, and the directory.
    Worktree,
    /// `plan_file`, and the file with something in it.
    Plan,
    /// `branch_name`.
    Branch,
    /// `backend_port` and `frontend_port`.
    Ports,
    /// `issue_class`.
    Class,
    /// `adw_id`.
    Id,
}

/// The contracts. A phase that is not here, such as `plan`, which makes all this, needs
/// nothing.
const CONTRACTS: [(PhaseName, &[Need]); 8] = [
    (PhaseName::Validate, &[Need::Worktree, Need::Plan]),
    (
        PhaseName::Build,
        &[Need::Worktree, Need::Plan, Need::Branch],
    ),
    (PhaseName::Lint, &[Need::Worktree]),
    (PhaseName::Test, &[Need::Worktree]),
    (
        PhaseName::Review,
        &[Need::Worktree, Need::Plan, Need::Ports],
    ),
    (PhaseName::Document, &[Need::Worktree, Need::Plan]),
    (
        PhaseName::Ship,
        &[
            Need::Id,
            Need::Worktree,
            Need::Branch,
            Need::Plan,
            Need::Class,
            Need::Ports,
        ],
    ),
    (PhaseName::Verify, &[Need::Ports]),
];

/// What was found where the file points to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Whether the worktree is a directory.
    pub worktree: bool,
    /// The size of the plan in bytes, if it is a file.
    pub plan_bytes: Option<u64>,
}

/// A piece that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.problem)
    }
}

/// Returns everything a phase needs and has not got, at once; empty when it may start.
pub fn missing(phase: PhaseName, state: &State, found: Found) -> Vec<Missing> {
    let contract = CONTRACTS.iter().find(|(name, _)| *name == phase);
    let needs = contract.map_or(&[][..], |(_, needs)| needs);
    needs
        .iter()
        .flat_map(|need| need.missing(state, found))
        .collect()
}

/// Returns a text that says something.
fn said(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|t| !t.trim().is_empty())
}

impl Need {
    fn missing(self, state: &State, found: Found) -> Vec<Missing> {
        let absent = |field, is_there: bool| {
            (!is_there).then(|| Missing {
                field,
                problem: "is not set".to_owned(),
            })
        };
        let wrong = |field, problem| Some(Missing { field, problem });
        let pieces = match self {
            Self::Id => [absent("adw_id", state.adw_id.is_some()), None],
            Self::Branch => {
                let is_there = said(state.branch_name.as_ref()).is_some();
                [absent("branch_name", is_there), None]
            }
            Self::Class => [absent("issue_class", state.issue_class.is_some()), None],
            Self::Ports => [
                absent("backend_port", state.backend_port.is_some()),
                absent("frontend_port", state.frontend_port.is_some()),
            ],
            Self::Worktree => [
                match said(state.worktree_path.as_ref()) {
                    None => absent("worktree_path", false),
                    Some(_) if found.worktree => None,
                    Some(path) => wrong("worktree_path", format!("{path} is not a directory")),
                },
                None,
            ],
            Self::Plan => [
                match (said(state.plan_file.as_ref()), found.plan_bytes) {
                    (None, _) => absent("plan_file", false),
                    (Some(path), None) => wrong("plan_file", format!("{path} is not a file")),
                    (Some(path), Some(bytes)) if bytes < LEAST_PLAN => wrong(
                        "plan_file",
                        format!("{path} has {bytes} bytes; a plan needs at least {LEAST_PLAN}"),
                    ),
                    _ => None,
                },
                None,
            ],
        };
        pieces.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Document, IssueClass};

    fn fields(phase: PhaseName, state: &State, found: Found) -> Vec<&'static str> {
        let missing = missing(phase, state, found);
        missing.iter().map(|piece| piece.field).collect()
    }

    const THERE: Found = Found {
        worktree: true,
        plan_bytes: Some(LEAST_PLAN),
    };

    #[test]
    fn every_missing_piece_is_named_at_once() {
        let nothing = State::default();
        for (phase, expected) in [
            (PhaseName::Plan, &[][..]),
            (PhaseName::Cleanup, &[]),
            (PhaseName::Validate, &["worktree_path", "plan_file"]),
            (
                PhaseName::Build,
                &["worktree_path", "plan_file", "branch_name"],
            ),
            (PhaseName::Lint, &["worktree_path"]),
            (PhaseName::Test, &["worktree_path"]),
            (
                PhaseName::Review,
                &[
                    "worktree_path",
                    "plan_file",
                    "backend_port",
                    "frontend_port",
                ],
            ),
            (PhaseName::Document, &["worktree_path", "plan_file"]),
            (
                PhaseName::Ship,
                &[
                    "adw_id",
                    "worktree_path",
                    "branch_name",
                    "plan_file",
                    "issue_class",
                    "backend_port",
                    "frontend_port",
                ],
            ),
            (PhaseName::Verify, &["backend_port", "frontend_port"]),
        ] {
            assert_eq!(
                fields(phase, &nothing, Found::default()),
                expected,
                "{phase:?}"
            );
        }
    }

    fn whole() -> State {
        State {
            adw_id: Some("77c90e61".parse().unwrap()),
            worktree_path: Some("trees/77c90e61".to_owned()),
            branch_name: Some("feature/x".to_owned()),
            plan_file: Some("specs/plan.md".to_owned()),
            issue_class: Some(IssueClass::Feature),
            backend_port: Some(9107),
            frontend_port: Some(9207),
            ..State::default()
        }
    }

    #[test]
    fn a_whole_state_lets_every_phase_start() {
        for (phase, _) in CONTRACTS {
            assert_eq!(missing(phase, &whole(), THERE), [], "{phase:?}");
        }
    }

    #[test]
    fn what_the_file_names_must_be_there_and_a_plan_must_say_something() {
        let found = Found {
            worktree: false,
            plan_bytes: Some(LEAST_PLAN - 1),
        };
        let lines: Vec<String> = missing(PhaseName::Build, &whole(), found)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "worktree_path trees/77c90e61 is not a directory",
                "plan_file specs/plan.md has 99 bytes; a plan needs at least 100",
            ]
        );
        let none = Found {
            plan_bytes: None,
            ..THERE
        };
        let gone = missing(PhaseName::Validate, &whole(), none);
        assert_eq!(gone[0].to_string(), "plan_file specs/plan.md is not a file");
    }

    #[test]
    fn a_blank_or_a_value_of_a_foreign_type_is_not_set() {
        let text =
            br#"{"branch_name": " ", "worktree_path": 7, "plan_file": "", "issue_class": "/x"}"#;
        let state = State::of(&Document::parse(text).unwrap());
        assert_eq!(
            fields(PhaseName::Build, &state, THERE),
            ["worktree_path", "plan_file", "branch_name"]
        );
    }
}
