//! Limits on patterns that a configuration may set.

use std::path::Path;

use crate::bounds::{BRANCH_PATTERN, HANDOFF_PATTERN, HANDOFF_PATTERNS};

/// Removes patterns of shell commands that are too long or too many; returns a line about it.
pub(super) fn limit_handoff_commands(
    source: &Path,
    patterns: &mut Option<Vec<String>>,
) -> Option<String> {
    let patterns = patterns.as_mut()?;
    let set = patterns.len();
    patterns.retain(|pattern| pattern.len() <= HANDOFF_PATTERN.len());
    patterns.truncate(HANDOFF_PATTERNS.len());
    let ignored = set - patterns.len();
    (ignored > 0).then(|| {
        format!(
            "{}: {ignored} of {set} handoff_commands are ignored: at most {} of {} bytes each are allowed",
            source.display(),
            HANDOFF_PATTERNS.most,
            HANDOFF_PATTERN.most
        )
    })
}

/// Removes a branch pattern that is too long; returns a line about it.
pub(super) fn limit_branch_pattern(source: &Path, pattern: &mut Option<String>) -> Option<String> {
    let too_long = |pattern: &String| pattern.len() > BRANCH_PATTERN.len();
    let long = pattern.take_if(|pattern| too_long(pattern))?;
    Some(format!(
        "{}: branch_pattern has {} bytes and is ignored: at most {} are allowed",
        source.display(),
        long.len(),
        BRANCH_PATTERN.most
    ))
}
