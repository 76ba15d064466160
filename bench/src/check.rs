//! The check for CI: figures that do not depend on how busy the machine is.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use crate::binaries::{Binaries, HOOKS, answer, workspace};
use crate::budget::Budget;
use crate::case::{self, CASES, Floor};
use crate::report::grouped;
use crate::run::MIDDLE;
use crate::world::World;
use crate::{Failure, measure};

/// Libraries that have no place in a hook on the embedded database: to link one costs more
/// than a hook's whole work.
const NETWORK: [&str; 6] = ["reqwest", "hyper", "tokio", "rustls", "openssl", "ureq"];

/// Compares with the budget; tells whether everything is within.
pub(crate) fn check(binaries: &Binaries) -> Result<bool, Failure> {
    let budget = Budget::read(&Budget::path()?)?;
    let figures = figures(binaries)?;
    let mut lines = budget.passed_by(&figures);
    lines.extend(
        network()?
            .iter()
            .map(|name| format!("the hooks depend on {name}")),
    );
    let mut out = std::io::stdout().lock();
    for (name, figure) in figures.instructions.iter().chain(&figures.bytes) {
        let bound = budget
            .instructions
            .get(name)
            .or_else(|| budget.bytes.get(name));
        let bound = bound.map_or_else(|| "no bound".to_owned(), |bound| grouped(*bound));
        writeln!(out, "{name}: {} of {bound}", grouped(*figure))?;
    }
    for line in &lines {
        writeln!(out, "PASSED THE BUDGET: {line}")?;
    }
    Ok(lines.is_empty())
}

/// Writes a new budget; tells whether the hooks are free of network libraries.
pub(crate) fn update(binaries: &Binaries) -> Result<bool, Failure> {
    Budget::above(&figures(binaries)?).write(&Budget::path()?)?;
    Ok(network()?.is_empty())
}

fn figures(binaries: &Binaries) -> Result<Budget, Failure> {
    if !measure::can_count() {
        return Err("there is no valgrind to count instructions with: install it".into());
    }
    let world = World::make(binaries, MIDDLE)?;
    let mut instructions = BTreeMap::new();
    for case in &CASES {
        case.prove(binaries, &world)?;
        let task = case.prepare(binaries, &world, 0)?;
        instructions.insert(case.name.to_owned(), measure::instructions(&task)?);
    }
    for floor in [Floor::Read, Floor::Write] {
        let task = case::floor(binaries, &world, floor)?;
        instructions.insert(floor.program().to_owned(), measure::instructions(&task)?);
    }
    let sizes = HOOKS
        .iter()
        .map(|name| Ok(((*name).to_owned(), binaries.size(name)?)));
    Ok(Budget {
        instructions,
        bytes: sizes.collect::<Result<_, Failure>>()?,
    })
}

/// Returns the network libraries the hooks depend on.
fn network() -> Result<Vec<&'static str>, Failure> {
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "tree",
            "-p",
            "trueup-hooks",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(workspace()?);
    let tree = answer(&mut cargo)?;
    Ok(named(&tree))
}

fn named(tree: &str) -> Vec<&'static str> {
    let family = |package: &str, name: &str| {
        package
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let packages = || tree.lines().filter_map(|line| line.split(' ').next());
    NETWORK
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
        assert_eq!(named(tree), ["hyper", "openssl"]);
        assert!(named("hyperfine v1.0.0\n").is_empty());
    }
}
