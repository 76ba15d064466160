//! The workplan that a repository begins with.

use std::path::Path;

use trueup_core::model::RepoSlug;
use trueup_core::repos::slug_from_path;

/// Longest prefix of an id that is made of a name, in characters.
const MAX_PREFIX_CHARS: usize = 24;

/// The prefix where no name gives one.
const DEFAULT_PREFIX: &str = "WORK";

/// Chooses the id of the first workplan, after the name of the repository: `SHOP-WP-0001`.
pub(super) fn choose_workplan_id(root: &Path, name: Option<&str>) -> String {
    let directory = slug_from_path(root);
    let name = name.or(directory.as_ref().map(RepoSlug::as_str));
    format!("{}-WP-0001", make_prefix(name.unwrap_or_default()))
}

/// Makes a prefix of a name: words of letters and digits, joined by dashes, a letter first.
fn make_prefix(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
    let mut prefix: String = words.join("-").chars().take(MAX_PREFIX_CHARS).collect();
    prefix.truncate(prefix.trim_end_matches('-').len());
    if prefix.starts_with(|c: char| c.is_ascii_alphabetic()) {
        prefix
    } else if prefix.is_empty() {
        DEFAULT_PREFIX.to_owned()
    } else {
        format!("{DEFAULT_PREFIX}-{prefix}")
    }
}

/// Renders the workplan.
pub(super) fn render_workplan(id: &str) -> String {
    format!(
        "---\n\
         id: {id}\n\
         type: workplan\n\
         title: \"The first workplan\"\n\
         status: active\n\
         ---\n\
         \n\
         # The first workplan\n\
         \n\
         Say here what is to be reached, and replace the tasks by yours. Each task becomes a work item\n\
         that a session claims. A status is todo, in_progress, blocked, done or cancelled.\n\
         `trueup check` compares this file with the database, `trueup check --fix` trues up both.\n\
         \n\
         ## Say what the first step is\n\
         \n\
         ```task\n\
         id: {id}-T01\n\
         status: todo\n\
         priority: high\n\
         ```\n\
         \n\
         Describe it as you would for a colleague.\n\
         \n\
         ## Say what comes after it\n\
         \n\
         ```task\n\
         id: {id}-T02\n\
         status: todo\n\
         depends_on: [{id}-T01]\n\
         ```\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_any_name() {
        for (name, prefix) in [
            ("shop", "SHOP"),
            ("my.shop_2", "MY-SHOP-2"),
            ("2fast", "WORK-2FAST"),
            ("東京", "WORK"),
            ("", "WORK"),
            ("a-very-long-name-of-a-repository", "A-VERY-LONG-NAME-OF-A-RE"),
            ("twenty-three-characters-x", "TWENTY-THREE-CHARACTERS"),
        ] {
            assert_eq!(make_prefix(name), prefix, "{name}");
        }
        let root = Path::new("/src/KareMatch");
        assert_eq!(choose_workplan_id(root, None), "KAREMATCH-WP-0001");
        assert_eq!(choose_workplan_id(root, Some("other")), "OTHER-WP-0001");
    }
}
