//! A standby that follows its primary by streaming.

use std::thread;
use std::time::{Duration, Instant};

use support::home::ProcessOutput;
use support::postgres::PostgresServer;

use super::scene::{Case, Failure, Scene, Server, await_refusals, new_key, url_by};

/// How long the standby may need to catch up on a machine that has much else to do.
const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn a_standby_is_read_only_and_the_primary_is_found_among_several_hosts() {
    let Some(server) = Server::start() else { return };
    let standby = server.postgres.start_standby();
    let scene = Scene::new(&server);
    let read_only =
        Failure::unavailable("the server is read-only", "target_session_attrs").at_deadline();
    let hosts = |ports: [u16; 2]| {
        let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
        format!("postgres://agent:s3cret-p@{hosts}/work?target_session_attrs=read-write")
    };
    let unwanted = Failure::unavailable("the server is not read-write", "name the primary server")
        .at_deadline();
    scene.check_all(&[
        Case::new("a standby", url_by("agent", standby.port), read_only),
        Case::new("two standbys", hosts([standby.port; 2]), unwanted),
    ]);

    let key = new_key();
    let both = hosts([standby.port, server.postgres.port]);
    scene.command(&both, &["item", "add", &key]).wait().ok();
    assert_eq!(scene.count(&key), (1, 1));

    let begun = Instant::now();
    let arrived = format!("SELECT count(*) FROM trueup.work_items WHERE key = '{key}'");
    while standby.run_sql("work", &arrived) != "1" {
        assert!(begun.elapsed() < LIMIT, "the standby does not follow: {}", standby.read_log());
        thread::sleep(Duration::from_millis(20));
    }
    let show = ["item", "show", &key];
    scene.command(&url_by("agent", standby.port), &show).wait().ok();

    promote_while_a_command_waits(&scene, &standby);
}

/// A standby that takes over is waited for.
fn promote_while_a_command_waits(scene: &Scene<'_>, standby: &PostgresServer) {
    let refusal = "in a read-only transaction";
    let before = standby.read_log().matches(refusal).count();
    let key = new_key();
    let command = scene.command(&url_by("agent", standby.port), &["item", "add", &key]).spawn();
    await_refusals(standby, refusal, before + 2);
    standby.run_sql("work", "SELECT pg_promote()");
    ProcessOutput::wait_for(command).ok();
    let count = format!("SELECT count(*) FROM trueup.work_items WHERE key = '{key}'");
    assert_eq!(standby.run_sql("work", &count), "1");
}
