//! Which cache file belongs to which session. Of two live sessions in one worktree the first uses
//! the shared file and the second has a file of its own.

use std::path::{Path, PathBuf};

use crate::model::SessionId;

/// Returns the path of a project's shared cache.
pub fn shared_cache_path(project: &Path) -> PathBuf {
    project.join(".claude").join("auto-proceed-state.json")
}

/// Returns the path of a session's own cache.
pub fn session_cache_path(project: &Path, session: &SessionId) -> PathBuf {
    project.join(".claude").join(format!("auto-proceed-state.{session}.json"))
}

/// What the choice between the shared file and an own one depends on.
#[derive(Debug, Clone, Copy)]
pub struct CachePathChoice<'a> {
    /// The session that needs a file.
    pub session: &'a SessionId,
    /// Whether it already has its own file.
    pub has_own: bool,
    /// The session that the shared file names.
    pub shared_owner: Option<&'a SessionId>,
    /// Whether the owner of the shared file is alive.
    pub owner_is_live: bool,
}

/// Returns whether the session must use its own file.
pub fn needs_own_file(choice: CachePathChoice<'_>) -> bool {
    choice.has_own
        || choice.shared_owner.is_some_and(|owner| owner != choice.session && choice.owner_is_live)
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
            // A session that has its own file keeps it, so that two sessions never swap files.
            (true, Some(&other), false, true),
            (true, None, false, true),
        ] {
            let candidate = CachePathChoice { session: &me, has_own, shared_owner, owner_is_live };
            assert_eq!(needs_own_file(candidate), own, "{candidate:?}");
        }
    }
}
