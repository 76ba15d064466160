//! Which file belongs to which session. Of two live sessions in one worktree the first keeps
//! the shared name and the second has a file of its own.

use std::path::{Path, PathBuf};

use crate::model::SessionId;

/// Returns the shared cache of a project.
pub fn shared_cache_path(project: &Path) -> PathBuf {
    project.join(".claude").join("auto-proceed-state.json")
}

/// Returns the file of one session.
pub fn session_cache_path(project: &Path, session: &SessionId) -> PathBuf {
    project
        .join(".claude")
        .join(format!("auto-proceed-state.{session}.json"))
}

/// What is known when a place is chosen.
#[derive(Debug, Clone, Copy)]
pub struct CachePathChoice<'a> {
    /// Who asks.
    pub session: &'a SessionId,
    /// Whether it has a file of its own already.
    pub has_own: bool,
    /// Whom the shared file names.
    pub shared_owner: Option<&'a SessionId>,
    /// Whether that one is alive.
    pub owner_is_live: bool,
}

/// Chooses between the shared file and one of its own: `true` is its own.
pub fn needs_own_file(choice: CachePathChoice<'_>) -> bool {
    choice.has_own
        || choice
            .shared_owner
            .is_some_and(|owner| owner != choice.session && choice.owner_is_live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_live_session_uses_its_own() {
        let (me, other) = ("me".parse().unwrap(), "other".parse().unwrap());
        for (has_own, shared_owner, owner_is_live, own) in [
            (false, None, false, false),
            (false, Some(&me), true, false),
            (false, Some(&other), false, false),
            (false, Some(&other), true, true),
            // Once it has its own it stays there, so the two never swap.
            (true, Some(&other), false, true),
            (true, None, false, true),
        ] {
            let candidate = CachePathChoice {
                session: &me,
                has_own,
                shared_owner,
                owner_is_live,
            };
            assert_eq!(needs_own_file(candidate), own, "{candidate:?}");
        }
    }
}
