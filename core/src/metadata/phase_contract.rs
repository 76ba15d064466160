//! What a phase requires of a metadata file before it starts.

use std::fmt;

use super::AdwState;
use crate::model::phase::PhaseName;

/// Minimum size of a plan, in bytes.
pub const MIN_PLAN_BYTES: u64 = 100;

/// A requirement of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Requirement {
    /// `worktree_path` names a directory.
    Worktree,
    /// `plan_file` names a file of at least [`MIN_PLAN_BYTES`].
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

/// The requirements of each phase. A phase that is not listed requires nothing, such as `plan`,
/// which produces all of this.
const CONTRACTS: [(PhaseName, &[Requirement]); 8] = [
    (PhaseName::Validate, &[Requirement::Worktree, Requirement::Plan]),
    (PhaseName::Build, &[Requirement::Worktree, Requirement::Plan, Requirement::Branch]),
    (PhaseName::Lint, &[Requirement::Worktree]),
    (PhaseName::Test, &[Requirement::Worktree]),
    (PhaseName::Review, &[Requirement::Worktree, Requirement::Plan, Requirement::Ports]),
    (PhaseName::Document, &[Requirement::Worktree, Requirement::Plan]),
    (
        PhaseName::Ship,
        &[
            Requirement::Id,
            Requirement::Worktree,
            Requirement::Branch,
            Requirement::Plan,
            Requirement::Class,
            Requirement::Ports,
        ],
    ),
    (PhaseName::Verify, &[Requirement::Ports]),
];

/// What exists on disk of the paths that a metadata file names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathsOnDisk {
    /// Whether the worktree is a directory.
    pub has_worktree: bool,
    /// The size of the plan in bytes, if it is a file.
    pub plan_bytes: Option<u64>,
}

/// A requirement that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRequirement {
    /// The name of the field.
    pub field: &'static str,
    /// What is wrong with the field, for a person.
    pub problem: String,
}

impl fmt::Display for MissingRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.problem)
    }
}

/// Returns every requirement of a phase that is not met; the phase may start if there is none.
pub fn list_missing_requirements(
    phase: &PhaseName,
    state: &AdwState,
    paths: PathsOnDisk,
) -> Vec<MissingRequirement> {
    let contract = CONTRACTS.iter().find(|(name, _)| name == phase);
    let requirements = contract.map_or(&[][..], |(_, requirements)| requirements);
    requirements.iter().flat_map(|requirement| requirement.check(state, paths)).collect()
}

/// Returns a text unless it is missing or blank.
fn non_blank(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|t| !t.trim().is_empty())
}

impl Requirement {
    fn check(self, state: &AdwState, paths: PathsOnDisk) -> Vec<MissingRequirement> {
        let unset = |field, is_there: bool| {
            (!is_there).then(|| MissingRequirement { field, problem: "is not set".to_owned() })
        };
        let unusable = |field, problem| Some(MissingRequirement { field, problem });
        let missing = match self {
            Self::Id => [unset("adw_id", state.adw_id.is_some()), None],
            Self::Branch => {
                let is_there = non_blank(state.branch_name.as_ref()).is_some();
                [unset("branch_name", is_there), None]
            }
            Self::Class => [unset("issue_class", state.issue_class.is_some()), None],
            Self::Ports => [
                unset("backend_port", state.backend_port.is_some()),
                unset("frontend_port", state.frontend_port.is_some()),
            ],
            Self::Worktree => [
                match non_blank(state.worktree_path.as_ref()) {
                    None => unset("worktree_path", false),
                    Some(_) if paths.has_worktree => None,
                    Some(path) => unusable("worktree_path", format!("{path} is not a directory")),
                },
                None,
            ],
            Self::Plan => [
                match (non_blank(state.plan_file.as_ref()), paths.plan_bytes) {
                    (None, _) => unset("plan_file", false),
                    (Some(path), None) => unusable("plan_file", format!("{path} is not a file")),
                    (Some(path), Some(bytes)) if bytes < MIN_PLAN_BYTES => unusable(
                        "plan_file",
                        format!("{path} has {bytes} bytes; a plan needs at least {MIN_PLAN_BYTES}"),
                    ),
                    _ => None,
                },
                None,
            ],
        };
        missing.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{IssueClass, JsonDocument};

    fn missing_fields(
        phase: &PhaseName,
        state: &AdwState,
        paths: PathsOnDisk,
    ) -> Vec<&'static str> {
        let missing = list_missing_requirements(phase, state, paths);
        missing.iter().map(|piece| piece.field).collect()
    }

    const ALL_PRESENT: PathsOnDisk =
        PathsOnDisk { has_worktree: true, plan_bytes: Some(MIN_PLAN_BYTES) };

    #[test]
    fn every_missing_piece_is_named_at_once() {
        let nothing = AdwState::default();
        for (phase, expected) in [
            (PhaseName::Plan, &[][..]),
            (PhaseName::Cleanup, &[]),
            (PhaseName::Validate, &["worktree_path", "plan_file"]),
            (PhaseName::Build, &["worktree_path", "plan_file", "branch_name"]),
            (PhaseName::Lint, &["worktree_path"]),
            (PhaseName::Test, &["worktree_path"]),
            (PhaseName::Review, &["worktree_path", "plan_file", "backend_port", "frontend_port"]),
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
                missing_fields(&phase, &nothing, PathsOnDisk::default()),
                expected,
                "{phase:?}"
            );
        }
    }

    fn complete_state() -> AdwState {
        AdwState {
            adw_id: Some("77c90e61".parse().unwrap()),
            worktree_path: Some("trees/77c90e61".to_owned()),
            branch_name: Some("feature/x".to_owned()),
            plan_file: Some("specs/plan.md".to_owned()),
            issue_class: Some(IssueClass::Feature),
            backend_port: Some(9107),
            frontend_port: Some(9207),
            ..AdwState::default()
        }
    }

    #[test]
    fn a_whole_state_lets_every_phase_start() {
        for (phase, _) in CONTRACTS {
            assert_eq!(
                list_missing_requirements(&phase, &complete_state(), ALL_PRESENT),
                [],
                "{phase:?}"
            );
        }
    }

    #[test]
    fn what_the_file_names_must_be_there_and_a_plan_must_say_something() {
        let found = PathsOnDisk { has_worktree: false, plan_bytes: Some(MIN_PLAN_BYTES - 1) };
        let lines: Vec<String> =
            list_missing_requirements(&PhaseName::Build, &complete_state(), found)
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
        let no_plan = PathsOnDisk { plan_bytes: None, ..ALL_PRESENT };
        let gone = list_missing_requirements(&PhaseName::Validate, &complete_state(), no_plan);
        assert_eq!(gone[0].to_string(), "plan_file specs/plan.md is not a file");
    }

    #[test]
    fn a_blank_or_a_value_of_a_foreign_type_is_not_set() {
        let text =
            br#"{"branch_name": " ", "worktree_path": 7, "plan_file": "", "issue_class": "/x"}"#;
        let state = AdwState::from_document(&JsonDocument::parse(text).unwrap());
        assert_eq!(
            missing_fields(&PhaseName::Build, &state, ALL_PRESENT),
            ["worktree_path", "plan_file", "branch_name"]
        );
    }
}
