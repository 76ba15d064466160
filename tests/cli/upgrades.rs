//! `trueup upgrade`: by the way trueup was installed, and never to an older version unasked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::home::{Home, ProcessOutput};
use support::network::http_server::{HttpServer, Reply};

use crate::fixture::{data, object, trueup};

/// What the installer of a test does: it records how it was called.
const INSTALLER: &str = "#!/bin/sh\necho \"installing from $(dirname \"$0\")\"\n\
                         echo \"called $*\" >>\"$TRUEUP_HOME/installed\"\nexit 0\n";

fn record_origin(home: &Home, origin: &Value) {
    let record = json!({"version": "0.1.0", "origin": origin});
    fs::write(home.trueup_home().join("install-manifest.json"), record.to_string()).unwrap();
}

fn release_name(version: &str) -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("trueup-{version}-{}-{system}", std::env::consts::ARCH)
}

/// Makes the directory of a release.
fn bundle(home: &Home, version: &str) -> PathBuf {
    let dir = home.root().join(release_name(version));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("install.sh"), INSTALLER).unwrap();
    dir
}

/// Packs it; returns the archive.
fn archive(home: &Home, version: &str) -> PathBuf {
    let dir = bundle(home, version);
    let file = home.root().join(format!("{}.tar.xz", release_name(version)));
    let mut tar = Command::new("tar");
    tar.arg("-cJf").arg(&file).arg("-C").arg(home.root()).arg(dir.file_name().unwrap());
    assert!(tar.status().unwrap().success());
    fs::remove_dir_all(dir).unwrap();
    file
}

fn was_installed(home: &Home) -> bool {
    home.trueup_home().join("installed").exists()
}

/// Serves a release whose archive has these bytes, under this digest.
fn serve(version: &str, archive: Vec<u8>, digest: &str) -> HttpServer {
    let name = format!("{}.tar.xz", release_name(version));
    let list = json!({"version": version, "files": {name.clone(): digest}}).to_string();
    HttpServer::start(move |request| match request.line.split(' ').nth(1) {
        Some("/r/latest.json") => Reply::json(&list),
        Some(path) if path == format!("/r/{name}") => Reply::file(&archive),
        _ => Reply::new("404 Not Found", "", ""),
    })
}

fn upgrade(home: &Home, server: &HttpServer, arguments: &[&str]) -> ProcessOutput {
    let url = format!("http://127.0.0.1:{}/r", server.port);
    let run = home.prepare_run("trueup").args(["upgrade"]).args(arguments);
    run.env("TRUEUP_RELEASES_URL", url).wait()
}

fn sha256(path: &Path) -> String {
    trueup_core::fs::sha256_hex(&fs::read(path).unwrap())
}

#[test]
fn a_newer_release_is_downloaded_checked_and_installed() {
    let home = Home::new();
    record_origin(&home, &json!({"kind": "archive"}));
    let file = archive(&home, "9.0.0");
    let server = serve("9.0.0", fs::read(&file).unwrap(), &sha256(&file));
    let checked = upgrade(&home, &server, &["--check"]).ok();
    assert!(checked.stdout.contains("trueup 9.0.0 is there"), "{checked:?}");
    assert!(!was_installed(&home));
    let answer = upgrade(&home, &server, &[]);
    assert_eq!((answer.code, &*answer.stderr), (Some(0), "downloading trueup 9.0.0\n"));
    assert!(answer.stdout.contains("installing from"), "{answer:?}");
    let installed = fs::read_to_string(home.trueup_home().join("installed")).unwrap();
    assert_eq!(installed, "called \n");
}

#[test]
fn an_archive_with_another_checksum_is_not_installed() {
    let home = Home::new();
    record_origin(&home, &json!({"kind": "archive"}));
    let file = archive(&home, "9.0.0");
    let server = serve("9.0.0", fs::read(&file).unwrap(), &"0".repeat(64));
    let answer = upgrade(&home, &server, &["--json"]);
    assert_eq!(answer.code, Some(3));
    assert_eq!(answer.json()["error"]["code"], "release_unfit");
    assert!(!was_installed(&home));
}

#[test]
fn the_same_version_is_the_newest_and_an_older_one_is_refused() {
    let home = Home::new();
    record_origin(&home, &json!({"kind": "archive"}));
    let this = env!("CARGO_PKG_VERSION");
    let server = serve(this, Vec::new(), "");
    let answer = upgrade(&home, &server, &[]).ok();
    assert_eq!(answer.stdout, format!("trueup {this} is the newest version\n"));
    let server = serve("0.0.1", Vec::new(), "");
    let answer = upgrade(&home, &server, &["--json"]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.json()["error"]["code"], "downgrade");
}

#[test]
fn an_archive_or_directory_is_installed_without_a_network() {
    let home = Home::new();
    // Nothing is there to ask.
    let offline = |path: &Path, more: &[&str]| {
        let run = home.prepare_run("trueup").args(["upgrade", "--json", "--from"]).args([path]);
        run.args(more).env("TRUEUP_RELEASES_URL", "http://127.0.0.1:1").wait()
    };
    let answer = offline(&archive(&home, "9.0.0"), &[]).ok();
    assert!(answer.json()["data"]["stdout"].as_str().unwrap().contains("installing from"));
    assert!(was_installed(&home));
    fs::remove_file(home.trueup_home().join("installed")).unwrap();
    let older = bundle(&home, "0.0.1");
    assert_eq!(offline(&older, &[]).json()["error"]["code"], "downgrade");
    assert!(!was_installed(&home));
    offline(&older, &["--force"]).ok();
    assert!(was_installed(&home));
}

#[test]
fn a_forced_downgrade_names_the_database_and_its_schema() {
    let home = Home::new();
    if home.shared_url().is_some() {
        return;
    }
    data(&home, &["db", "migrate"]);
    let older = bundle(&home, "0.0.1");
    let answer = object(&home, 0, &["upgrade", "--force", "--from", older.to_str().unwrap()]);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("trueup.db has schema"), "{warning}");
}

#[test]
fn what_another_program_upgrades_is_said() {
    let home = Home::new();
    for (origin, command) in [
        (json!({"kind": "npm"}), "npm install -g trueup@latest && trueup install"),
        (json!({"kind": "pypi"}), "uv tool upgrade trueup && trueup install"),
        (json!({"kind": "deb"}), "sudo apt update && sudo apt install trueup && trueup install"),
        (
            json!({"kind": "source", "dir": "/my src"}),
            "git -C '/my src' pull --ff-only && sh '/my src/install/install.sh'",
        ),
    ] {
        record_origin(&home, &origin);
        assert_eq!(data(&home, &["upgrade"])["command"], command);
        assert!(trueup(&home, &["upgrade"]).ok().stdout.contains(command));
    }
}

#[test]
fn a_checkout_is_pulled_and_installed_when_the_user_says_so() {
    let home = Home::new();
    let (origin, checkout) = (home.root().join("origin"), home.root().join("my checkout"));
    home.init_repository(&origin);
    fs::create_dir(origin.join("install")).unwrap();
    fs::write(origin.join("install/install.sh"), "exit 9\n").unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        let done = git.args(arguments).current_dir(&origin).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let commit = || {
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", "a version"]);
    };
    commit();
    git(&["clone", "--quiet", ".", checkout.to_str().unwrap()]);
    // Without --yes nothing is done, with it the newest version is installed.
    fs::write(origin.join("install/install.sh"), INSTALLER).unwrap();
    commit();
    record_origin(&home, &json!({"kind": "source", "dir": checkout}));
    trueup(&home, &["upgrade"]).ok();
    assert!(!was_installed(&home));
    assert_eq!(trueup(&home, &["upgrade", "--yes"]).code, Some(0));
    assert!(was_installed(&home));
    // What cannot be pulled is not installed.
    fs::remove_dir_all(&origin).unwrap();
    fs::remove_file(home.trueup_home().join("installed")).unwrap();
    assert_ne!(trueup(&home, &["upgrade", "--yes"]).code, Some(0));
    assert!(!was_installed(&home));
}

#[test]
fn releases_come_by_tls_or_from_this_machine() {
    let home = Home::new();
    record_origin(&home, &json!({"kind": "archive"}));
    for url in ["http://example.com/r", "ftp://x", "words"] {
        let run = home.prepare_run("trueup").args(["upgrade", "--json"]);
        let answer = run.env("TRUEUP_RELEASES_URL", url).wait();
        assert_eq!(answer.code, Some(2), "{url}: {answer:?}");
    }
}
