//! Which repositories' items are meant.

/// The repositories whose items are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RepoScope {
    /// Those of every repository.
    #[default]
    All,
    /// Those of this repository, and those of none; without one, those of none.
    Here(Option<String>),
    /// Those of this repository alone.
    Only(String),
}

impl RepoScope {
    /// Tells whether an item of a repository, or of none, is meant.
    pub fn includes(&self, repo: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Here(here) => repo.is_none() || repo == here.as_deref(),
            Self::Only(one) => repo == Some(one),
        }
    }

    /// Returns the name of the repository that is meant, if one is.
    pub fn repo_name(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Here(here) => here.as_deref(),
            Self::Only(one) => Some(one),
        }
    }

    /// Lists what stands in the column `repo` of the items that are meant, so that an index finds
    /// each of them; `None` when all are meant.
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
