//! Which packages link a network, and with what.

use std::path::Path;
use std::process::Command;

/// What must be nowhere: these cost every process that links them many milliseconds at its start.
const FORBIDDEN: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"];

/// What hooks must not link.
const NETWORK: [&str; 6] =
    ["hyper", "reqwest", "rustls", "tokio", "tokio-postgres", "trueup-remote"];

/// The directory of the workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the names of the packages that a package links.
fn linked_by(package: &str) -> Vec<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"]);
    let output = tree.args(["--package", package]).current_dir(workspace()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_package_brings_the_slow_libraries_for_tls() {
    // The lock file names the packages of all platforms.
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = "));
    let found: Vec<&str> =
        names.map(|name| name.trim_matches('"')).filter(|name| FORBIDDEN.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_hooks_link_no_network() {
    for package in ["trueup-core", "trueup-hooks"] {
        let linked = linked_by(package);
        assert!(linked.iter().any(|name| name == "rusqlite"), "{linked:?}");
        let network: Vec<&String> =
            linked.iter().filter(|name| NETWORK.contains(&name.as_str())).collect();
        assert!(network.is_empty(), "{package} links {network:?}");
    }
}
