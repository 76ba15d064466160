//! Rules for single rows, checked for every writer.
//!
//! The schema refuses most violations. This finds what it cannot refuse, or did not refuse yet when
//! a row was written, such as a malformed time or a cycle of dependencies.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::model::phase::PhaseName;
use crate::model::{ItemKey, ItemStatus, SessionId, SessionStatus, Timestamp, visit_cycles};
use crate::text;

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The table.
    pub table: String,
    /// The key of the row.
    pub row: String,
    /// The column.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Violation {
    /// Rows that refer to each other in a circle, by their keys.
    pub(crate) fn of_cycle(table: &str, field: &str, cycle: &[String]) -> Self {
        let first = cycle.first().cloned().unwrap_or_default();
        Self {
            table: table.to_owned(),
            field: field.to_owned(),
            problem: format!("circular: {} -> {first}", cycle.join(" -> ")),
            row: first,
        }
    }
}

/// What a column must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnRule {
    /// Any text that is not blank.
    Present,
    /// A session id.
    Session,
    /// The key of an item.
    Item,
    /// A status of sessions.
    SessionStatus,
    /// A status of items and phases.
    WorkStatus,
    /// The name of a phase.
    Phase,
    /// A time.
    Time,
    /// A time, once the row is finished.
    TimeWhenFinished,
    /// A time, while the row is in progress.
    TimeWhenRunning,
    /// A whole number of at least 0.
    Count,
    /// A JSON object.
    Object,
    /// A JSON array.
    List,
}

/// A table with rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableRules {
    /// The name of the table.
    pub table: &'static str,
    /// The column with the key of a row.
    pub key_column: &'static str,
    /// The rules by column. `status` comes before the rules that depend on it.
    pub rules: &'static [(&'static str, ColumnRule)],
}

/// The rules for every table.
pub(crate) const TABLE_RULES: [TableRules; 3] = [
    TableRules {
        table: "claude_sessions",
        key_column: "session_id",
        rules: &[
            ("status", ColumnRule::SessionStatus),
            ("session_id", ColumnRule::Session),
            ("metadata", ColumnRule::Object),
            ("registered_at", ColumnRule::Time),
            ("heartbeat_at", ColumnRule::Time),
            ("lease_expires_at", ColumnRule::Time),
            ("revision", ColumnRule::Count),
        ],
    },
    TableRules {
        table: "work_items",
        key_column: "key",
        rules: &[
            ("status", ColumnRule::WorkStatus),
            ("key", ColumnRule::Item),
            ("kind", ColumnRule::Present),
            ("claim_epoch", ColumnRule::Count),
            ("created_at", ColumnRule::Time),
            ("updated_at", ColumnRule::Time),
            ("completed_at", ColumnRule::TimeWhenFinished),
            ("revision", ColumnRule::Count),
        ],
    },
    TableRules {
        table: "phase_queue",
        key_column: "queue_id",
        rules: &[
            ("status", ColumnRule::WorkStatus),
            ("queue_id", ColumnRule::Present),
            ("item", ColumnRule::Item),
            ("phase_number", ColumnRule::Count),
            ("current_phase", ColumnRule::Phase),
            ("depends_on_phases", ColumnRule::List),
            ("created_at", ColumnRule::Time),
            ("updated_at", ColumnRule::Time),
            ("started_timestamp", ColumnRule::TimeWhenRunning),
            ("completed_at", ColumnRule::TimeWhenFinished),
            ("revision", ColumnRule::Count),
        ],
    },
];

impl TableRules {
    /// Finds the violations of a row, whose values are in the order of the rules.
    pub(crate) fn find_violations(&self, row: &str, values: &[Option<String>]) -> Vec<Violation> {
        let status = self
            .rules
            .iter()
            .position(|(field, _)| *field == "status")
            .and_then(|at| values.get(at)?.as_deref()?.parse().ok());
        let pairs = self.rules.iter().zip(values);
        pairs
            .filter_map(|((field, rule), value)| {
                let problem = rule.find_problem(value.as_deref(), status)?;
                Some(Violation {
                    table: self.table.to_owned(),
                    row: row.to_owned(),
                    field: (*field).to_owned(),
                    problem,
                })
            })
            .collect()
    }
}

fn parse_problem<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Option<String> {
    text.parse::<T>().err().map(|error| error.to_string())
}

fn json_problem(
    value: &str,
    is_right: fn(&serde_json::Value) -> bool,
    what: &str,
) -> Option<String> {
    let value = text::lenient_json::from_str(value).ok();
    let right = value.as_ref().is_some_and(is_right);
    (!right).then(|| format!("is not a JSON {what}"))
}

impl ColumnRule {
    /// Describes what is wrong with a value.
    fn find_problem(self, value: Option<&str>, status: Option<ItemStatus>) -> Option<String> {
        let due = match self {
            Self::TimeWhenFinished => status.is_some_and(ItemStatus::is_finished),
            Self::TimeWhenRunning => status == Some(ItemStatus::Running),
            _ => true,
        };
        let Some(text) = value.filter(|text| !text.trim().is_empty()) else {
            return due.then(|| "is missing".to_owned());
        };
        match self {
            Self::Present => None,
            Self::Session => parse_problem::<SessionId>(text),
            Self::Item => parse_problem::<ItemKey>(text),
            Self::SessionStatus => parse_problem::<SessionStatus>(text),
            // Other spellings of a status can be parsed but must not be stored.
            Self::WorkStatus => ItemStatus::ALL
                .iter()
                .all(|known| known.as_str() != text)
                .then(|| format!("{text:?} is not a status")),
            Self::Phase => parse_problem::<PhaseName>(text),
            Self::Time | Self::TimeWhenFinished | Self::TimeWhenRunning => {
                parse_problem::<Timestamp>(text)
            }
            Self::Count => {
                parse_problem::<u64>(text).map(|_| format!("{text:?} is not a whole number"))
            }
            Self::Object => json_problem(text, serde_json::Value::is_object, "object"),
            Self::List => json_problem(text, serde_json::Value::is_array, "array"),
        }
    }
}

/// Finds cycles among rows that wait for or belong to others: `A -> B -> A`, each beginning with
/// its first key in alphabetical order. Of cycles that share rows at least one is found.
pub(crate) fn find_cycles(edges: &[(String, String)]) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let targets = |key| next.get(key).into_iter().flatten().copied();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    visit_cycles(next.keys().copied(), targets, |cycle| {
        if cycle.iter().any(|key| seen.contains(key)) {
            return;
        }
        seen.extend(cycle.iter().copied());
        let mut cycle: Vec<String> = cycle.iter().map(ToString::to_string).collect();
        let least = cycle.iter().enumerate().min_by_key(|(_, key)| *key);
        let least = least.map_or(0, |(at, _)| at);
        cycle.rotate_left(least);
        found.push(cycle);
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find_table(name: &str) -> TableRules {
        TABLE_RULES.into_iter().find(|c| c.table == name).unwrap()
    }

    /// A row without a flaw.
    fn valid_row(checked: TableRules) -> Vec<Option<String>> {
        let value = |demand: &ColumnRule| match demand {
            ColumnRule::Present | ColumnRule::Session | ColumnRule::Item => "SD-1",
            ColumnRule::SessionStatus => "active",
            ColumnRule::WorkStatus => "running",
            ColumnRule::Phase => "build",
            ColumnRule::Time | ColumnRule::TimeWhenFinished | ColumnRule::TimeWhenRunning => {
                "2026-02-02T03:00:00.000Z"
            }
            ColumnRule::Count => "1",
            ColumnRule::Object => "{}",
            ColumnRule::List => "[]",
        };
        let rules = checked.rules.iter();
        rules.map(|(_, demand)| Some(value(demand).to_owned())).collect()
    }

    #[test]
    fn every_required_field_is_missed_by_name() {
        for checked in TABLE_RULES {
            assert_eq!(checked.find_violations("r", &valid_row(checked)), []);
            for (at, (field, demand)) in checked.rules.iter().enumerate() {
                let mut row = valid_row(checked);
                row[at] = None;
                let flaws = checked.find_violations("r", &row);
                if *demand == ColumnRule::TimeWhenFinished {
                    assert_eq!(flaws, [], "a running row is not finished");
                    continue;
                }
                let fields: Vec<&str> = flaws.iter().map(|f| f.field.as_str()).collect();
                assert_eq!(fields, [*field], "{}", checked.table);
                assert_eq!(flaws[0].problem, "is missing");
            }
        }
    }

    #[test]
    fn values_that_nobody_can_read_are_named() {
        for (name, field, value, problem) in [
            ("claude_sessions", "heartbeat_at", "yesterday", "\"yesterday\" is not a time"),
            ("claude_sessions", "metadata", "[1]", "is not a JSON object"),
            ("claude_sessions", "status", "dead", "unknown status \"dead\""),
            ("claude_sessions", "session_id", "../x", "session id"),
            ("work_items", "status", "done", "\"done\" is not a status"),
            ("work_items", "revision", "-1", "\"-1\" is not a whole number"),
            ("work_items", "key", "a b", "item key"),
            ("phase_queue", "current_phase", "no sense", "phase name \"no sense\""),
            ("phase_queue", "depends_on_phases", "1,2", "is not a JSON array"),
            ("phase_queue", "started_timestamp", " ", "is missing"),
        ] {
            let checked = find_table(name);
            let mut row = valid_row(checked);
            let at = checked.rules.iter().position(|(f, _)| *f == field).unwrap();
            row[at] = Some(value.to_owned());
            let flaws = checked.find_violations("r", &row);
            assert_eq!(flaws.len(), 1, "{field}: {flaws:?}");
            assert!(flaws[0].problem.contains(problem), "{flaws:?}");
        }
    }

    #[test]
    fn what_is_finished_says_when() {
        let checked = find_table("work_items");
        let mut row = valid_row(checked);
        row[0] = Some("completed".to_owned());
        let at = checked.rules.iter().position(|(f, _)| *f == "completed_at").unwrap();
        row[at] = None;
        assert_eq!(checked.find_violations("r", &row)[0].field, "completed_at");
    }

    fn render_cycles(edges: &[(&str, &str)]) -> Vec<String> {
        let edges: Vec<(String, String)> =
            edges.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        find_cycles(&edges).iter().map(|circle| circle.join(" ")).collect()
    }

    #[test]
    fn circles_are_rendered_from_their_first_key() {
        for (edges, expected) in [
            (&[][..], &[][..]),
            (&[("a", "b"), ("b", "c"), ("a", "c")], &[]),
            (&[("c", "a"), ("a", "b"), ("b", "c"), ("x", "a"), ("c", "y")], &["a b c"]),
            (&[("a", "a")], &["a"]),
            (&[("d", "c"), ("c", "d"), ("b", "a"), ("a", "b")], &["a b", "c d"]),
        ] {
            assert_eq!(render_cycles(edges), expected, "{edges:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_reported_is_a_circle_and_there_is_none_when_nothing_is(
            edges in prop::collection::vec((0..8_u8, 0..8_u8), 0..24),
        ) {
            let edges: Vec<(String, String)> = edges
                .into_iter()
                .map(|(from, to)| (from.to_string(), to.to_string()))
                .collect();
            let found = find_cycles(&edges);
            for circle in &found {
                let mut round = circle.clone();
                round.push(circle[0].clone());
                for step in round.windows(2) {
                    prop_assert!(edges.contains(&(step[0].clone(), step[1].clone())));
                }
            }
            // Without a circle, taking away what leads nowhere takes everything.
            let mut left = edges.clone();
            loop {
                let open: BTreeSet<String> = left.iter().map(|(from, _)| from.clone()).collect();
                let before = left.len();
                left.retain(|(_, to)| open.contains(to));
                if left.len() == before {
                    break;
                }
            }
            prop_assert_eq!(found.is_empty(), left.is_empty());
        }
    }
}
