//! Undoes an installation.

use std::fs;
use std::path::Path;

use crate::args::Args;
use crate::artifacts;
use crate::client::Client;
use crate::dirs;
use crate::documents;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::layout::{Layout, find_on_path};
use crate::link;
use crate::manifest::{Link, Manifest};
use crate::origin::Origin;
use crate::report::{Report, RowState};
use crate::stage;
use crate::user_files::{self, ClientSnapshot};
use crate::verify;

/// Uninstalls. The database stays unless `--purge` is given.
pub(crate) fn run_uninstall(args: &Args, layout: &Layout, report: &mut Report) -> Result<()> {
    let _turn = files::lock_installation(&layout.home);
    let stored = Manifest::read(&layout.manifest)?;
    let has_record = stored.is_some();
    let mut manifest = stored.unwrap_or_default();
    if !has_record {
        // Without a record, the default paths are removed as far as they are trueup's.
        layout.stage.clone_into(&mut manifest.stage);
        if let Some(dir) = &layout.link_dir {
            let link = |name: &str| Link { at: dir.join(name), to: layout.binary_path(name) };
            manifest.links = artifacts::COMMAND_BINARIES.map(link).to_vec();
        }
    }
    if args.dry_run {
        describe_removal(args, layout, &manifest, report);
        return Ok(());
    }
    if args.purge {
        check_purge(layout, &manifest.origin)?;
        verify::check_nothing_waits(layout, &manifest.stage)?;
    }
    // Asked while the database and the program that knows it are still there.
    verify::run_leftovers(layout, &manifest.stage, args.repositories, report)?;
    let is_clean = !manifest.registered || unregister_plugin(args, layout, &mut manifest, report)?;
    remove_links(layout, &manifest, report);
    let documents = documents::remove_documents(&manifest)?;
    if documents > 0 {
        report.add_row("manual", RowState::Done, format!("{documents} files removed"));
    }
    remove_stage(layout, &manifest, report)?;
    if is_clean {
        dirs::remove_all(&layout.manifest)?;
    } else {
        let record_path = layout.shorten(&layout.manifest);
        let hint = "resolve the problems above and uninstall again";
        report.add_row_with_hint("record", RowState::Skipped, format!("{record_path} kept"), hint);
    }
    for dir in &layout.disposable_dirs {
        if dirs::remove_all(dir)? {
            report.add_row("data", RowState::Done, format!("{} removed", layout.shorten(dir)));
        }
    }
    if args.purge {
        purge_data(layout, report)?;
    }
    let mut created_dirs = manifest.created_dirs.clone();
    created_dirs.push(manifest.stage.clone());
    // A directory given with --prefix stays if the user created it, empty or not.
    created_dirs.retain(|dir| !layout.has_prefix || manifest.created_dirs.contains(dir));
    dirs::remove_empty(&created_dirs);
    if !args.purge && layout.data.is_dir() {
        let detail = format!("{} kept with the database", layout.shorten(&layout.data));
        report.add_row("data", RowState::Skipped, detail);
    }
    Ok(())
}

/// Prints what an uninstallation would do.
fn describe_removal(args: &Args, layout: &Layout, manifest: &Manifest, report: &Report) {
    report.print_text("Steps:");
    if manifest.registered {
        report.print_item("- remove the plugin and its marketplace from Claude Code");
    }
    for file in &manifest.user_files {
        report.print_item(&format!("- restore {}", layout.shorten(&file.path)));
    }
    if args.repositories {
        report.print_item("- remove what lies in repositories; `trueup leftovers` lists it");
    }
    for document in &manifest.documents {
        report.print_item(&format!("- remove {}", layout.shorten(&document.path)));
    }
    for link in &manifest.links {
        report.print_item(&format!("- remove the link {}", layout.shorten(&link.at)));
    }
    report.print_item(&format!("- remove the plugin at {}", layout.shorten(&manifest.stage)));
    if args.purge {
        for dir in [Some(&layout.data), layout.settings.as_ref()].into_iter().flatten() {
            let shown = layout.shorten(dir);
            report.print_item(&format!("- remove trueup's files in {shown}, with the database"));
        }
    }
    report.print_text("Nothing was changed.");
}

/// Removes the plugin from Claude Code and restores its files. Returns whether nothing is left to
/// do.
fn unregister_plugin(
    args: &Args,
    layout: &Layout,
    manifest: &mut Manifest,
    report: &mut Report,
) -> Result<bool> {
    user_files::record_interrupted(manifest, &ClientSnapshot::capture(layout)?);
    // Read before the client writes: afterwards its changes could not be told from the user's.
    let untouched = user_files::list_untouched(manifest)?;
    let mut is_clean = true;
    match find_on_path("claude").filter(|_| !args.no_claude) {
        Some(program) => match Client::new(&program, layout).unregister_plugin(&manifest.stage) {
            Ok(done) if done.is_empty() => {
                report.add_row("Claude Code", RowState::Same, "no longer has the plugin");
            }
            Ok(done) => report.add_row("Claude Code", RowState::Done, done.join(", ")),
            Err(error) => {
                is_clean = false;
                report.add_failure("Claude Code", &error);
            }
        },
        None => {
            report.add_row(
                "Claude Code",
                RowState::Skipped,
                "not run; its files are restored from the record",
            );
        }
    }
    let restored = user_files::restore_files(manifest, &untouched)?;
    user_files::remove_leftovers(manifest, layout)?;
    for path in &restored.restored {
        let detail = format!("{} restored byte for byte", layout.shorten(path));
        report.add_row("restored", RowState::Done, detail);
    }
    for path in &restored.removed {
        let detail = format!("{} removed: it did not exist before", layout.shorten(path));
        report.add_row("restored", RowState::Done, detail);
    }
    for path in &restored.kept {
        let detail = format!("{} was changed since; the changes are kept", layout.shorten(path));
        report.add_row("kept", RowState::Skipped, detail);
    }
    for path in &restored.entangled {
        is_clean = false;
        report.add_row_with_hint(
            "restored",
            RowState::Missing,
            format!("{} was changed since and still contains the plugin", layout.shorten(path)),
            format!("claude plugin uninstall {}", artifacts::PLUGIN_ID),
        );
    }
    Ok(is_clean)
}

fn remove_stage(layout: &Layout, manifest: &Manifest, report: &mut Report) -> Result<()> {
    let stage = layout.shorten(&manifest.stage);
    if stage::remove_plugin(&manifest.stage)? {
        report.add_row("plugin", RowState::Done, format!("{stage} removed"));
    } else {
        report.add_row("plugin", RowState::Same, format!("none at {stage}"));
    }
    Ok(())
}

fn remove_links(layout: &Layout, manifest: &Manifest, report: &mut Report) {
    for link in &manifest.links {
        match link::remove_link(link) {
            Ok(true) => {
                report.add_row(
                    "command",
                    RowState::Done,
                    format!("{} removed", layout.shorten(&link.at)),
                );
            }
            Ok(false) => {}
            Err(error) => report.add_failure("command", &error),
        }
    }
}

/// Removes trueup's files from the data directory and the directory of the settings. What a user keeps
/// there stays.
fn purge_data(layout: &Layout, report: &mut Report) -> Result<()> {
    for (subject, dir) in [("data", Some(&layout.data)), ("settings", layout.settings.as_ref())] {
        let Some(dir) = dir.filter(|dir| dir.is_dir()) else { continue };
        let mut kept = Vec::new();
        for entry in fs::read_dir(dir).with_action("read", dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if artifacts::is_data_name(&name) {
                dirs::remove_all(&entry.path())?;
            } else {
                kept.push(name);
            }
        }
        dirs::remove_empty(std::slice::from_ref(dir));
        let shown = layout.shorten(dir);
        if kept.is_empty() {
            report.add_row(subject, RowState::Done, format!("{shown} removed"));
        } else {
            let detail = format!("{shown} kept: it contains {}", kept.join(", "));
            report.add_row(subject, RowState::Skipped, detail);
        }
    }
    Ok(())
}

/// Refuses to remove a data directory that contains the home directory or a repository.
fn check_purge(layout: &Layout, origin: &Origin) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let data = real(&layout.data);
    let holds_more = real(&layout.home).starts_with(&data)
        || matches!(origin, Origin::Source { dir } if real(dir).starts_with(&data))
        || data.join(".git").exists();
    if holds_more {
        return Err(Error::Refused {
            path: layout.data.clone(),
            why: "contains more than trueup's data, so --purge does not remove it".to_owned(),
            hint: "omit --purge and delete the database manually".to_owned(),
        });
    }
    Ok(())
}
