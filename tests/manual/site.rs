//! The pages as a site.

use std::fs;
use std::path::Path;

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
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let pages = names.filter(|name| name.ends_with(".md") && name != "SUMMARY.md");
        expected.extend(pages.map(|name| Path::new(dir).join(name)));
    }
    expected.sort();
    assert_eq!(listed, expected);
}
