//! The command line.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::binaries::{Binaries, Subject};
use crate::{BenchError, budget_check, coordination, files, hub, measure, report, run, shared};

const USAGE: &str = "\
Measures the hooks of trueup beside floor programs, a Node and a Python script.

  trueup-bench run [--quick] [--out FILE] [--bin-dir DIR]
      prints a table and the verdicts; wall clock, so on a quiet machine
  trueup-bench coordination [--out FILE] [--bin-dir DIR]
      many writers at once, and many rows: prints what was reached; on a quiet machine
  trueup-bench files [--out FILE] [--bin-dir DIR]
      thousands of workplans, a long plan: prints what was reached; on a quiet machine
  trueup-bench shared [--quick] [--out FILE] [--bin-dir DIR]
      commands over PostgreSQL, and 1,000 sessions at once: prints what was reached;
      on a quiet machine
  trueup-bench hub [--quick] [--out FILE] [--bin-dir DIR]
      a hub with 500 clients that follow, and 64 that claim: prints what was reached;
      on a quiet machine
  trueup-bench check [--update] [--bin-dir DIR]
      compares instruction counts, sizes and dependencies with bench/budget.toml;
      exit code 1 when one is passed; --update writes a new budget

  trueup-bench through CASE [--bin-dir DIR] -- COMMAND...
      runs one case of the table through a command, such as strace -c -f

Without --bin-dir the binaries are built first.
";

#[derive(Default)]
struct Options {
    quick: bool,
    update: bool,
    out: Option<PathBuf>,
    bin_dir: Option<PathBuf>,
}

/// Runs a command line.
pub(crate) fn run_command(arguments: Vec<String>) -> Result<ExitCode, BenchError> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("run") => run_hooks(&parse_options(arguments)?),
        Some("check") => run_check(&parse_options(arguments)?),
        Some("coordination") => {
            let options = parse_options(arguments)?;
            run_group(&options, Subject::HooksAndCommands, coordination::run_coordination)
        }
        Some("files") => {
            let options = parse_options(arguments)?;
            run_group(&options, Subject::HooksAndCommands, files::run_files)
        }
        Some("shared") => {
            let options = parse_options(arguments)?;
            run_group(&options, Subject::HooksAndCommands, |binaries| {
                shared::run_shared(binaries, options.quick)
            })
        }
        Some("hub") => {
            let options = parse_options(arguments)?;
            run_group(&options, Subject::Hub, |binaries| hub::run_hub(binaries, options.quick))
        }
        Some("through") => run_through(arguments),
        // Internal: a process with one child, whose peak memory the kernel then reports.
        Some("peak") => measure::print_child_peak(arguments.collect()),
        Some("--help" | "-h") | None => {
            std::io::stdout().write_all(USAGE.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("unknown command {other}\n\n{USAGE}").into()),
    }
}

fn parse_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, BenchError> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--quick" => options.quick = true,
            "--update" => options.update = true,
            "--out" => options.out = Some(value()?.into()),
            "--bin-dir" => options.bin_dir = Some(value()?.into()),
            other => return Err(format!("unknown option {other}\n\n{USAGE}").into()),
        }
    }
    Ok(options)
}

fn run_hooks(options: &Options) -> Result<ExitCode, BenchError> {
    let binaries = Binaries::find(options.bin_dir.clone(), Subject::Hooks)?;
    let scale = if options.quick { run::QUICK } else { run::FULL };
    let text = report::render(&run::measure_hooks(&binaries, scale)?);
    std::io::stdout().write_all(text.as_bytes())?;
    if let Some(path) = &options.out {
        fs::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_check(options: &Options) -> Result<ExitCode, BenchError> {
    let binaries = Binaries::find(options.bin_dir.clone(), Subject::Hooks)?;
    let passed = if options.update {
        budget_check::update_budget(&binaries)?
    } else {
        budget_check::check_budget(&binaries)?
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_group(
    options: &Options,
    subject: Subject,
    group: impl FnOnce(&Binaries) -> Result<String, BenchError>,
) -> Result<ExitCode, BenchError> {
    let binaries = Binaries::find(options.bin_dir.clone(), subject)?;
    let text = group(&binaries)?;
    std::io::stdout().write_all(text.as_bytes())?;
    if let Some(path) = &options.out {
        fs::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one case under a tool, to see what costs what.
fn run_through(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode, BenchError> {
    let name = arguments.next().ok_or("through needs the name of a case")?;
    let options = parse_options(arguments.by_ref().take_while(|word| word != "--"))?;
    let binaries = Binaries::find(options.bin_dir, Subject::Hooks)?;
    run::run_through(&binaries, &name, arguments.collect())
}
