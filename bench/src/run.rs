//! One run: everything is measured in the same rounds, in changing order.

use std::process::ExitCode;
use std::time::Duration;

use crate::binaries::Binaries;
use crate::case::{self, CASES, Case, Floor};
use crate::measure::{self, Task};
use crate::scripts::{self, HookScript};
use crate::world::{Installation, Size};
use crate::{BenchError, print_progress};

/// How much a run does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    sizes: &'static [Size],
    rounds: usize,
    warm_up: usize,
}

/// The size most verdicts are about.
pub(crate) const MIDDLE: Size = Size { items: 1_000, sessions: 100 };
/// The size that must cost no more.
pub(crate) const LARGE: Size = Size { items: 100_000, sessions: 10_000 };

/// What the README quotes.
pub(crate) const FULL: Scale =
    Scale { sizes: &[Size { items: 1, sessions: 1 }, MIDDLE, LARGE], rounds: 60, warm_up: 5 };
/// Enough to see a coarse mistake.
pub(crate) const QUICK: Scale = Scale { sizes: &[MIDDLE], rounds: 15, warm_up: 2 };

/// What a row of the table is about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A hook in a situation.
    Hook(Case),
    /// A floor.
    Floor(Floor),
    /// A script.
    Script(HookScript),
}

impl Subject {
    /// Returns its name.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Hook(case) => case.name,
            Self::Floor(floor) => floor.program(),
            Self::Script(script) => script.name,
        }
    }
}

/// A row: a subject in a store of some size.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) size: Size,
    pub(crate) subject: Subject,
    times: Vec<Duration>,
    /// Peak memory, in bytes.
    pub(crate) peak: u64,
    /// Instructions outside the kernel; absent for scripts and without valgrind.
    pub(crate) instructions: Option<u64>,
}

impl Row {
    /// Returns the median, in milliseconds.
    pub(crate) fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        as_millis(times.get(times.len() / 2))
    }

    /// Returns the shortest, in milliseconds.
    pub(crate) fn min(&self) -> f64 {
        as_millis(self.times.iter().min())
    }
}

fn as_millis(time: Option<&Duration>) -> f64 {
    time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct HookRun {
    pub(crate) rows: Vec<Row>,
    pub(crate) rounds: usize,
    pub(crate) build: String,
    /// The machine's load before and after: a busy one measures nothing.
    pub(crate) load: (String, String),
    pub(crate) has_instructions: bool,
}

impl HookRun {
    /// Returns the row of a subject.
    pub(crate) fn find_row(&self, name: &str, size: Size) -> Option<&Row> {
        self.rows.iter().find(|row| row.size == size && row.subject.label() == name)
    }
}

/// Runs everything.
pub(crate) fn measure_hooks(binaries: &Binaries, scale: Scale) -> Result<HookRun, BenchError> {
    let mut worlds = Vec::new();
    for size in scale.sizes {
        print_progress(&format!(
            "making a store of {} items, {} sessions",
            size.items, size.sessions
        ));
        let world = Installation::create(binaries, *size)?;
        for case in &CASES {
            case.check_effect(binaries, &world)?;
        }
        worlds.push(world);
    }
    let mut entries = Vec::new();
    for world in &worlds {
        add_rows(binaries, world, &mut entries)?;
    }
    let before = read_load();
    measure_times(binaries, scale, &mut entries)?;
    let after = read_load();
    let has_instructions = measure::can_count();
    if !has_instructions {
        print_progress("NOT MEASURED: instructions: there is no valgrind");
    }
    print_progress("memory and instructions");
    for (row, world) in &mut entries {
        row.peak = measure::peak_memory(&build_task(&row.subject, binaries, world, 1_000)?)?;
        if has_instructions && !matches!(row.subject, Subject::Script(_)) {
            let task = build_task(&row.subject, binaries, world, 1_001)?;
            row.instructions = Some(measure::count_instructions(&task)?);
        }
    }
    Ok(HookRun {
        rows: entries.into_iter().map(|(row, _)| row).collect(),
        rounds: scale.rounds,
        build: binaries.built.clone(),
        load: (before, after),
        has_instructions,
    })
}

/// Adds a row for each subject that can run in an installation.
fn add_rows<'w>(
    binaries: &Binaries,
    world: &'w Installation,
    entries: &mut Vec<(Row, &'w Installation)>,
) -> Result<(), BenchError> {
    for subject in list_subjects() {
        // A script that cannot run is left out; a hook that cannot run is an error.
        let tried =
            build_task(&subject, binaries, world, 0).and_then(|task| measure::wall_time(&task));
        match (tried, &subject) {
            (Ok(_), _) => {}
            (Err(error), Subject::Script(_)) => {
                print_progress(&format!("NOT MEASURED: {error}"));
                continue;
            }
            (Err(error), _) => return Err(error),
        }
        let row = Row { size: world.size, subject, times: Vec::new(), peak: 0, instructions: None };
        entries.push((row, world));
    }
    Ok(())
}

/// Measures every row once a round, in changing order.
fn measure_times(
    binaries: &Binaries,
    scale: Scale,
    entries: &mut [(Row, &Installation)],
) -> Result<(), BenchError> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let mut random = Shuffle(1);
    let rounds = scale.warm_up + scale.rounds;
    for round in 0..rounds {
        if round % 10 == 0 {
            print_progress(&format!("round {round} of {rounds}"));
        }
        random.shuffle(&mut order);
        // Scripts run last: a process that follows an interpreter finds cold processor caches.
        let is_script = |index: &usize| {
            entries.get(*index).is_some_and(|(row, _)| matches!(row.subject, Subject::Script(_)))
        };
        order.sort_by_key(is_script);
        for index in &order {
            let Some((row, world)) = entries.get_mut(*index) else {
                continue;
            };
            let task = build_task(&row.subject, binaries, world, round)?;
            let time = measure::wall_time(&task)?;
            if round >= scale.warm_up {
                row.times.push(time);
            }
        }
    }
    Ok(())
}

/// Runs one case, or floor, in the middle store through a command.
pub(crate) fn run_through(
    binaries: &Binaries,
    name: &str,
    words: Vec<String>,
) -> Result<ExitCode, BenchError> {
    let subjects = list_subjects();
    let names: Vec<&str> = subjects.iter().map(Subject::label).collect();
    let subject = subjects.iter().find(|subject| subject.label() == name);
    let subject = subject.ok_or_else(|| format!("no case {name}; there are {names:?}"))?;
    let world = Installation::create(binaries, MIDDLE)?;
    for round in 0..3 {
        measure::wall_time(&build_task(subject, binaries, &world, round)?)?;
    }
    let status = measure::run_through(&build_task(subject, binaries, &world, 3)?, words)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn list_subjects() -> Vec<Subject> {
    let hooks = CASES.into_iter().map(Subject::Hook);
    let floors = [Floor::Read, Floor::Write].map(Subject::Floor);
    hooks.chain(floors).chain(scripts::find_scripts().into_iter().map(Subject::Script)).collect()
}

fn build_task(
    subject: &Subject,
    binaries: &Binaries,
    world: &Installation,
    round: usize,
) -> Result<Task, BenchError> {
    match subject {
        Subject::Hook(case) => case.prepare(binaries, world, round),
        Subject::Floor(floor) => case::floor_task(binaries, world, *floor),
        Subject::Script(script) => script.build_task(world),
    }
}

fn read_load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Shuffles the order of each round, so that nothing is always measured after the same neighbor.
/// Every run uses the same orders.
struct Shuffle(u64);

impl Shuffle {
    fn next_below(&mut self, bound: usize) -> usize {
        // Knuth's linear congruential generator; its upper bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = self.next_below(last + 1);
            order.swap(last, other);
        }
    }
}
