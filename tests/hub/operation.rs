//! Running a hub as `docs/hub.md` says: the commands of the guide, its unit and container file,
//! backup and restore, clients of another version, two hubs behind a proxy.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output};

use regex_lite::Regex;
use serde_json::json;
use support::client::find_binary;
use support::home::{Home, skip_over_postgres};
use support::postgres::TestDatabase;
use support::tied_process::{TiedProcess, free_port, give_away, new_directory, run_unprivileged};

use super::documents::{code_block, read_guide, repository_file};
use super::http_client::RawRequest;
use super::hub_process::{HubProcess, make_token, prepare_hub, run_hub};
use super::live_clients::{EventClient, Received, SocketClient, events, next};

/// Runs commands of the guide in the home, with the built programs on the path.
fn run_commands(home: &Home, commands: &str) -> Output {
    let programs = find_binary("trueup").unwrap().parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(home.root()).env_clear().env("PATH", path);
    home.set_variables(&mut shell);
    shell.output().unwrap()
}

#[track_caller]
fn run_block(home: &Home, commands: &str) -> String {
    let output = run_commands(home, commands);
    assert!(output.status.success(), "{commands}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn item_keys(home: &Home) -> Vec<String> {
    let list: String = home.query_value(
        "SELECT json_group_array(key) FROM (SELECT key FROM work_items ORDER BY key) AS found",
        [],
    );
    serde_json::from_str(&list).unwrap()
}

#[test]
fn a_newcomer_is_served_within_three_commands() {
    if skip_over_postgres("the database of one machine") {
        return;
    }
    let home = Home::new();
    let block = code_block("hub.md", "sh one-machine", "trueup-hub serve");
    let (before, serve) = block.trim().rsplit_once('\n').unwrap();
    assert_eq!(serve, "trueup-hub serve");
    let printed = run_block(&home, before);
    let token = printed.lines().find(|line| line.starts_with("tuh_")).expect("a token");
    let hub = HubProcess::start(&home);
    assert_eq!(hub.get("/api/me", token).json(), json!({"name": "me", "role": "admin"}));
    let listed = run_block(&home, &code_block("hub.md", "sh tokens", "token revoke"));
    assert!(listed.contains("ann-laptop") && listed.contains("wall-screen"), "{listed}");
}

#[test]
fn a_container_can_ask_whether_its_hub_is_ready() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    let listen = hub.address.to_string();
    let ready = run_hub(&home, &["check", "--listen", &listen]);
    assert_eq!((ready.code, ready.stdout.trim()), (Some(0), "ready"), "{ready:?}");
    hub.kill();
    let dead = run_hub(&home, &["check", "--listen", &listen]);
    assert_eq!(dead.code, Some(3), "{dead:?}");
}

/// Every option in the guide, the unit and the container file is one of the program's.
#[test]
fn the_options_that_are_documented_exist() {
    let home = Home::new();
    let mut known = String::new();
    for arguments in [&["serve"][..], &["check"], &["token", "create"]] {
        known.push_str(&run_hub(&home, &[arguments, &["--help"]].concat()).stdout);
    }
    let unit = fs::read_to_string(repository_file("install/hub/trueup-hub.service")).unwrap();
    let container = fs::read_to_string(repository_file("install/hub/Containerfile")).unwrap();
    let start = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let command = container.lines().find(|line| line.starts_with("CMD ")).unwrap();
    let guide = read_guide("hub.md");
    let calls = guide.lines().filter(|line| line.contains("trueup-hub serve"));
    let option = Regex::new(r"--[a-z][a-z-]+").unwrap();
    let mut used = BTreeSet::new();
    for line in calls.chain([start, command]) {
        used.extend(option.find_iter(line).map(|found| found.as_str().to_owned()));
    }
    let named = Regex::new(r"`(--[a-z][a-z-]+)").unwrap();
    let ours = ["--listen", "--behind-proxy", "--host", "--webhook", "--database"];
    assert!(ours.iter().all(|option| used.contains(*option)), "{used:?}");
    used.extend(named.captures_iter(&guide).map(|found| found[1].to_owned()));
    for option in used {
        assert!(known.contains(&option), "{option} is documented and does not exist");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_rates_as_safe() {
    let path = repository_file("install/hub/trueup-hub.service");
    let unit = fs::read_to_string(&path).unwrap();
    for line in [
        "DynamicUser=yes",
        "StateDirectory=trueup-hub",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    let Ok(rated) = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&path)
        .output()
    else {
        return;
    };
    // Below 2.0 of 10.
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
    let folder = tempfile::tempdir().unwrap();
    let program = find_binary("trueup-hub").unwrap();
    let verified = folder.path().join("trueup-hub.service");
    let text = unit.replace("/usr/local/bin/trueup-hub", program.to_str().unwrap());
    fs::write(&verified, text).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&verified).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("trueup-hub.service"), "{said}");
}

#[test]
fn the_container_file_ends_in_an_image_without_a_shell_or_root() {
    let text = fs::read_to_string(repository_file("install/hub/Containerfile")).unwrap();
    let joined = text.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().map(str::trim).collect();
    let instructions: Vec<&str> =
        lines.iter().copied().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let known = [
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "USER",
        "ENV",
        "VOLUME",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ];
    for line in &instructions {
        let word = line.split_whitespace().next().unwrap();
        assert!(known.contains(&word), "{line}");
        // The form with a shell does not work in an image without one.
        if ["ENTRYPOINT", "CMD"].contains(&word) {
            let list: Vec<String> = serde_json::from_str(line[word.len()..].trim()).unwrap();
            assert!(!list.is_empty());
        }
    }
    let last_stage = instructions.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    assert_eq!(instructions[last_stage], "FROM scratch");
    assert!(instructions[last_stage..].contains(&"USER 65532:65532"));
    assert!(instructions[last_stage..].iter().any(|line| line.contains("\"check\"")));
}

#[test]
fn a_backup_is_made_while_the_hub_runs_and_a_restore_is_told_to_clients_that_are_ahead() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let hub = HubProcess::start(&home);
    home.add_item("BEFORE");
    let mut stream = SocketClient::open(hub.address, &token, "/ws");
    let at_backup = next(&stream.message());
    run_block(&home, &code_block("hub.md", "sh backup", "db backup"));
    // More than a restore itself writes: a cursor that is reached again cannot be told from one
    // that was kept.
    for number in 0..5 {
        home.add_item(&format!("AFTER-{number}"));
    }
    let message = loop {
        let message = stream.message();
        if events(&message).iter().any(|event| event["key"] == "AFTER-4") {
            break message;
        }
    };
    let ahead = next(&message);
    let restore = code_block("hub.md", "sh restore", "db restore");
    let refused = run_commands(&home, &format!("export TRUEUP_DEADLINE_MS=500\n{restore}"));
    assert!(!refused.status.success(), "the hub has the file open: {refused:?}");
    assert_eq!(item_keys(&home).len(), 6);
    hub.terminate();
    assert!(hub.wait().0);
    run_block(&home, &restore);
    assert_eq!(item_keys(&home), ["BEFORE"]);
    let hub = HubProcess::start(&home);
    let refusal = SocketClient::try_open(hub.address, &token, &format!("/ws?since={ahead}"));
    assert_eq!(refusal.err(), Some((400, "cursor_ahead".to_owned())));
    let mut stream = SocketClient::open(hub.address, &token, &format!("/ws?since={at_backup}"));
    home.add_item("LATER");
    stream.event(|event| event["key"] == "LATER");
    let listed = hub.get("/api/items", &token).json();
    let keys: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["BEFORE", "LATER"], "every connection of the hub sees the restored database");
}

#[test]
fn clients_of_the_version_before_and_after_are_served_or_told() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "agent");
    let hub = HubProcess::start(&home);
    let health = hub.send(&RawRequest::new("GET", "/healthz")).json();
    assert!(health["protocol"].is_u64() && health["schema"].is_u64(), "{health}");
    // A later client says more than this hub knows.
    let later = json!({"item": null, "of_a_later_version": {"nested": [1]}});
    let answer = hub.post("/rpc/load_lineage", &token, &later);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = hub.post("/rpc/of_a_later_version", &token, &json!({}));
    assert_eq!((answer.status, answer.error_code().as_str()), (404, "unknown_operation"));
}

#[test]
fn a_file_whose_schema_is_newer_is_refused_at_the_start_and_stays_as_it_is() {
    if skip_over_postgres("the database of one machine") {
        return;
    }
    let home = Home::new();
    run_block(&home, "trueup db migrate");
    home.open_database().execute_batch("PRAGMA user_version = 9999").unwrap();
    let output = run_hub(&home, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("newer"), "{output:?}");
    let version: i64 = home.query_value("PRAGMA user_version", []);
    assert_eq!(version, 9999);
}

/// `HAProxy` with the guide's configuration, before two hubs.
struct Proxy {
    _process: TiedProcess,
    address: SocketAddr,
}

impl Proxy {
    /// Starts it; `None` where it is not installed.
    fn start(hubs: [&HubProcess; 2]) -> Option<Self> {
        let program = ["/usr/sbin/haproxy", "/usr/bin/haproxy", "/usr/local/sbin/haproxy"]
            .into_iter()
            .find(|path| Path::new(path).exists())?;
        let port = free_port();
        let config = code_block("hub.md", "haproxy", "backend hubs")
            .replace("127.0.0.1:8443", &format!("127.0.0.1:{port}"))
            .replace("127.0.0.1:7717", &hubs[0].address.to_string())
            .replace("127.0.0.1:7718", &hubs[1].address.to_string());
        let directory = new_directory();
        let file = directory.join("haproxy.cfg");
        fs::write(&file, config).unwrap();
        give_away(&file);
        let mut line = run_unprivileged(Path::new(program));
        line.extend(["-db".into(), "-f".into(), file.into_os_string()]);
        let process = TiedProcess::start(directory, "TERM", &line);
        process.wait_for_port(port);
        Some(Self { _process: process, address: (Ipv4Addr::LOCALHOST, port).into() })
    }
}

/// Reads a stream up to an item, and opens it again by its cursor when it ends.
struct Follower<'a> {
    open: Box<dyn Fn(Option<i64>) -> SocketClient + 'a>,
    client: SocketClient,
    cursor: i64,
    reopened: u32,
    added: Vec<String>,
}

impl<'a> Follower<'a> {
    fn start(open: impl Fn(Option<i64>) -> SocketClient + 'a) -> Self {
        let mut client = open(None);
        let cursor = next(&client.message());
        Self { open: Box::new(open), client, cursor, reopened: 0, added: Vec::new() }
    }

    fn read_until(&mut self, item: &str) {
        while !self.added.iter().any(|key| key == item) {
            match self.client.receive() {
                Received::Message(message) => {
                    let items = events(&message).iter().filter(|event| event["entity"] == "item");
                    self.added.extend(items.map(|event| event["key"].as_str().unwrap().to_owned()));
                    self.cursor = next(&message);
                }
                Received::End(_) => {
                    self.reopened += 1;
                    self.client = (self.open)(Some(self.cursor));
                }
            }
        }
    }
}

#[test]
fn of_two_hubs_behind_a_proxy_one_may_die() {
    let Some(database) = TestDatabase::create() else { return };
    let home = Home::new();
    let url = database.add_user("trueup_hub");
    let begin = || {
        let arguments = [
            "serve",
            "--database",
            &url,
            "--listen",
            "127.0.0.1:0",
            "--behind-proxy",
            "--host",
            "hub.example.com",
        ];
        HubProcess::begin(prepare_hub(&home, &arguments))
    };
    let made =
        run_hub(&home, &["token", "create", "machine", "--role", "agent", "--database", &url]);
    let token = made.stdout.trim();
    assert!(token.starts_with("tuh_"), "{made:?}");
    let (first, second) = (begin(), begin());
    let Some(proxy) = Proxy::start([&first, &second]) else { return };
    let machine = Home::new();
    let add = |key: &str| {
        let output = machine
            .prepare_run("trueup")
            .args(["item", "add", key])
            .env("TRUEUP_DATABASE_URL", format!("http://{}", proxy.address))
            .env("TRUEUP_API_TOKEN", token)
            .wait();
        assert_eq!(output.code, Some(0), "{key}: {output:?}");
    };
    // A proxy that just lost a hub may refuse for a moment; a browser tries again as well.
    let open = |since: Option<i64>| loop {
        let path = since.map_or("/ws".to_owned(), |cursor| format!("/ws?since={cursor}"));
        match SocketClient::try_open(proxy.address, token, &path) {
            Ok(client) => return client,
            Err((502..=504, _)) => {}
            Err(refusal) => panic!("{refusal:?}"),
        }
    };
    add("I-0");
    // By the fewest connections, one stream goes to each hub.
    let mut followers = [Follower::start(open), Follower::start(open)];
    add("I-1");
    first.kill();
    let mut expected = vec!["I-1".to_owned()];
    for number in 2..8 {
        let key = format!("I-{number}");
        add(&key);
        expected.push(key);
    }
    for follower in &mut followers {
        follower.read_until("I-7");
        assert_eq!(follower.added, expected, "each once, in order");
    }
    let reopened: u32 = followers.iter().map(|follower| follower.reopened).sum();
    assert!(reopened > 0, "one of the streams was at the hub that died");
    drop(second);
}
