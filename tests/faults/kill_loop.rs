//! `kill -9` at random moments of a process's run time, as often as a test wants.
//!
//! The run time depends on the machine and its load, so it is learned: a run that ended before its
//! kill shortens the time in which the next one is killed, and a kill in time lengthens it. About
//! seven of ten runs are killed, at moments spread over the whole run time.

use std::io::Write as _;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use support::home::ProcessRun;

/// The first guess of a run time, in microseconds.
const FIRST_GUESS: u64 = 10_000;

/// How many runs may end too early for each wanted kill.
const RUNS_PER_KILL: usize = 20;

/// A small deterministic random number generator (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    /// Seeds from `TRUEUP_TEST_SEED`, else with a fixed seed; every failure prints it.
    fn new() -> Self {
        let seed = std::env::var("TRUEUP_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or(0x5EED_0001);
        println!("TRUEUP_TEST_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// The end of a run that was to be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was killed while it ran.
    Killed,
    /// It had ended before, successfully.
    Done,
    /// It had ended before, with another exit code than 0.
    Failed,
}

/// Kills runs until as many were killed as a test wants.
pub(crate) struct KillLoop {
    pub(crate) chance: Chance,
    life: u64,
    wanted: usize,
    kills: usize,
    runs: usize,
}

impl KillLoop {
    /// Begins a loop with so many kills; runs that ended before do not count.
    pub(crate) fn new(wanted: usize) -> Self {
        Self { chance: Chance::new(), life: FIRST_GUESS, wanted, kills: 0, runs: 0 }
    }

    /// Takes other moments than the loops of other numbers do.
    pub(crate) fn with_stream(mut self, number: u64) -> Self {
        for _ in 0..=number {
            self.chance = Chance(self.chance.below(u64::MAX) | 1);
        }
        self
    }

    /// Begins with a run time that was measured.
    pub(crate) fn with_life(self, life: Duration) -> Self {
        Self { life: u64::try_from(life.as_micros()).unwrap(), ..self }
    }

    /// Returns whether another kill is wanted.
    #[track_caller]
    pub(crate) fn goes_on(&self) -> bool {
        assert!(
            self.runs < RUNS_PER_KILL * self.wanted,
            "of {} runs only {} could be killed",
            self.runs,
            self.kills
        );
        self.kills < self.wanted
    }

    /// Returns how many runs there were.
    pub(crate) const fn runs(&self) -> usize {
        self.runs
    }

    /// Starts a run, sends it `input`, and kills it at a random moment.
    pub(crate) fn kill(&mut self, run: ProcessRun<'_>, input: &[u8]) -> Fate {
        let moment = Duration::from_micros(self.chance.below(self.life));
        let status = kill_after(run, input, moment);
        self.runs += 1;
        match (status.code(), status.success()) {
            (None, _) => {
                self.kills += 1;
                self.life += self.life / 8 + 1;
                Fate::Killed
            }
            (Some(_), success) => {
                self.life -= self.life / 4;
                if success { Fate::Done } else { Fate::Failed }
            }
        }
    }
}

/// Starts a process, and kills it after `moment` unless it ended before.
fn kill_after(mut run: ProcessRun<'_>, input: &[u8], moment: Duration) -> ExitStatus {
    let mut child = run.spawn();
    let mut stdin = child.stdin.take().unwrap();
    // The pipe can hold a payload of this size, and a process that died early closes it.
    let _ = stdin.write_all(input);
    drop(stdin);
    // Waits for its end, but no longer than that.
    let mut stdout = child.stdout.take().unwrap();
    let (running, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _running = running;
        std::io::copy(&mut stdout, &mut std::io::sink())
    });
    let _ = ended.recv_timeout(moment);
    child.kill().unwrap();
    child.wait().unwrap()
}
