//! The content of a metadata file as types. `schemas/adw_state.schema.json` is generated from them,
//! and a test fails when the two differ.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};

use super::JsonDocument;
use crate::model::AdwId;

/// The ports of a workflow's backend.
pub(super) const BACKEND_PORTS: RangeInclusive<u16> = 9100..=9114;

/// The ports of its frontend, 100 above.
pub(super) const FRONTEND_PORTS: RangeInclusive<u16> = 9200..=9214;

/// What kind of issue is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum IssueClass {
    /// A new feature.
    #[serde(rename = "/feature")]
    Feature,
    /// A bug.
    #[serde(rename = "/bug")]
    Bug,
    /// A chore.
    #[serde(rename = "/chore")]
    Chore,
    /// A patch.
    #[serde(rename = "/patch")]
    Patch,
}

/// Which models the workflow uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ModelSet {
    /// The usual ones.
    Base,
    /// The large ones.
    Heavy,
    /// The small ones.
    Lightweight,
}

/// The known fields of a metadata file. Other fields are allowed and kept in the file; a field of
/// the wrong type is `None` here.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(
    test,
    schemars(
        title = "agents/<id>/adw_state.json",
        description = "Notes that a workflow's scripts keep about their execution. Other fields \
                       are allowed; fields that are `false` here belong to the database."
    )
)]
pub struct AdwState {
    /// The workflow; also the name of the directory.
    #[cfg_attr(
        test,
        schemars(required, with = "String", regex(pattern = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"))
    )]
    pub adw_id: Option<AdwId>,
    /// The issue number, as text.
    pub issue_number: Option<String>,
    /// Where the isolated worktree is.
    pub worktree_path: Option<String>,
    /// The branch of the work.
    pub branch_name: Option<String>,
    /// Path of the plan, absolute or relative to the project.
    pub plan_file: Option<String>,
    /// What kind of issue it is.
    pub issue_class: Option<IssueClass>,
    /// The backend's port.
    #[cfg_attr(test, schemars(range(min = *BACKEND_PORTS.start(), max = *BACKEND_PORTS.end())))]
    pub backend_port: Option<u16>,
    /// The frontend's port, 100 above the backend's.
    #[cfg_attr(test, schemars(range(min = *FRONTEND_PORTS.start(), max = *FRONTEND_PORTS.end())))]
    pub frontend_port: Option<u16>,
    /// Which models the workflow uses.
    pub model_set: Option<ModelSet>,
    /// The scripts that ran, the latest last.
    pub all_adws: Option<Vec<String>>,
    /// Estimated cost in dollars.
    pub estimated_cost_total: Option<Number>,
    /// Estimated cost of each phase, in dollars.
    #[cfg_attr(test, schemars(with = "Option<std::collections::BTreeMap<String, Number>>"))]
    pub estimated_cost_breakdown: Option<Map<String, Json>>,
    /// Which workflow runs.
    pub workflow_template: Option<String>,
    /// The model.
    pub model_used: Option<String>,
    /// When the workflow started, by the script's clock.
    pub start_time: Option<String>,
    /// What was asked for, in words.
    pub nl_input: Option<String>,
    /// The issue's address.
    pub github_url: Option<String>,
    /// Errors before any change, from `validate`.
    pub baseline_errors: Option<Map<String, Json>>,
    /// Results of `build`.
    pub external_build_results: Option<Map<String, Json>>,
    /// Results of `lint`.
    pub external_lint_results: Option<Map<String, Json>>,
    /// Results of `test`.
    pub external_test_results: Option<Map<String, Json>>,
}

impl AdwState {
    /// Reads the fields that have the right type.
    pub fn from_document(document: &JsonDocument) -> Self {
        Self {
            adw_id: document.read_as("adw_id"),
            issue_number: document.read_as("issue_number"),
            worktree_path: document.read_as("worktree_path"),
            branch_name: document.read_as("branch_name"),
            plan_file: document.read_as("plan_file"),
            issue_class: document.read_as("issue_class"),
            backend_port: document.read_as("backend_port"),
            frontend_port: document.read_as("frontend_port"),
            model_set: document.read_as("model_set"),
            all_adws: document.read_as("all_adws"),
            estimated_cost_total: document.read_as("estimated_cost_total"),
            estimated_cost_breakdown: document.read_as("estimated_cost_breakdown"),
            workflow_template: document.read_as("workflow_template"),
            model_used: document.read_as("model_used"),
            start_time: document.read_as("start_time"),
            nl_input: document.read_as("nl_input"),
            github_url: document.read_as("github_url"),
            baseline_errors: document.read_as("baseline_errors"),
            external_build_results: document.read_as("external_build_results"),
            external_lint_results: document.read_as("external_lint_results"),
            external_test_results: document.read_as("external_test_results"),
        }
    }
}

#[cfg(test)]
mod tests;
