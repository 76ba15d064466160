//! The pages as a site.

use std::fs;
use std::path::{Path, PathBuf};

use support::client::repository_root;

use super::links::list_links;

#[test]
fn the_table_of_contents_has_every_page_once() {
    let mut listed: Vec<_> =
        list_links(Path::new("docs/SUMMARY.md")).into_iter().map(|link| link.path).collect();
    listed.sort();
    let mut expected = Vec::new();
    for dir in ["docs", "docs/adr"] {
        let entries = fs::read_dir(repository_root().join(dir)).unwrap();
        let files = entries.map(|entry| Path::new(dir).join(entry.unwrap().file_name()));
        let is_page = |file: &PathBuf| {
            file.extension().is_some_and(|extension| extension == "md")
                && !file.ends_with("SUMMARY.md")
        };
        expected.extend(files.filter(is_page));
    }
    expected.sort();
    assert_eq!(listed, expected);
}
