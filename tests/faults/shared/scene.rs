//! A server with a database of trueup, and commands that reach it well or badly.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::certificates::Authority;
use support::files::find_files_with;
use support::home::{Home, ProcessOutput, ProcessRun};
use support::postgres::{PostgresServer, ServerOptions};
use trueup_core::store::sql::{PostgresFlavor, postgres_schema};

/// What every password, key and token of these tests contains, and nothing that is printed or kept.
pub(super) const SECRET: &str = "s3cret";

/// The deadline of commands that only their deadline ends, in milliseconds. All others have a
/// minute.
pub(super) const SHORT_DEADLINE_MS: &str = "2000";

/// How long a command may take on a machine that has much else to do: less than the minute that
/// one would wait for, which goes on although nothing will change.
const LIMIT: Duration = Duration::from_secs(45);

/// How many cases of a table run at the same time. Most of them wait.
const WORKERS: usize = 6;

/// Users of the database, each of whom something is wrong with except the first.
const USERS: &str = "\
    CREATE ROLE agent LOGIN PASSWORD 's3cret-p' IN ROLE trueup_client;
    CREATE ROLE readonly LOGIN PASSWORD 's3cret-p' IN ROLE trueup_client;
    ALTER ROLE readonly SET default_transaction_read_only = on;
    CREATE ROLE powerless LOGIN PASSWORD 's3cret-p';
    CREATE DATABASE empty;
    CREATE DATABASE closed;
    REVOKE CONNECT ON DATABASE closed FROM PUBLIC;";

/// The superuser and standbys come by the local socket, everybody else by TCP with a password.
const ADMISSION: &str = "\
    local all all trust\n\
    local replication all trust\n\
    host all all 127.0.0.1/32 scram-sha-256\n";

/// A server with TLS, and a database `work` of trueup.
pub(super) struct Server {
    pub(super) postgres: PostgresServer,
    pub(super) authority: Authority,
}

impl Server {
    /// Starts a server of a test's own; `None`, said aloud, where none is installed.
    pub(super) fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts a server with settings.
    pub(super) fn start_with(settings: &str) -> Option<Self> {
        let authority = Authority::new();
        let identity = authority.sign("localhost");
        let options =
            ServerOptions { admission: Some(ADMISSION), identity: Some(&identity), settings };
        let postgres = PostgresServer::start(&options)?;
        postgres.run_sql("postgres", "CREATE DATABASE work");
        postgres.run_sql("work", &postgres_schema(PostgresFlavor::Postgres));
        postgres.run_sql("work", USERS);
        Some(Self { postgres, authority })
    }

    /// Returns the server of the tests that leave it as it is.
    pub(super) fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    /// Returns the URL that works.
    pub(super) fn url(&self) -> String {
        url_by("agent", self.postgres.port)
    }
}

/// Returns the URL of the database `work` for a user, by a port of this machine.
pub(super) fn url_by(user: &str, port: u16) -> String {
    format!("postgres://{user}:s3cret-p@127.0.0.1:{port}/work?sslmode=disable")
}

/// When a command that fails gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Nothing will change, so it does not wait.
    AtOnce,
    /// The next attempt may succeed, or nothing ever answers.
    AtDeadline,
}

/// What a failing command is expected to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    /// The code in JSON.
    pub(super) code: &'static str,
    /// What its line contains.
    pub(super) problem: &'static str,
    /// What its hint contains.
    pub(super) hint: &'static str,
    pub(super) ends: Ends,
}

impl Failure {
    /// The database cannot be used, and nothing will change that.
    pub(super) const fn unavailable(problem: &'static str, hint: &'static str) -> Self {
        Self { code: "store_unavailable", problem, hint, ends: Ends::AtOnce }
    }

    /// The server answers, and lets this user do less.
    pub(super) const fn not_permitted(problem: &'static str, hint: &'static str) -> Self {
        Self { code: "not_permitted", ..Self::unavailable(problem, hint) }
    }

    /// Others use what is needed.
    pub(super) const fn contended(problem: &'static str, hint: &'static str) -> Self {
        Self { code: "store_contended", problem, hint, ends: Ends::AtOnce }
    }

    /// The same failure, but the command goes on until its deadline.
    pub(super) const fn at_deadline(self) -> Self {
        Self { ends: Ends::AtDeadline, ..self }
    }
}

/// A way to the database that fails.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) failure: Failure,
}

impl Case {
    pub(super) fn new(name: impl Into<String>, url: impl Into<String>, failure: Failure) -> Self {
        Self { name: name.into(), url: url.into(), failure }
    }
}

/// A scratch whose commands use a database of a server.
pub(super) struct Scene<'s> {
    pub(super) home: Home,
    server: &'s Server,
}

impl<'s> Scene<'s> {
    pub(super) fn new(server: &'s Server) -> Self {
        Self { home: Home::new(), server }
    }

    /// Checks all cases of a table.
    pub(super) fn check_all(&self, cases: &[Case]) {
        check_each(cases, |case| self.check(case));
    }

    /// Prepares a command that reaches the database by a URL.
    pub(super) fn command(&self, url: &str, arguments: &[&str]) -> ProcessRun<'_> {
        prepare_command(&self.home, url, arguments)
    }

    /// Runs a writing command that fails, as a person and as a script see it. Nothing is half done,
    /// no credential is shown or kept, and the same command takes effect once when the way is
    /// clear.
    pub(super) fn check(&self, case: &Case) {
        let Case { name, url, failure } = case;
        let key = new_key();
        let add = ["item", "add", &key, "--op-id", &key];
        let outputs = check_failing(&self.home, name, url, &add, *failure);
        let (items, events) = self.count(&key);
        assert!(items == events && items <= 1, "{name}: {items} items, {events} events");
        let is_doubtful = outputs.iter().any(|output| shows(output, DOUBT));
        assert!(items == 0 || is_doubtful, "{name}: the item is there, and {outputs:?}");
        self.check_repetition(name, &add, &key);
        self.check_secrets(name, &outputs);
    }

    /// Runs a writing command that fails where there is no other way to the database.
    pub(super) fn check_failing(&self, case: &Case) {
        let Case { name, url, failure } = case;
        let outputs = check_failing(&self.home, name, url, &["item", "add", &new_key()], *failure);
        assert!(outputs.iter().all(|output| !shows(output, SECRET)), "{name}: {outputs:?}");
    }

    /// Repeats an operation where the way is clear.
    pub(super) fn check_repetition(&self, name: &str, add: &[&str], key: &str) {
        for _ in 0..2 {
            self.command(&self.server.url(), add).wait().ok();
            assert_eq!(self.count(key), (1, 1), "{name}: the same operation takes effect once");
        }
    }

    /// Returns how many items have a key, and how many events tell that it was added.
    pub(super) fn count(&self, key: &str) -> (u32, u32) {
        let sql = format!(
            "SELECT (SELECT count(*) FROM trueup.work_items WHERE key = '{key}'),
                 (SELECT count(*) FROM trueup.events WHERE key = '{key}' AND kind = 'added')"
        );
        let counts = self.server.postgres.run_sql("work", &sql);
        let (items, events) = counts.split_once('|').unwrap();
        (items.parse().unwrap(), events.parse().unwrap())
    }

    /// Looks for credentials in what was printed, in the files of trueup and in the database.
    pub(super) fn check_secrets(&self, name: &str, outputs: &[ProcessOutput]) {
        for output in outputs {
            assert!(!shows(output, SECRET), "{name}: {output:?}");
        }
        for dir in [self.home.trueup_home(), self.home.project_dir().join(".claude")] {
            assert_eq!(find_files_with(&dir, SECRET), [""; 0], "{name}");
        }
        let sql = format!(
            "SELECT count(*) FROM trueup.events AS event WHERE event::text LIKE '%{SECRET}%'"
        );
        assert_eq!(self.server.postgres.run_sql("work", &sql), "0", "{name}");
    }
}

/// Checks all cases of a table, some at the same time.
pub(super) fn check_each<C: Sync>(cases: &[C], check: impl Fn(&C) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(case);
        }
    };
    thread::scope(|scope| {
        for worker in [(); WORKERS].map(|()| scope.spawn(work)) {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// What a command says that does not know whether its write was made.
pub(super) const DOUBT: &str = "the write may have been made";

fn without_doubt(line: &str) -> &str {
    line.strip_suffix(DOUBT).map_or(line, |line| line.trim_end_matches("; "))
}

/// Returns whether a command printed a text.
pub(super) fn shows(output: &ProcessOutput, text: &str) -> bool {
    output.stdout.contains(text) || output.stderr.contains(text)
}

/// Prepares a command that reaches the database by a URL.
pub(super) fn prepare_command<'h>(home: &'h Home, url: &str, arguments: &[&str]) -> ProcessRun<'h> {
    prepare_program(home, "trueup", url).args(arguments)
}

/// Prepares a program of the product that reaches the database by a URL.
pub(super) fn prepare_program<'h>(home: &'h Home, program: &str, url: &str) -> ProcessRun<'h> {
    home.prepare_run(program)
        .env("TRUEUP_DATABASE_URL", url)
        .env("TRUEUP_API_KEY", "s3cret-k")
        .env("TRUEUP_API_TOKEN", "s3cret-t")
        .env("TRUEUP_LOG", "debug")
}

/// Runs a command that fails twice: as a person sees it, then as a script does; returns both
/// outputs. There is one line with the cause, one with a hint, and in JSON the code.
pub(super) fn check_failing(
    home: &Home,
    name: &str,
    url: &str,
    arguments: &[&str],
    failure: Failure,
) -> [ProcessOutput; 2] {
    let text = run_failing(name, prepare_command(home, url, arguments), failure.ends);
    assert_eq!((text.code, text.stdout.as_str()), (Some(3), ""), "{name}: {text:?}");
    let lines: Vec<&str> = text.stderr.lines().collect();
    let [line, hint] = lines[..] else { panic!("{name}: {text:?}") };
    assert!(line.starts_with(&arguments[..2].join(" ")), "{name}: {text:?}");
    assert!(line.contains(failure.problem), "{name}: {text:?}");
    assert!(hint.starts_with("hint: ") && hint.contains(failure.hint), "{name}: {text:?}");

    let script = [arguments, &["--json"]].concat();
    let json = run_failing(name, prepare_command(home, url, &script), failure.ends);
    assert_eq!((json.code, json.stderr.as_str()), (Some(3), ""), "{name}: {json:?}");
    let envelope = json.json();
    let error = &envelope["error"];
    assert_eq!(error["code"], failure.code, "{name}: {json:?}");
    // Whether the last attempt came as far as a commit may differ.
    let message = without_doubt(error["message"].as_str().unwrap());
    assert!(without_doubt(line).ends_with(message), "{name}: {line}: {json:?}");
    assert_eq!(error["hint"], hint.trim_start_matches("hint: "), "{name}: {json:?}");
    [text, json]
}

/// Runs a command that must end in time.
pub(super) fn run_failing(name: &str, run: ProcessRun<'_>, ends: Ends) -> ProcessOutput {
    let run = match ends {
        Ends::AtOnce => run,
        Ends::AtDeadline => run.env("TRUEUP_DEADLINE_MS", SHORT_DEADLINE_MS),
    };
    let begun = Instant::now();
    let output = run.wait();
    assert!(begun.elapsed() < LIMIT, "{name}: took {:?}: {output:?}", begun.elapsed());
    output
}

/// Waits until the log of a server has said so often that it refuses something.
pub(super) fn await_refusals(server: &PostgresServer, refusal: &str, count: usize) {
    let begun = Instant::now();
    while server.read_log().matches(refusal).count() < count {
        assert!(begun.elapsed() < LIMIT, "the server does not say {refusal:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns a key that no test of this process has used.
pub(super) fn new_key() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    format!("FAULT-{:03}", NUMBER.fetch_add(1, Ordering::Relaxed))
}
