//! Two machines share one database by HTTPS, through the gateway of Supabase, and a file on the
//! second one names the item before: database and branch say SD-002C, the file says SD-002B.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};
use support::client::{FinishedRun, HarnessResult, LiveClient, Scratch, Turn};
use support::host_name::can_rename_host;
use support::postgres::TestDatabase;
use support::supabase::SupabaseServer;

use crate::fixture::{ITEM, OTHER_ITEM};

/// More than any hook takes: the machine that runs the test may be busy.
const DEADLINE: Duration = Duration::from_mins(1);

/// The hand-off from the second machine to the first.
const SUMMARY: &str = "the plan stands";

/// Two machines with a clone each, a database for both, and a session on each.
struct TwoMachines {
    database: TestDatabase,
    /// Ends with the test.
    _gateway: SupabaseServer,
    east: Scratch,
    west: Scratch,
    /// The session on the first machine.
    lead: String,
    /// The session on the second machine.
    worker: String,
}

impl TwoMachines {
    /// Lets the second machine's session work on SD-002B; `None` where that cannot be run.
    fn begin() -> HarnessResult<Option<Self>> {
        let (Some(east), Some(west)) = (Scratch::with_product()?, Scratch::with_product()?) else {
            return Ok(None);
        };
        let Some(database) = can_rename_host().then(TestDatabase::create_supabase).flatten() else {
            return Ok(None);
        };
        let Some(gateway) = SupabaseServer::start(&database) else {
            return Ok(None);
        };
        let (east, west) = (east.on_host("east"), west.on_host("west"));
        for machine in [&east, &west] {
            configure(machine, &gateway)?;
        }
        let origin = east.repo().with_file_name("origin.git");
        let origin = origin.to_str().ok_or("the path is not UTF-8")?;
        east.run_git(&["init", "-q", "--bare", "-b", "main", origin])?;
        for machine in [&east, &west] {
            machine.run_git(&["remote", "add", "origin", origin])?;
        }
        east.run_git(&["push", "-q", "-u", "origin", "main"])?;
        west.run_git(&["fetch", "-q"])?;
        west.run_git(&["reset", "-q", "--hard", "origin/main"])?;
        let setup = format!(
            "trueup item add SD-002 --kind orchestrator && \
             trueup item add {OTHER_ITEM} --parent SD-002 --position 2 && \
             trueup item add {ITEM} --parent SD-002 --position 3 --title Fences && \
             trueup claim {OTHER_ITEM} && trueup set --phase EXEC --task 'the child before'"
        );
        let mut live = west.plan_run([Turn::bash(&setup)]).open_session()?;
        live.send("take the first child")?;
        // A client that is killed does not end its session: on another machine it counts as alive.
        live.kill()?;
        let lead = east.plan_run([]).run_prompt("hello")?.session_id()?;
        let mut machines =
            Self { database, _gateway: gateway, east, west, lead, worker: String::new() };
        machines.worker = machines.holder_of(OTHER_ITEM);
        Ok(Some(machines))
    }

    fn query(&self, sql: &str) -> String {
        let sql = format!("SET search_path = trueup; {sql}");
        self.database.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    fn holder(&self) -> String {
        self.holder_of(ITEM)
    }

    fn holder_of(&self, item: &str) -> String {
        let sql = "SELECT coalesce(holder, 'nobody') FROM work_items WHERE key =";
        self.query(&format!("{sql} '{item}'"))
    }
}

/// Lets a machine use the database behind a gateway.
fn configure(machine: &Scratch, gateway: &SupabaseServer) -> HarnessResult<()> {
    let home = machine.trueup_home();
    for (name, credential) in [("key", gateway.key), ("token", gateway.token)] {
        fs::write(home.join(name), credential)?;
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o600))?;
    }
    let config = format!(
        "database_url = {:?}\ndeadline_ms = {}\napi_key_file = '{}'\napi_token_file = '{}'\n",
        gateway.url,
        DEADLINE.as_millis(),
        home.join("key").display(),
        home.join("token").display(),
    );
    fs::write(home.join("config.toml"), config)?;
    Ok(())
}

#[track_caller]
fn assert_ran(run: &FinishedRun, fragment: &str) -> HarnessResult<()> {
    let result = run.last_request()?.tool_result_of(fragment).ok_or("Bash did not run")?;
    assert!(!result.is_error, "{fragment}: {}", result.text);
    Ok(())
}

/// What a running client's last prompt was given by hooks.
fn prompt_context(live: &LiveClient) -> Vec<String> {
    let last = live.conversation().pop();
    last.map(|request| request.hook_context("UserPromptSubmit")).unwrap_or_default()
}

#[test]
fn a_stale_file_on_the_second_machine_misleads_nobody() -> HarnessResult<()> {
    let Some(machines) = TwoMachines::begin()? else {
        return Ok(());
    };
    let TwoMachines { east, west, lead, worker, .. } = &machines;

    // The first machine moves the worker on to the next child. The branch is there, the database
    // knows, and the file on the second machine does not.
    let move_on = format!(
        "trueup item transition {OTHER_ITEM} completed --session {worker} && \
         trueup next --claim --parent SD-002 --session {worker} && \
         git switch -q -c feat/{ITEM}-x && git push -q -u origin HEAD"
    );
    let run = east.plan_run([Turn::bash(&move_on)]).resume(lead).run_prompt("move on")?;
    assert_ran(&run, "next --claim")?;
    west.run_git(&["fetch", "-q"])?;
    west.run_git(&["switch", "-q", &format!("feat/{ITEM}-x")])?;
    assert_eq!(&machines.holder(), worker);
    assert_eq!(west.read_cache()?["currentSd"], OTHER_ITEM, "the file is stale");

    // The session there is told what is true before its agent does anything.
    let run = west.plan_run([]).resume(worker).run_prompt("go on")?;
    let messages: Vec<String> = run
        .hooks("SessionStart")
        .iter()
        .map(support::client::HookResponse::system_message)
        .collect();
    let line = format!("⚠️ SD mismatch: file={OTHER_ITEM}, db_claim={ITEM}");
    assert!(messages.iter().any(|text| text.lines().any(|it| it == line)), "{messages:?}");
    let context = run.first_request()?.hook_context("SessionStart").join("\n");
    assert!(context.contains(&format!("item: {ITEM} (claimed)")), "{context}");
    assert_eq!(west.read_cache()?["currentSd"], ITEM);

    hand_over(&machines)?;
    keep_progress(&machines)?;
    compare_logs(&machines)
}

/// The worker's hand-off is refused on the branch of the child before, and arrives once that is put
/// right.
fn hand_over(machines: &TwoMachines) -> HarnessResult<()> {
    let TwoMachines { east, west, lead, worker, .. } = machines;
    let mut lead_client = east.plan_run([]).resume(lead).open_session()?;
    lead_client.send("first")?;
    let create = format!("trueup handoff create PLAN-TO-EXEC --to {lead} --summary '{SUMMARY}'");
    let switch = format!("git switch -q -c feat/{OTHER_ITEM}-x");
    let turns = [switch.as_str(), &create].map(Turn::bash);
    let run = west.plan_run(turns).resume(worker).run_prompt("hand it on")?;
    let refused = run.last_request()?.tool_result_of(&create).ok_or("no result")?;
    let line = format!(
        "⚠️ Branch mismatch: branch=feat/{OTHER_ITEM}-x names {OTHER_ITEM}, db_claim={ITEM}"
    );
    assert!(refused.is_error && refused.text.contains(&line), "{}", refused.text);
    let fix = format!("git switch feat/{ITEM}-x");
    assert!(refused.text.contains(&fix), "{}", refused.text);
    assert_eq!(machines.query("SELECT count(*) FROM handoffs"), "0", "a refused command ran");
    lead_client.send("second")?;
    assert_eq!(prompt_context(&lead_client), [""; 0]);

    let turns = [fix.as_str(), &create].map(Turn::bash);
    let run = west.plan_run(turns).resume(worker).run_prompt("put it right")?;
    assert_ran(&run, &create)?;
    // What others did is read beside the session, and told by the prompt after that.
    east.run_trueup(lead, &["pull"])?;
    lead_client.send("third")?;
    let told = prompt_context(&lead_client).join("\n");
    let id = machines.query("SELECT id FROM handoffs");
    for part in [id.as_str(), ITEM, SUMMARY] {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    lead_client.send("fourth")?;
    assert_eq!(prompt_context(&lead_client).len(), 1, "told again");
    assert_eq!(&machines.holder(), worker, "the item moves when it is accepted");
    east.run_trueup(lead, &["handoff", "accept", &id])?;
    lead_client.finish()?;
    assert_eq!(&machines.holder(), lead);
    let held = "SELECT count(*) FROM work_items WHERE holder IS NOT NULL";
    assert_eq!(machines.query(held), "1", "one item is held, and once");
    assert_eq!(east.read_cache()?["currentSd"], ITEM);
    Ok(())
}

/// The second machine's file still shows the item, and somebody edits it: neither reaches what the
/// first machine has recorded since.
fn keep_progress(machines: &TwoMachines) -> HarnessResult<()> {
    let TwoMachines { east, west, lead, worker, .. } = machines;
    let set = "trueup set --phase EXEC --task 'write the code'";
    let run = east.plan_run([Turn::bash(set)]).resume(lead).run_prompt("go on")?;
    assert_ran(&run, "trueup set")?;
    let mut cache = west.read_cache()?;
    assert_eq!(cache["currentSd"], ITEM, "the file is stale again");
    cache["currentPhase"] = json!("LEAD");
    fs::write(west.cache_path(), cache.to_string())?;
    let run = west.plan_run([]).resume(worker).run_prompt("go on")?;
    let context = run.first_request()?.hook_context("SessionStart").join("\n");
    assert!(context.contains("item: none"), "{context}");
    assert!(context.contains("was accepted by"), "{context}");
    assert_eq!(west.read_cache()?["currentSd"], Value::Null);
    let state = format!(
        "SELECT concat_ws(' ', metadata #>> '{{execution_state,currentSd}}',
                          metadata #>> '{{execution_state,currentPhase}}')
         FROM claude_sessions WHERE session_id = '{lead}'"
    );
    assert_eq!(machines.query(&state), format!("{ITEM} EXEC"));
    assert_eq!(&machines.holder(), lead);
    let journal = west.run_trueup(worker, &["journal", "list"])?;
    let entries = journal["data"]["entries"].as_array().map(Vec::len);
    assert_eq!(entries, Some(1), "the edit that came too late is kept: {journal}");
    Ok(())
}

/// Both machines show the same steps, each once.
fn compare_logs(machines: &TwoMachines) -> HarnessResult<()> {
    let TwoMachines { east, west, lead, worker, .. } = machines;
    let log = ["log", "--item", ITEM];
    let events = east.run_trueup(lead, &log)?["data"]["events"].take();
    assert_eq!(west.run_trueup(worker, &log)?["data"]["events"], events);
    let kinds: Vec<(&str, &str)> = events
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| {
            (
                event["kind"].as_str().unwrap_or_default(),
                event["actor"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let expected =
        [("added", worker.as_str()), ("claimed", worker), ("taken_over", lead), ("changed", lead)];
    assert_eq!(kinds, expected, "{events}");
    Ok(())
}
