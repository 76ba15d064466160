//! `trueup db export` and `trueup db import`: whole databases move between files and servers, and
//! an import that is killed leaves nothing behind.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use support::client::find_binary;
use support::home::{Home, ProcessOutput};
use support::postgres::TestDatabase;
use support::sample_database::{create_sample, sample_items};

use crate::fixture::{data, envelope, keys, object, refused, started, trueup};

/// A home whose database has rows in every table.
fn home_with_sample(items: u32) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.trueup_home()).unwrap();
    create_sample(&home.trueup_home().join("trueup.db"), items);
    home
}

/// Runs `trueup` on another database.
fn trueup_on(home: &Home, url: &str, arguments: &[&str]) -> ProcessOutput {
    home.prepare_run("trueup").env("TRUEUP_DATABASE_URL", url).args(arguments).wait()
}

fn sqlite_url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Exports a database into a new file; returns the file.
fn export(home: &Home, url: &str, name: &str) -> PathBuf {
    let file = home.root().join(name);
    let answer = trueup_on(home, url, &["db", "export", file.to_str().unwrap()]).ok();
    assert!(answer.stdout.starts_with("exported "), "{answer:?}");
    file
}

/// Asserts that two exports have the same rows: all is equal but the time of the header.
fn assert_same_rows(one: &Path, other: &Path) {
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let mut header: Value = serde_json::from_str(header).unwrap();
        header["exported_at"].take();
        (header, rows.to_owned())
    };
    let ((header, rows), (other_header, other_rows)) = (read(one), read(other));
    assert_eq!(header, other_header);
    for (row, other_row) in rows.lines().zip(other_rows.lines()) {
        assert_eq!(row, other_row);
    }
    assert_eq!(rows.len(), other_rows.len());
}

/// Starts an import from a pipe, and kills it once it has taken a part of the rows.
fn kill_import(home: &Home, url: &str, export: &[u8], part: usize) {
    let mut child = Command::new(find_binary("trueup").unwrap())
        .env_clear()
        .env("HOME", home.user_home())
        .env("TRUEUP_HOME", home.trueup_home())
        .env("TRUEUP_DATABASE_URL", url)
        .current_dir(home.project_dir())
        .args(["db", "import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A pipe holds 64 KiB: what was written before that has been read.
    assert!(part > 256 * 1024, "{part}");
    child.stdin.as_mut().unwrap().write_all(&export[..part]).unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it still imports");
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn an_export_is_a_header_rows_and_digests_for_its_user_alone() {
    let home = home_with_sample(40);
    let file = home.root().join("all.jsonl");
    let exported = data(&home, &["db", "export", file.to_str().unwrap()]);
    assert_eq!(keys(&exported), ["file", "lineage", "rows", "schema", "size_bytes"]);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(exported["size_bytes"], text.len());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (header, footer) = (&lines[0], lines.last().unwrap());
    // The sample has times in words, which status reports.
    let status = object(&home, 1, &["db", "status"])["data"].take();
    assert_eq!(header["lineage"], status["lineage"]);
    assert_eq!(header["schema"], status["schema"]["version"]);
    assert_eq!(header["rows"], exported["rows"]);
    assert_eq!(header["rows"]["events"], 400);
    let events = lines.iter().filter(|line| line["table"] == "events").count();
    assert_eq!(events, 400);
    assert_eq!(footer["digests"]["events"].as_str().unwrap().len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_a_file_an_export_goes_to_stdout() {
    let home = home_with_sample(40);
    let printed = trueup(&home, &["db", "export"]).ok();
    assert_eq!(printed.stderr, "");
    let file = home.root().join("all.jsonl");
    trueup(&home, &["db", "export", file.to_str().unwrap()]).ok();
    let piped = home.root().join("piped.jsonl");
    fs::write(&piped, &printed.stdout).unwrap();
    assert_same_rows(&piped, &file);
    assert_eq!(object(&home, 2, &["db", "export"])["error"]["code"], "usage");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(find_binary("trueup").unwrap());
    command.env("TRUEUP_HOME", home.trueup_home()).current_dir(home.project_dir());
    let output = command.args(["db", "export"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn an_export_replaces_no_file_and_is_complete_or_absent() {
    let home = home_with_sample(40);
    let file = home.root().join("precious");
    fs::write(&file, "precious").unwrap();
    refused(&home, "invalid", &["db", "export", file.to_str().unwrap()]);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let folder = home.root().join("exports");
    fs::create_dir(&folder).unwrap();
    home.execute_sql("UPDATE plans SET title = CAST(x'ff' AS TEXT)", []);
    let target = folder.join("all.jsonl");
    assert_eq!(object(&home, 3, &["db", "export", target.to_str().unwrap()])["ok"], false);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let missing = home.root().join("none/all.jsonl");
    assert_eq!(
        object(&home, 3, &["db", "export", missing.to_str().unwrap()])["error"]["code"],
        "io"
    );
}

#[test]
fn an_import_keeps_every_row_and_the_lineage() {
    let home = home_with_sample(sample_items());
    let from = sqlite_url(&home.trueup_home().join("trueup.db"));
    let file = export(&home, &from, "all.jsonl");
    let to = home.root().join("to.db");
    let bytes = fs::read(&file).unwrap();
    // Twice an import is killed; the second time there is a database, without a row.
    for part in [bytes.len() / 2, bytes.len() * 9 / 10] {
        kill_import(&home, &sqlite_url(&to), &bytes, part);
        let rows: i64 = Connection::open(&to)
            .unwrap()
            .query_row(
                "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM work_items)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(rows, 0);
    }
    let arguments = ["db", "import", file.to_str().unwrap(), "--json"];
    let imported = envelope(&trueup_on(&home, &sqlite_url(&to), &arguments), 0)["data"].take();
    assert_eq!(keys(&imported), ["file", "lineage", "rows", "schema", "was_there"]);
    assert_eq!(imported["was_there"], false);
    assert_same_rows(&export(&home, &sqlite_url(&to), "again.jsonl"), &file);
    let again = envelope(&trueup_on(&home, &sqlite_url(&to), &arguments), 0)["data"].take();
    assert_eq!(again["was_there"], true);
    let status = envelope(&trueup_on(&home, &sqlite_url(&to), &["db", "status", "--json"]), 1);
    assert_eq!(status["data"]["healthy"], true);
    assert_eq!(status["data"]["lineage"], imported["lineage"]);
}

#[test]
fn an_import_reads_a_pipe() {
    let home = home_with_sample(40);
    let printed = trueup(&home, &["db", "export"]).ok().stdout;
    let to = home.root().join("to.db");
    let run = home.prepare_run("trueup").env("TRUEUP_DATABASE_URL", sqlite_url(&to));
    let answer = run.args(["db", "import", "-"]).stdin(printed).wait().ok();
    assert!(answer.stdout.contains(" rows and read them back"), "{answer:?}");
    // Nothing is shown of its progress where no terminal is.
    assert_eq!(answer.stderr, "");
}

#[test]
fn work_of_its_own_and_damaged_files_are_refused_and_nothing_changes() {
    let home = home_with_sample(40);
    let from = sqlite_url(&home.trueup_home().join("trueup.db"));
    let file = export(&home, &from, "all.jsonl");
    let other = started();
    let error = refused(&other, "database_occupied", &["db", "import", file.to_str().unwrap()]);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("the database has work of its own: 1 in claude_sessions"),
        "{message}"
    );
    let whole = fs::read_to_string(&file).unwrap();
    let damaged = home.root().join("damaged.jsonl");
    fs::write(&damaged, whole.replacen("title 3\"", "title 4\"", 1)).unwrap();
    let to = home.root().join("to.db");
    let arguments = ["db", "import", damaged.to_str().unwrap(), "--json"];
    let error = envelope(&trueup_on(&home, &sqlite_url(&to), &arguments), 3)["error"].take();
    assert_eq!(error["code"], "export_unusable");
    // All of a file is checked before a database is created.
    assert!(!to.exists());
}

#[test]
fn commands_move_a_database_to_a_server_and_back() {
    let Some(server) = TestDatabase::create() else { return };
    let home = home_with_sample(sample_items());
    let from = sqlite_url(&home.trueup_home().join("trueup.db"));
    let file = export(&home, &from, "all.jsonl");
    let bytes = fs::read(&file).unwrap();
    for part in [bytes.len() / 2, bytes.len() * 9 / 10] {
        kill_import(&home, &server.url(), &bytes, part);
        let count = "SELECT (SELECT count(*) FROM trueup.events) + (SELECT count(*) FROM trueup.work_items)";
        assert_eq!(server.run(count).unwrap(), "0");
    }
    trueup_on(&home, &server.url(), &["db", "import", file.to_str().unwrap()]).ok();
    let from_server = export(&home, &server.url(), "server.jsonl");
    assert_same_rows(&from_server, &file);
    // A client, who may read no table, exports the same by exchanges.
    let client = server.add_user("trueup_client");
    assert_same_rows(&export(&home, &client, "client.jsonl"), &file);
    let arguments = ["db", "import", file.to_str().unwrap(), "--json"];
    let error = envelope(&trueup_on(&home, &client, &arguments), 3)["error"].take();
    assert!(error["hint"].as_str().unwrap().contains("trueup_owner"), "{error}");
    let back = sqlite_url(&home.root().join("back.db"));
    trueup_on(&home, &back, &["db", "import", from_server.to_str().unwrap()]).ok();
    assert_same_rows(&export(&home, &back, "back.jsonl"), &file);
}

#[test]
fn progress_is_shown_on_a_terminal() {
    let home = home_with_sample(40);
    let file = home.root().join("all.jsonl");
    let binary = find_binary("trueup").unwrap();
    // The program `script` runs a command on a terminal of its own.
    let run_on_terminal = |database: &Path, command: &str| {
        let line = format!("{} db {command} {}", binary.display(), file.display());
        let output = Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .env("TRUEUP_HOME", home.trueup_home())
            .env("TRUEUP_DATABASE_URL", sqlite_url(database))
            .env("TERM", "xterm")
            .current_dir(home.project_dir())
            .stdin(Stdio::null())
            .output();
        output.map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
    };
    let database = home.trueup_home().join("trueup.db");
    match run_on_terminal(&database, "export") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let line = b"\nSKIPPED progress on a terminal: the program `script` is not installed\n";
            std::io::stderr().write_all(line).unwrap();
        }
        shown => {
            let shown = shown.unwrap();
            assert!(shown.contains("exporting") && shown.contains("exported "), "{shown:?}");
            let shown = run_on_terminal(&home.root().join("to.db"), "import").unwrap();
            for word in ["checking", "importing", "verifying", "imported "] {
                assert!(shown.contains(word), "{word}: {shown:?}");
            }
        }
    }
}
