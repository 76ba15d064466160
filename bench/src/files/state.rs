//! `trueup state sync` of a long STATE.md into many repositories.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::median_seconds;
use crate::binaries::Binaries;
use crate::coordination::ScratchStore;
use crate::{BenchError, measure, print_progress};

/// Repositories that take the state, and the size of the file that gives it, in bytes.
const RECEIVERS: usize = 20;
const STATE_BYTES: usize = 1_000_000;

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 15;
const WARM_UP: usize = 2;

/// Medians in seconds.
#[derive(Debug)]
pub(super) struct StateTimes {
    /// The file changed since the last time.
    pub(super) changed: f64,
    /// It did not.
    pub(super) same: f64,
    /// Every cache replaced and synced to disk as the product does it, without the product.
    pub(super) floor: f64,
}

/// Syncs in turns what changed and what did not.
pub(super) fn measure_state(binaries: &Binaries) -> Result<StateTimes, BenchError> {
    print_progress(&format!("a STATE.md of {STATE_BYTES} bytes for {RECEIVERS} repositories"));
    let yard = ScratchStore::create(binaries)?;
    let giver = yard.root().join("giver");
    let takers: Vec<PathBuf> =
        (0..RECEIVERS).map(|number| yard.root().join(format!("taker-{number:02}"))).collect();
    for repository in takers.iter().chain([&giver]) {
        fs::create_dir(repository)?;
        fs::write(repository.join("STATE.md"), render_state(2_000, 0)?)?;
        measure::wall_time(&yard.trueup_task_in(repository, &["repo", "add", "."]))?;
    }
    // Each cache holds sections of all the others.
    let sync = |dir| yard.trueup_task_in(dir, &["state", "sync"]);
    for repository in takers.iter().chain([&giver]) {
        measure::wall_time(&sync(repository))?;
    }
    let (mut changed, mut same, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=WARM_UP + ROUNDS {
        fs::write(giver.join("STATE.md"), render_state(STATE_BYTES, round)?)?;
        let times = [measure::wall_time(&sync(&giver))?, measure::wall_time(&sync(&giver))?];
        let mark = round_mark(round);
        for taker in &takers {
            let cache = fs::read_to_string(taker.join(".aibrain/global-state-cache.md"))?;
            if !cache.contains(&mark) || cache.len() < STATE_BYTES {
                return Err(format!("{} lacks {mark}", taker.display()).into());
            }
        }
        let replaced = time_replacements(&takers)?;
        if round > WARM_UP {
            changed.push(times[0]);
            same.push(times[1]);
            floor.push(replaced);
        }
    }
    Ok(StateTimes {
        changed: median_seconds(changed),
        same: median_seconds(same),
        floor: median_seconds(floor),
    })
}

/// Replaces a file of that size in each of them; returns how long that took.
fn time_replacements(takers: &[PathBuf]) -> Result<std::time::Duration, BenchError> {
    use std::io::Write as _;
    let content = vec![b'x'; STATE_BYTES];
    let start = std::time::Instant::now();
    for taker in takers {
        let draft = taker.join("draft");
        let mut file = fs::File::create(&draft)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&draft, taker.join("replaced"))?;
        fs::File::open(taker)?.sync_all()?;
    }
    Ok(start.elapsed())
}

fn round_mark(round: usize) -> String {
    format!("This is the state of round {round}.")
}

/// Returns a state of some size: headings, lists, tables and a little code.
fn render_state(size: usize, round: usize) -> Result<String, BenchError> {
    let mut text = format!("# State\n\n{}\n", round_mark(round));
    for section in 1.. {
        write!(
            text,
            "\n## Part {section}: counting of region {}\n\n- [x] the importer names what it \
             skips (`stock import --report`)\n- [ ] retries wait twice as long each time, see \
             https://example.org/wiki/retries?id={section}\n\n| shelf | count | owner |\n\
             |---|--:|---|\n| A-{section} | {} | ana |\n| B-{section} | {} | ben |\n\nThe old \
             table stays until its last reader is gone. DATABASE_URL is read from the\n\
             environment; the nightly run took {} minutes.\n\n```bash\nstock count --region \
             {section} --at 2026-03-24\n```\n",
            section % 97,
            section * 7 % 1_000,
            section * 13 % 1_000,
            section % 60,
        )?;
        if text.len() >= size {
            break;
        }
    }
    Ok(text)
}
