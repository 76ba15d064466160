//! `trueup item import` and `trueup export`: what other trackers have is brought, worked on and
//! taken back.

mod days;
mod hostile;
mod json_lines;
mod no_work;
mod replaced;
mod round_trips;
mod secret_texts;
mod several_files;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use support::client::repository_root;
use support::home::Home;

use crate::fixture::data;

pub(super) fn fixture(path: &str) -> PathBuf {
    repository_root().join("tests/fixtures/trackers").join(path)
}

pub(super) fn import(home: &Home, path: &Path) -> Value {
    data(home, &["item", "import", path.to_str().unwrap()])
}

/// Exports into a file of the project and returns what it holds.
pub(super) fn export(home: &Home, format: &str, name: &str) -> Vec<u8> {
    data(home, &["export", name, "--format", format]);
    fs::read(home.project_dir().join(name)).unwrap()
}

pub(super) fn parse_lines(bytes: &[u8]) -> Vec<Map<String, Value>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

pub(super) fn write(home: &Home, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = home.project_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

pub(super) fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

pub(super) fn status(home: &Home, key: &str) -> String {
    let item = data(home, &["item", "show", key]);
    item["item"]["status"].as_str().unwrap().to_owned()
}
