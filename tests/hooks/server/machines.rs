//! Two machines with one database: each has its own `TRUEUP_HOME`, clone and host name.

use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION, spawn_bystander};
use support::host_name::can_rename_host;
use support::postgres::TestDatabase;

use super::fixture::{home_with_url, on_host, query};

/// A machine with one session.
struct Machine {
    home: Home,
    host: &'static str,
    session: &'static str,
}

impl Machine {
    fn hook(&self, hook: &str, fixture: &str) -> ProcessOutput {
        let payload = self.home.payload(fixture).for_session(self.session);
        on_host(self.home.prepare_run(hook).payload(&payload), self.host).wait()
    }

    fn start(&self) -> ProcessOutput {
        self.hook("session-start-sync", "session-start.startup").ok()
    }

    /// Reads the server, as a hook has it done, and sends a prompt.
    fn prompt(&self) -> ProcessOutput {
        self.pull();
        self.hook("session-start-sync", "user-prompt-submit").ok()
    }

    fn pull(&self) {
        self.trueup(&["pull"]).ok();
    }

    fn trueup(&self, arguments: &[&str]) -> ProcessOutput {
        let run = self.home.prepare_run("trueup").args(arguments);
        on_host(run.args(["--json", "--session", self.session]), self.host).wait()
    }
}

/// Two machines, a session on each.
fn two_machines() -> Option<(TestDatabase, Machine, Machine)> {
    let database = can_rename_host().then(TestDatabase::create)??;
    let url = database.add_user("trueup_client");
    let machine = |host, session| Machine { home: home_with_url(&url), host, session };
    let (first, second) = (machine("east", FIRST_SESSION), machine("west", SECOND_SESSION));
    first.start();
    second.start();
    let hosts = "SELECT string_agg(host, ',' ORDER BY host) FROM claude_sessions";
    assert_eq!(query(&database, hosts), "east,west");
    Some((database, first, second))
}

#[test]
fn what_one_pushes_the_other_is_told_once_at_its_next_prompt() {
    let Some((database, first, second)) = two_machines() else { return };
    first.trueup(&["claim", "SD-002C", "--create"]).ok();
    first.hook("checkpoint-push", "post-tool-use.todo-write").assert_silent();
    first.pull();
    second.prompt().assert_silent();
    let create =
        ["handoff", "create", "PLAN-TO-EXEC", "--to", SECOND_SESSION, "--summary", "it stands"];
    let id =
        first.trueup(&create).ok().json()["data"]["handoff"]["id"].as_str().unwrap().to_owned();
    let context = second.prompt().context();
    assert!(context.contains(&id) && context.contains("it stands"), "{context}");
    second.prompt().assert_silent();
    second.trueup(&["handoff", "accept", &id]).ok();
    assert_eq!(second.home.read_cache()["currentSd"], "SD-002C");
    assert_eq!(second.home.read_cache()["currentTask"], "write the test");
    let context = first.prompt().context();
    assert!(context.contains("item=none") && context.contains("accepted"), "{context}");
    assert_eq!(first.home.read_cache()["currentSd"], serde_json::Value::Null);
    first.prompt().assert_silent();
    let holder = query(&database, "SELECT holder FROM work_items WHERE key = 'SD-002C'");
    assert_eq!(holder, SECOND_SESSION);
}

#[test]
fn a_session_of_another_machine_lives_as_long_as_its_lease() {
    let Some((database, first, second)) = two_machines() else { return };
    second.trueup(&["claim", "SD-002C", "--create"]).ok();
    // A process that ran on that machine and is gone: here nobody can tell.
    let pid = spawn_bystander().pid();
    let process = format!("UPDATE claude_sessions SET pid = {pid} WHERE host = 'west'");
    query(&database, &process);
    let holder = "SELECT coalesce(holder, 'nobody') FROM work_items WHERE key = 'SD-002C'";
    first.start();
    assert_eq!(query(&database, holder), SECOND_SESSION);
    let claim = first.trueup(&["claim", "SD-002C"]);
    assert_eq!(claim.code, Some(1), "{claim:?}");
    assert_eq!(claim.json()["error"]["code"], "held_by_live_session");

    let silence = |seconds: u32| {
        let sql = format!(
            "SET session_replication_role = replica;
             UPDATE claude_sessions SET
                 heartbeat_at = to_char((now() - interval '{seconds} seconds') AT TIME ZONE 'UTC',
                                        'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
                 lease_expires_at = to_char((now() - interval '1 second') AT TIME ZONE 'UTC',
                                        'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
             WHERE host = 'west'"
        );
        query(&database, &sql);
        first.start();
        query(&database, holder)
    };
    assert_eq!(silence(1_000), SECOND_SESSION, "its process cannot be checked from here");
    assert_eq!(silence(1_900), "nobody");
    let context = second.prompt().context();
    assert!(context.contains("SD-002C"), "{context}");
    second.prompt().assert_silent();
}
