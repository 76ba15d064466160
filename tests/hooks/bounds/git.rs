//! Repositories beyond a bound: files of git, reference tables, branches.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::home::Home;
use trueup_core::bounds;

use super::{fixes_cache, lines, size_beyond, start_session, write};

pub(super) fn git_files(home: &Home) {
    let git = home.project_dir().join(".git");
    let long = "x".repeat(size_beyond(bounds::GIT_FILE));
    write(&git.join("commondir"), &long);
    start_session(home);
    write(&git.join("HEAD"), format!("ref: refs/heads/{long}\n"));
    start_session(home);
}

/// Puts a stand-in for git first on PATH that leaves a mark, and makes HEAD that of a repository
/// with reference tables.
fn with_tables(home: &Home, tables: &str) {
    let git = home.project_dir().join(".git");
    write(&git.join("HEAD"), "ref: refs/heads/.invalid\n");
    write(&git.join("reftable/tables.list"), tables);
    let (bin, mark) = (home.root().join("bin"), home.root().join("started"));
    let script = format!("#!/bin/sh\ntouch '{}'\nexec sleep 60\n", mark.display());
    write(&bin.join("git"), script);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(bin.join("git"), executable).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let events = [
        ("session-start-sync", "session-start.resume"),
        ("checkpoint-push", "post-tool-use.bash"),
        ("pre-handoff-validate", "stop"),
    ];
    for (binary, event) in events {
        fixes_cache(home, binary, &home.payload(event), &[("PATH", &path)]);
    }
    assert!(!mark.exists(), "a hook started git");
}

pub(super) fn reftable(home: &Home) {
    // Names that sort before HEAD, more than are read.
    let record = [&[0, (3 << 3) | 1][..], b"BAD", &[0], &[7; 20]].concat();
    let table = [
        b"REFT\x01\xff\xff\xff".as_slice(),
        &[0; 16],
        b"r\xff\xff\xff",
        &record.repeat(size_beyond(bounds::REFTABLE)),
    ]
    .concat();
    write(&home.project_dir().join(".git/reftable/one.ref"), table);
    with_tables(home, "one.ref\n");
}

pub(super) fn reftables(home: &Home) {
    // A table of logs alone, which says nothing of HEAD.
    let table = [b"REFT\x01\x00\x10\x00".as_slice(), &[0; 16]].concat();
    write(&home.project_dir().join(".git/reftable/a"), table);
    with_tables(home, &"a\n".repeat(30_000));
    with_tables(home, &"a\n".repeat(size_beyond(bounds::GIT_FILE)));
}

pub(super) fn branch(home: &Home) {
    let name = format!("feat/SD-002B-{}", "x".repeat(size_beyond(bounds::BRANCH)));
    home.add_item("SD-002B");
    write(&home.project_dir().join(".git/HEAD"), format!("ref: refs/heads/{name}\n"));
    let answer = start_session(home);
    assert!(answer.stdout.len() < 20_000);
}

pub(super) fn branch_matches(home: &Home) {
    write(&home.project_dir().join(".trueup.toml"), "branch_pattern = \"0|0.*b{200}\"\n");
    let name = "0".repeat(bounds::BRANCH.len());
    write(&home.project_dir().join(".git/HEAD"), format!("ref: refs/heads/{name}\n"));
    start_session(home);
}

/// Puts the session on the branch of another item, so that one is looked for to advise.
fn on_another_branch(home: &Home) {
    home.add_item("SD-002B");
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002B-x"]);
}

#[track_caller]
fn names_the_branch(home: &Home) {
    let answer = start_session(home);
    assert!(answer.message().iter().any(|line| line.contains("Branch mismatch")));
}

pub(super) fn packed_refs(home: &Home) {
    on_another_branch(home);
    let oid = "0".repeat(40);
    let refs = lines(200_000, |n| format!("{oid} refs/heads/b{n}"));
    assert!(refs.len() > bounds::PACKED_REFS.len());
    write(&home.project_dir().join(".git/packed-refs"), refs);
    names_the_branch(home);
}

pub(super) fn branches(home: &Home) {
    on_another_branch(home);
    for number in 0..size_beyond(bounds::BRANCHES) {
        let folder = format!(".git/refs/heads/empty/{number}");
        fs::create_dir_all(home.project_dir().join(folder)).unwrap();
    }
    let deep = home.project_dir().join(".git/refs/heads").join("d/".repeat(1_000));
    fs::create_dir_all(deep).unwrap();
    names_the_branch(home);
}
