//! The short name that a directory gives a repository.

use std::path::Path;

use crate::model::RepoSlug;

/// Longest slug, in characters.
const MAX_SLUG_CHARS: usize = 64;

/// Makes a slug of a directory's name: what a slug cannot hold becomes a dash.
pub fn slug_from_path(path: &Path) -> Option<RepoSlug> {
    let name = path.file_name()?.to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let dashed: String =
        name.trim_end_matches(".git").chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let mut slug = dashed.trim_start_matches(['.', '-']).replace("..", ".").replace("..", ".");
    slug.truncate(MAX_SLUG_CHARS);
    slug.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_its_name_as_far_as_a_slug_can_hold_it() {
        for (path, slug) in [
            ("/src/KareMatch", Some("KareMatch")),
            ("/src/my app (2)", Some("my-app--2-")),
            ("/src/bare.git", Some("bare")),
            ("/src/.hidden", Some("hidden")),
            ("/src/a...b", Some("a.b")),
            ("/src/東京", None),
            ("/", None),
        ] {
            let found = slug_from_path(Path::new(path));
            let found = found.as_ref().map(RepoSlug::as_str);
            assert_eq!(found, slug, "{path}");
        }
        assert_eq!(slug_from_path(Path::new(&"x".repeat(99))).unwrap().as_str().len(), 64);
    }
}
