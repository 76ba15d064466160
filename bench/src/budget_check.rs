//! The check for CI, on figures that do not depend on the machine's load.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use crate::binaries::{Binaries, HOOK_BINARIES, command_output, workspace_root};
use crate::budget::Budget;
use crate::case::{self, CASES, Floor};
use crate::report::group_thousands;
use crate::run::MIDDLE;
use crate::world::Installation;
use crate::{BenchError, measure};

/// Libraries that no hook may link: linking one costs more than a hook's whole work.
const NETWORK_LIBRARIES: [&str; 6] = ["reqwest", "hyper", "tokio", "rustls", "openssl", "ureq"];

/// Compares with the budget; returns whether everything is within.
pub(crate) fn check_budget(binaries: &Binaries) -> Result<bool, BenchError> {
    let budget = Budget::read(&Budget::default_path()?)?;
    let figures = measure_figures(binaries)?;
    let mut lines = budget.find_exceeded(&figures);
    lines
        .extend(find_network_libraries()?.iter().map(|name| format!("the hooks depend on {name}")));
    let mut out = std::io::stdout().lock();
    for (name, figure) in figures.instructions.iter().chain(&figures.bytes) {
        let bound = budget.instructions.get(name).or_else(|| budget.bytes.get(name));
        let bound = bound.map_or_else(|| "no bound".to_owned(), |bound| group_thousands(*bound));
        writeln!(out, "{name}: {} of {bound}", group_thousands(*figure))?;
    }
    for line in &lines {
        writeln!(out, "PASSED THE BUDGET: {line}")?;
    }
    Ok(lines.is_empty())
}

/// Writes a new budget; returns whether the hooks are free of network libraries.
pub(crate) fn update_budget(binaries: &Binaries) -> Result<bool, BenchError> {
    Budget::with_headroom(&measure_figures(binaries)?).write(&Budget::default_path()?)?;
    Ok(find_network_libraries()?.is_empty())
}

fn measure_figures(binaries: &Binaries) -> Result<Budget, BenchError> {
    if !measure::can_count() {
        return Err("there is no valgrind to count instructions with: install it".into());
    }
    let world = Installation::create(binaries, MIDDLE)?;
    let mut instructions = BTreeMap::new();
    for case in &CASES {
        case.check_effect(binaries, &world)?;
        let task = case.prepare(binaries, &world, 0)?;
        instructions.insert(case.name.to_owned(), measure::count_instructions(&task)?);
    }
    for floor in [Floor::Read, Floor::Write] {
        let task = case::floor_task(binaries, &world, floor)?;
        instructions.insert(floor.program().to_owned(), measure::count_instructions(&task)?);
    }
    let sizes = HOOK_BINARIES.iter().map(|name| Ok(((*name).to_owned(), binaries.size(name)?)));
    Ok(Budget { instructions, bytes: sizes.collect::<Result<_, BenchError>>()? })
}

/// Returns the network libraries the hooks depend on.
fn find_network_libraries() -> Result<Vec<&'static str>, BenchError> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["tree", "-p", "trueup-hooks", "-e", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(workspace_root()?);
    let tree = command_output(&mut cargo)?;
    Ok(find_libraries(&tree))
}

fn find_libraries(tree: &str) -> Vec<&'static str> {
    let family = |package: &str, name: &str| {
        package.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let packages = || tree.lines().filter_map(|line| line.split(' ').next());
    NETWORK_LIBRARIES
        .into_iter()
        .filter(|name| packages().any(|package| family(package, name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_library_is_named_with_its_family() {
        let tree =
            "trueup-hooks v0.1.0 (/x)\nhyper-util v0.1.2\nopenssl-sys v0.9.1\nserde v1.0.0\n";
        assert_eq!(find_libraries(tree), ["hyper", "openssl"]);
        assert!(find_libraries("hyperfine v1.0.0\n").is_empty());
    }
}
