//! Which repositories' items are meant.

use serde::{Deserialize, Serialize};

/// A selection of items by repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepoScope {
    /// The items of every repository.
    #[default]
    All,
    /// The items of this repository and those of none; with `None`, only those of none.
    Here(Option<String>),
    /// Only the items of this repository.
    Only(String),
}

impl RepoScope {
    /// Returns whether an item of this repository, or of none, is selected.
    pub fn includes(&self, repo: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Here(here) => repo.is_none() || repo == here.as_deref(),
            Self::Only(one) => repo == Some(one),
        }
    }

    /// Returns the name of the selected repository, if there is one.
    pub fn repo_name(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Here(here) => here.as_deref(),
            Self::Only(one) => Some(one),
        }
    }

    /// Lists the values of the column `repo` that are selected, so that an index can be used.
    /// `None` selects everything.
    pub fn repo_column_values(&self) -> Option<Vec<Option<&str>>> {
        Some(match self {
            Self::All => return None,
            Self::Here(None) => vec![None],
            Self::Here(Some(here)) => vec![None, Some(here)],
            Self::Only(one) => vec![Some(one)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_includes_its_own() {
        let here = || RepoScope::Here(Some("a".to_owned()));
        for (scope, of_none, of_a, of_b) in [
            (RepoScope::All, true, true, true),
            (here(), true, true, false),
            (RepoScope::Here(None), true, false, false),
            (RepoScope::Only("a".to_owned()), false, true, false),
        ] {
            let found = [None, Some("a"), Some("b")].map(|repo| scope.includes(repo));
            assert_eq!(found, [of_none, of_a, of_b], "{scope:?}");
        }
    }
}
