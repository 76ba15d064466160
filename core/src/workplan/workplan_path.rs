//! The paths of workplan files.

/// Returns whether a path, relative to the root of a repository and with `/` as separator, is that of
/// a workplan: `workplans/*.md` or `workplans/archived/*.md`, except hidden files and readmes.
pub fn is_workplan_path(relative: &str) -> bool {
    let Some(below) = relative.strip_prefix("workplans/") else {
        return false;
    };
    let name = below.strip_prefix("archived/").unwrap_or(below);
    // Temporary files of editors begin with a dot.
    let is_plain = !name.contains('/') && !name.starts_with('.');
    is_plain && name.strip_suffix(".md").is_some() && !name.eq_ignore_ascii_case("readme.md")
}
