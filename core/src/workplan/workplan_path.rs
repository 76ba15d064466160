//! The paths of workplan files.

/// The name of a folder of workplans.
const WORKPLANS: &str = "workplans";

/// The name of the folder of archived workplans below it.
const ARCHIVED: &str = "archived";

/// Most folders above a folder of workplans: `packages/backend/services/billing/workplans`.
pub const MAX_PACKAGE_DEPTH: usize = 4;

/// Folders of code that others wrote or tools made.
const FOREIGN_FOLDERS: [&str; 3] = ["node_modules", "target", "vendor"];

/// Returns whether a path, relative to the root of a repository and with `/` as separator, is that of
/// a workplan: `workplans/*.md` or `workplans/archived/*.md`, at the root or in the folder of a
/// package, except hidden files and readmes.
pub fn is_workplan_path(relative: &str) -> bool {
    find_workplan_folder(relative).is_some()
}

/// Returns the folder of workplans that a workplan is in; `None` for any other path.
pub fn find_workplan_folder(relative: &str) -> Option<&str> {
    let (folder, name) = relative.rsplit_once('/')?;
    let above = folder.strip_suffix(ARCHIVED).and_then(|above| above.strip_suffix('/'));
    let folder = above.unwrap_or(folder);
    // Temporary files of editors begin with a dot.
    let is_workplan = !name.starts_with('.')
        && name.strip_suffix(".md").is_some()
        && !name.eq_ignore_ascii_case("readme.md");
    (is_workplan && is_workplan_folder(folder)).then_some(folder)
}

/// Returns whether a path from the root is that of a folder of workplans.
pub fn is_workplan_folder(relative: &str) -> bool {
    let Some(package) = relative.strip_suffix(WORKPLANS) else {
        return false;
    };
    let Some(package) = package.strip_suffix('/') else {
        return package.is_empty();
    };
    package.split('/').count() <= MAX_PACKAGE_DEPTH && package.split('/').all(is_package_folder)
}

/// Returns whether a folder of this name may hold packages.
pub fn is_package_folder(name: &str) -> bool {
    let is_hidden_or_empty = name.is_empty() || name.starts_with('.');
    !is_hidden_or_empty && name != WORKPLANS && !FOREIGN_FOLDERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workplans_are_at_the_root_or_in_a_package() {
        for (path, folder) in [
            ("workplans/a.md", Some("workplans")),
            ("workplans/archived/a.md", Some("workplans")),
            ("packages/api/workplans/a.md", Some("packages/api/workplans")),
            ("packages/api/workplans/archived/a.md", Some("packages/api/workplans")),
            ("archived/workplans/a.md", Some("archived/workplans")),
            ("a/b/c/d/workplans/x.md", Some("a/b/c/d/workplans")),
            ("a/b/c/d/e/workplans/x.md", None),
            ("workplans/readme.md", None),
            ("api/workplans/README.md", None),
            ("workplans/.a.md", None),
            ("workplans/a.txt", None),
            ("workplans/sub/a.md", None),
            ("workplans/workplans/a.md", None),
            ("workplans/archived/archived/a.md", None),
            ("my-workplans/a.md", None),
            ("node_modules/x/workplans/a.md", None),
            ("api/vendor/workplans/a.md", None),
            ("target/workplans/a.md", None),
            (".github/workplans/a.md", None),
            ("../workplans/a.md", None),
            ("./workplans/a.md", None),
            ("/workplans/a.md", None),
            ("api//workplans/a.md", None),
            ("archived/a.md", None),
            ("a.md", None),
            ("workplans", None),
            ("", None),
        ] {
            assert_eq!(find_workplan_folder(path), folder, "{path}");
            assert_eq!(is_workplan_path(path), folder.is_some(), "{path}");
        }
    }
}
