//! The phases of a new item: names, numbers and dependencies.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::dependency_order::{Cycle, sort_by_dependencies};
use super::{Phase, PhaseName};
use crate::model::ItemKey;

/// A phase to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPhase {
    /// Its number within the item, from 1.
    pub number: u32,
    /// The kind of work.
    pub name: PhaseName,
    /// The numbers of the phases it depends on.
    pub depends_on: Vec<u32>,
}

/// The phases to add to an item that has none yet, and what they have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPhases {
    /// The item, which must exist.
    pub item: ItemKey,
    /// The phases in an order that [`plan_phases`] made, each after its dependencies.
    pub phases: Vec<NewPhase>,
    /// The priority; a lower number goes first.
    pub priority: i64,
    /// The issue that they work on.
    pub issue_number: Option<i64>,
    /// The parent of that issue.
    pub feature_id: Option<i64>,
    /// The workflow that works on them.
    pub adw_id: Option<String>,
    /// Data that scripts keep with them.
    pub data: Option<Map<String, Json>>,
}

/// Why phases cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhasePlanError {
    /// A text that does not describe dependencies.
    #[error("{0:?} is not NUMBER=NUMBER,…, such as 4=1,3")]
    Syntax(String),
    /// Two lists of dependencies for one phase.
    #[error("the dependencies of phase {0} are given twice")]
    DuplicateNumber(u32),
    /// A number that no phase has, and how many phases there are.
    #[error("phase {0} does not exist; the phases are 1 to {1}")]
    UnknownNumber(u32, usize),
    /// Phases that depend on each other in a cycle.
    #[error("circular dependency of phases: {0}")]
    Cycle(Cycle<u32>),
}

/// Numbers phases from 1 and gives each its dependencies: those in a text such as `4=1,3;5=4`, else
/// the phase before it. `4=` gives phase 4 none. The answer lists each phase after its
/// dependencies.
///
/// # Errors
///
/// When the dependencies are malformed, name an unknown phase or form a cycle.
pub fn plan_phases(
    names: &[PhaseName],
    depends: &[String],
) -> Result<Vec<NewPhase>, PhasePlanError> {
    let mut given = BTreeMap::new();
    let parts = depends.iter().flat_map(|text| text.split(';'));
    for part in parts.filter(|part| !part.trim().is_empty()) {
        let (number, on) = parse_dependency(part)?;
        if given.insert(number, on).is_some() {
            return Err(PhasePlanError::DuplicateNumber(number));
        }
    }
    let numbered = (1..).zip(names);
    let usual = |number: u32| (number > 1).then(|| number - 1).into_iter().collect();
    let graph: BTreeMap<u32, Vec<u32>> = numbered
        .clone()
        .map(|(number, _)| (number, given.remove(&number).unwrap_or_else(|| usual(number))))
        .collect();
    let mentioned = given.keys().chain(graph.values().flatten());
    if let Some(missing) = mentioned.copied().find(|number| !graph.contains_key(number)) {
        return Err(PhasePlanError::UnknownNumber(missing, names.len()));
    }
    let names: BTreeMap<u32, &PhaseName> = numbered.collect();
    let order = sort_by_dependencies(&graph).map_err(PhasePlanError::Cycle)?;
    let phase = |number: u32| {
        Some(NewPhase {
            number,
            name: (*names.get(&number)?).clone(),
            depends_on: graph.get(&number)?.clone(),
        })
    };
    Ok(order.into_iter().filter_map(phase).collect())
}

fn parse_dependency(text: &str) -> Result<(u32, Vec<u32>), PhasePlanError> {
    let wrong = || PhasePlanError::Syntax(text.trim().to_owned());
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
    let (phase, on) = text.split_once('=').ok_or_else(wrong)?;
    let on = on.split(',').filter(|_| !on.trim().is_empty());
    let on: BTreeSet<u32> = on.map(number).collect::<Result<_, _>>()?;
    Ok((number(phase)?, on.into_iter().collect()))
}

/// Returns the dependencies of phases by number.
pub(super) fn build_dependency_graph(rows: &[Phase]) -> BTreeMap<u32, Vec<u32>> {
    rows.iter().map(|row| (row.number, row.depends_on.clone())).collect()
}
