//! Takes an installation back.

use std::fs;
use std::path::Path;

use crate::args::Args;
use crate::client::Client;
use crate::dirs;
use crate::error::{Error, Result};
use crate::link;
use crate::manifest::{Link, Manifest};
use crate::parts;
use crate::places::{Places, on_path};
use crate::report::{Report, State};
use crate::stage;
use crate::touched::{self, Snapshot};

/// Uninstalls; the database stays unless it is to be purged.
pub(crate) fn run(args: &Args, places: &Places, report: &mut Report) -> Result<()> {
    let record = Manifest::load(&places.manifest)?;
    let known = record.is_some();
    let mut manifest = record.unwrap_or_default();
    if !known {
        // Without a record, what can be recognised is removed all the same.
        places.stage.clone_into(&mut manifest.stage);
        if let Some(dir) = &places.links {
            let link = |name: &str| Link {
                at: dir.join(name),
                to: places.binary(name),
            };
            manifest.links = parts::COMMANDS.map(link).to_vec();
        }
    }
    if args.dry_run {
        describe(args, places, &manifest, report);
        return Ok(());
    }
    if args.purge {
        may_purge(places)?;
    }
    let clean = !manifest.registered || unregister(args, places, &mut manifest, report)?;
    remove_links(places, &manifest, report);
    if stage::take_away(&manifest.stage)? {
        report.row(
            "plugin",
            State::Done,
            format!("{} removed", places.short(&manifest.stage)),
        );
    } else {
        report.row(
            "plugin",
            State::Same,
            format!("none at {}", places.short(&manifest.stage)),
        );
    }
    if clean {
        dirs::remove_all(&places.manifest)?;
    } else {
        let kept = places.short(&places.manifest);
        let hint = "resolve the problems above and uninstall again";
        report.row_with_hint("record", State::Skipped, format!("{kept} kept"), hint);
    }
    for dir in &places.passing {
        if dirs::remove_all(dir)? {
            report.row(
                "data",
                State::Done,
                format!("{} removed", places.short(dir)),
            );
        }
    }
    if args.purge {
        purge(places, &manifest, report)?;
    }
    let mut made = manifest.created_dirs.clone();
    made.push(manifest.stage.clone());
    // A directory given with --prefix that the user made stays, empty or not.
    made.retain(|dir| !places.prefixed || manifest.created_dirs.contains(dir));
    dirs::remove_empty(&made);
    if !args.purge && places.data.is_dir() {
        let detail = format!("{} kept with the database", places.short(&places.data));
        report.row("data", State::Skipped, detail);
    }
    Ok(())
}

/// Says what an uninstallation would do.
fn describe(args: &Args, places: &Places, manifest: &Manifest, report: &Report) {
    report.say("Steps:");
    if manifest.registered {
        report.item("- remove the plugin and its marketplace from Claude Code");
    }
    for file in &manifest.user_files {
        report.item(&format!("- restore {}", places.short(&file.path)));
    }
    for link in &manifest.links {
        report.item(&format!("- remove the link {}", places.short(&link.at)));
    }
    report.item(&format!(
        "- remove the plugin at {}",
        places.short(&manifest.stage)
    ));
    if args.purge {
        report.item(&format!(
            "- remove the data directory {}",
            places.short(&places.data)
        ));
    }
    report.say("Nothing was changed.");
}

/// Takes the plugin out of Claude Code and restores its files; says whether nothing is left to do.
fn unregister(
    args: &Args,
    places: &Places,
    manifest: &mut Manifest,
    report: &mut Report,
) -> Result<bool> {
    touched::recover(manifest, &Snapshot::take(places)?);
    // Before the client writes: afterwards nobody could tell its changes from the user's.
    let untouched = touched::untouched(manifest)?;
    let mut clean = true;
    match on_path("claude").filter(|_| !args.no_claude) {
        Some(program) => match Client::new(&program, places).unregister(&manifest.stage) {
            Ok(done) if done.is_empty() => {
                report.row("Claude Code", State::Same, "no longer has the plugin");
            }
            Ok(done) => report.row("Claude Code", State::Done, done.join(", ")),
            Err(error) => {
                clean = false;
                report.failed("Claude Code", &error);
            }
        },
        None => {
            report.row(
                "Claude Code",
                State::Skipped,
                "not run; its files are restored from the record",
            );
        }
    }
    let restored = touched::restore(manifest, &untouched)?;
    touched::sweep(manifest, places)?;
    for path in &restored.back {
        let detail = format!("{} restored byte for byte", places.short(path));
        report.row("restored", State::Done, detail);
    }
    for path in &restored.removed {
        let detail = format!("{} removed: it did not exist before", places.short(path));
        report.row("restored", State::Done, detail);
    }
    for path in &restored.left {
        let detail = format!(
            "{} was changed since; the changes are kept",
            places.short(path)
        );
        report.row("kept", State::Skipped, detail);
    }
    for path in &restored.entangled {
        clean = false;
        report.row_with_hint(
            "restored",
            State::Missing,
            format!(
                "{} was changed since and still contains the plugin",
                places.short(path)
            ),
            format!("claude plugin uninstall {}", parts::PLUGIN_ID),
        );
    }
    Ok(clean)
}

fn remove_links(places: &Places, manifest: &Manifest, report: &mut Report) {
    for link in &manifest.links {
        match link::take_away(link) {
            Ok(true) => {
                report.row(
                    "command",
                    State::Done,
                    format!("{} removed", places.short(&link.at)),
                );
            }
            Ok(false) => {}
            Err(error) => report.failed("command", &error),
        }
    }
}

/// Removes the data directory: whole when it is trueup's own, else what trueup keeps in it.
fn purge(places: &Places, manifest: &Manifest, report: &mut Report) -> Result<()> {
    let data = &places.data;
    let named = data
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains(parts::NAME));
    if named || manifest.created_dirs.contains(data) {
        dirs::remove_all(data)?;
    } else {
        for entry in fs::read_dir(data).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = name
                .trim_start_matches('.')
                .split(['.', '-'])
                .next()
                .unwrap_or_default();
            if parts::DATA.contains(&stem) {
                dirs::remove_all(&entry.path())?;
            }
        }
        dirs::remove_empty(std::slice::from_ref(data));
    }
    if let Some(dir) = &places.settings
        && dirs::remove_all(dir)?
    {
        report.row(
            "settings",
            State::Done,
            format!("{} removed", places.short(dir)),
        );
    }
    let shown = places.short(data);
    if data.exists() {
        let detail = format!("{shown} kept: it contains other files");
        report.row("data", State::Skipped, detail);
    } else {
        report.row("data", State::Done, format!("{shown} removed"));
    }
    Ok(())
}

/// Refuses to remove a data directory that holds more than trueup.
fn may_purge(places: &Places) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let data = real(&places.data);
    let precious = real(&places.home).starts_with(&data)
        || real(&places.source).starts_with(&data)
        || data.join(".git").exists();
    if precious {
        return Err(Error::Refused {
            path: places.data.clone(),
            why: "contains more than trueup's data, so --purge does not remove it".to_owned(),
            hint: "omit --purge and delete the database manually".to_owned(),
        });
    }
    Ok(())
}
