//! Finds Chromium, and fetches the packages that drive it.

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use support::npm::{cache_directory, install_packages};

/// The packages, each without dependencies, as npm's lock file pins them.
const PACKAGES: &str = include_str!("package.json");
const LOCK: &str = include_str!("package-lock.json");

/// The version of the set of packages, which names its directory.
const SET: &str = "playwright-core-1.65.0-axe-core-4.14.1-ws-8.23.0";

/// The names of Chromium, Debian's first.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What scenarios are played with.
#[derive(Debug)]
pub(super) struct Browser {
    /// The executable of Chromium.
    pub(super) chromium: PathBuf,
    /// The directory in which `node_modules` is.
    pub(super) packages: PathBuf,
}

/// Returns the browser, or `None` after saying once why the scenarios are skipped. With
/// `TRUEUP_REQUIRE_BROWSER=1` a browser that cannot be had is a failure.
pub(super) fn find_browser() -> Option<&'static Browser> {
    static BROWSER: OnceLock<Result<Browser, String>> = OnceLock::new();
    let found = BROWSER.get_or_init(|| {
        let found = obtain_browser();
        if let Err(why) = &found {
            // Straight to the stream: the test runner captures the printing macros.
            let line = format!("\nSKIPPED tests of the dashboard: {why}\n");
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
        found
    });
    let is_required = env::var_os("TRUEUP_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    match found {
        Ok(browser) => Some(browser),
        Err(why) => {
            assert!(!is_required, "TRUEUP_REQUIRE_BROWSER=1, but {why}");
            None
        }
    }
}

fn obtain_browser() -> Result<Browser, String> {
    let chromium = find_chromium().ok_or("there is no chromium in the search path")?;
    find_program("node").ok_or("there is no node in the search path")?;
    let packages = cache_directory("trueup-browser-tests")?.join(SET);
    if !packages.join("node_modules").is_dir() {
        let files = [("package.json", PACKAGES), ("package-lock.json", LOCK)];
        install_packages(&packages, &files, &["ci", "--ignore-scripts"])?;
    }
    Ok(Browser { chromium, packages })
}

fn find_chromium() -> Option<PathBuf> {
    let named = env::var_os("TRUEUP_CHROMIUM").filter(|named| !named.is_empty());
    named.map(PathBuf::from).or_else(|| NAMES.iter().find_map(|name| find_program(name)))
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
