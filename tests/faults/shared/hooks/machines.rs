//! Two machines that change the state of one session, one of them without a network.

use support::network::faulty_proxy::{Fault, FaultSwitch, FaultyProxy};

use super::super::scene::{Server, url_by};
use super::fixture::{RemoteSession, step_name};

/// A session of two machines, one of which is reached by a network that may fail.
struct TwoMachines {
    away: RemoteSession<'static>,
    present: RemoteSession<'static>,
    network: FaultSwitch,
}

impl TwoMachines {
    fn start() -> Option<Self> {
        let server = Server::shared()?;
        let (proxy, network) = FaultyProxy::start_switched(server.postgres.port);
        let away = RemoteSession::start(server, url_by("agent", proxy.port));
        away.push(0).ok();
        away.pull();
        away.await_quiet();
        let present = away.resume_elsewhere(server.url());
        assert_eq!(present.home.read_cache()["currentTask"], step_name(0));
        Some(Self { away, present, network })
    }
}

/// One machine writes while it is away, the other one meanwhile changes the session in this way.
fn lose_to(change: impl Fn(&RemoteSession<'_>), is_agent_told: bool) {
    let Some(TwoMachines { away, present, network }) = TwoMachines::start() else { return };
    network.set(Fault::CutAfter(0));
    away.go_on("away", 1..3);
    change(&present);
    network.set(Fault::None);
    away.pull();
    assert_eq!(away.list_tasks(), [0, 3].map(step_name));
    let journal = away.home.read_lines("journal.jsonl");
    let lost: Vec<_> = journal.iter().map(|entry| &entry["fields"]["Task"]).collect();
    assert_eq!(lost, [&step_name(1), &step_name(2)]);

    let output = away.prompt().ok();
    let told = output.message();
    assert_eq!(told.iter().filter(|line| line.contains("lost to a newer")).count(), 2, "{told:?}");
    if is_agent_told {
        assert!(output.context().contains(&step_name(3)), "{output:?}");
    }
    assert_eq!(away.home.read_cache()["currentTask"], step_name(3));
    away.pull();
    away.prompt().assert_silent();
    present.pull();
    present.prompt().assert_silent();

    // Whoever goes on where the other one stopped is late no more.
    away.push(4).ok();
    away.pull();
    present.pull();
    assert_eq!(present.home.read_cache()["currentTask"], step_name(4));
    present.push(5).ok();
    present.pull();
    assert_eq!(away.list_tasks(), [0, 3, 4, 5].map(step_name));
    assert_eq!(away.home.read_lines("journal.jsonl").len(), 2);
    present.check_nothing_set_aside("present");
}

#[test]
fn what_an_offline_machine_wrote_too_late_is_kept_in_its_journal_and_told_once() {
    lose_to(|present| drop(present.command(&["set", "--task", &step_name(3)]).ok()), true);
}

/// The session is told of its own hooks' writes by nobody, on whichever machine they run.
#[test]
fn what_hooks_of_another_machine_wrote_meanwhile_wins_as_a_command_does() {
    let push = |present: &RemoteSession<'_>| {
        present.push(3).ok();
        present.pull();
    };
    lose_to(push, false);
}
