//! The budget file: upper bounds for instructions and binary sizes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::BenchError;
use crate::binaries::workspace_root;
use crate::report::group_thousands;

const FILE_HEADER: &str = "\
# What the hooks may cost. `trueup-bench check` fails when one is passed; the bounds are a tenth
# above what was measured when `trueup-bench check --update` wrote them. A higher bound is a
# decision: say in the commit what it buys.

";

/// Instructions outside the kernel of each case with 1,000 items, and binary sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// For each case.
    pub(crate) instructions: BTreeMap<String, u64>,
    /// For each binary.
    pub(crate) bytes: BTreeMap<String, u64>,
}

impl Budget {
    /// Returns the path of the budget in the repository.
    pub(crate) fn default_path() -> Result<PathBuf, BenchError> {
        Ok(workspace_root()?.join("bench").join("budget.toml"))
    }

    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self, BenchError> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// Writes it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), BenchError> {
        fs::write(path, format!("{FILE_HEADER}{}", toml::to_string(self)?))?;
        Ok(())
    }

    /// Returns a budget a tenth above these figures.
    pub(crate) fn with_headroom(figures: &Self) -> Self {
        let raise = |map: &BTreeMap<String, u64>| {
            map.iter().map(|(name, value)| (name.clone(), value + value / 10)).collect()
        };
        Self { instructions: raise(&figures.instructions), bytes: raise(&figures.bytes) }
    }

    /// Returns a line for each figure that exceeds its bound or has none.
    pub(crate) fn find_exceeded(&self, figures: &Self) -> Vec<String> {
        let mut lines = list_exceeded("instructions", &self.instructions, &figures.instructions);
        lines.extend(list_exceeded("bytes", &self.bytes, &figures.bytes));
        lines
    }
}

fn list_exceeded(
    unit: &str,
    bounds: &BTreeMap<String, u64>,
    figures: &BTreeMap<String, u64>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, figure) in figures {
        let measured = group_thousands(*figure);
        match bounds.get(name) {
            None => lines.push(format!("{name}: {measured} {unit}, and no bound in the budget")),
            Some(bound) if figure > bound => {
                let more = group_thousands(figure - bound);
                let bound_text = group_thousands(*bound);
                lines.push(format!(
                    "{name}: {measured} {unit}, {more} over its bound of {bound_text}"
                ));
            }
            Some(_) => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(instructions: u64) -> Budget {
        Budget {
            instructions: BTreeMap::from([("push".to_owned(), instructions)]),
            bytes: BTreeMap::from([("hook".to_owned(), 2_000)]),
        }
    }

    #[test]
    fn a_tenth_more_is_within_and_the_next_instruction_is_named() {
        let budget = Budget::with_headroom(&figures(1_000));
        assert!(budget.find_exceeded(&figures(1_100)).is_empty());
        assert_eq!(
            budget.find_exceeded(&figures(1_101)),
            ["push: 1,101 instructions, 1 over its bound of 1,100"]
        );
    }

    #[test]
    fn what_has_no_bound_is_named() {
        let lines = Budget::default().find_exceeded(&figures(5));
        assert_eq!(lines.len(), 2, "{lines:?}");
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("budget.toml");
        figures(7).write(&path).unwrap();
        assert_eq!(Budget::read(&path).unwrap(), figures(7));
    }
}
