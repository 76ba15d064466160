//! Which files are workplans.

/// Returns whether a path below a repository's root, with `/` between its parts, is that of a
/// workplan: `workplans/*.md` and `workplans/archived/*.md`, hidden files and readmes aside.
pub fn is_workplan_path(relative: &str) -> bool {
    let Some(below) = relative.strip_prefix("workplans/") else {
        return false;
    };
    let name = below.strip_prefix("archived/").unwrap_or(below);
    // The names of what editors write beside a file begin with a dot.
    let is_plain = !name.contains('/') && !name.starts_with('.');
    is_plain && name.strip_suffix(".md").is_some() && !name.eq_ignore_ascii_case("readme.md")
}
