//! Runs the steps of an installation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::artifacts;
use crate::client::Client;
use crate::codex::{self, CodexOutcome};
use crate::compile;
use crate::dirs;
use crate::documents;
use crate::drafts;
use crate::environment;
use crate::error::{Error, Result};
use crate::files;
use crate::layout::{Layout, find_on_path, is_on_path};
use crate::link::{self, LinkOutcome};
use crate::manifest::{Link, Manifest};
use crate::origin::Origin;
use crate::preflight::{self, ClientFacts, Lack, MachineFacts, PackageManager};
use crate::report::{Report, RowState};
use crate::stage;
use crate::steps::{self, InstallStep};
use crate::user_files::{self, ClientSnapshot};
use crate::verify;
use crate::version;

/// Installs or upgrades.
pub(crate) fn run_install(args: &Args, layout: &Layout, report: &mut Report) -> Result<()> {
    let recorded = Manifest::read(&layout.manifest)?.unwrap_or_default();
    version::check_not_older(layout, &recorded.version, args.force)?;
    let for_codex = args.codex || recorded.codex.is_some();
    let steps = steps::build_steps(args, layout, for_codex)?;
    announce_lacks(&gather_facts(&steps, layout), report)?;
    if args.dry_run {
        report.print_text("Steps:");
        for (step, number) in steps.iter().zip(1..) {
            report.print_item(&format!("{number}. {step}"));
        }
        report.print_text("Nothing was changed.");
        return Ok(());
    }
    let turn = files::lock_installation(&layout.home);
    if turn.is_some() {
        drafts::remove_dead(layout, &layout.stage, report)?;
    }
    if let Some(aside) = Manifest::set_broken_aside(&layout.manifest)? {
        let detail = format!("could not be read; it is now {}", layout.shorten(&aside));
        report.add_row("record", RowState::Done, detail);
    }
    let known = Manifest::read(&layout.manifest)?;
    let binaries = args.bin_dir.clone().unwrap_or_else(compile::installer_dir);
    let origin = Origin::find_origin(args, &binaries, known.as_ref().map(|known| &known.origin));
    let environment = Some(environment::read_environment());
    let manifest = Manifest { origin, environment, ..known.unwrap_or_default() };
    let mut installer = Installer { layout, report, manifest, binaries: BTreeMap::new() };
    steps.iter().try_for_each(|step| installer.apply_step(step))?;
    if layout.documents.is_some() {
        report.set_next_steps(&NEXT_STEPS);
    }
    Ok(())
}

/// What a user does next.
const NEXT_STEPS: [&str; 5] = [
    "trueup item add FIRST --title 'My first item'   add what there is to do",
    "claude               in a git repository; tell it: claim FIRST",
    "trueup top           see every session and item live",
    "man trueup           https://github.com/trueup/trueup/blob/main/docs/guide.md",
    "trueup uninstall     removes all of it",
];

/// Looks at what the steps need of this machine.
fn gather_facts(steps: &[InstallStep], layout: &Layout) -> MachineFacts {
    let registered = steps.iter().find_map(|step| match step {
        InstallStep::Register(program) => Some(program),
        _ => None,
    });
    let is_unwanted = steps.contains(&InstallStep::SkipClient(steps::NOT_WANTED));
    let client = match registered {
        Some(program) => match Client::new(program, layout).ask_version() {
            Ok(version) => ClientFacts::Present(version),
            Err(error) => ClientFacts::Broken(error.to_string()),
        },
        None if is_unwanted => ClientFacts::Unwanted,
        None => ClientFacts::Absent,
    };
    let is_for_codex = steps.iter().any(|step| matches!(step, InstallStep::RegisterCodex(_)));
    let codex = match find_on_path("codex") {
        _ if !is_for_codex => ClientFacts::Unwanted,
        None => ClientFacts::Absent,
        Some(_) => ClientFacts::Present(None),
    };
    MachineFacts {
        compiles: steps.iter().any(|step| matches!(step, InstallStep::Build { .. })),
        has_c_compiler: ["cc", "gcc", "clang"].iter().any(|name| find_on_path(name).is_some()),
        has_git: find_on_path("git").is_some(),
        broken_settings: registered.and_then(|_| find_broken_settings(layout)),
        client,
        codex,
        missing_path: layout.link_dir.clone().filter(|dir| !is_on_path(dir)),
        packages: PackageManager::detect(),
    }
}

/// Returns the client's settings if they are no JSON, and why.
fn find_broken_settings(layout: &Layout) -> Option<(String, String)> {
    let path = layout.config.join("settings.json");
    let bytes = files::read_file(&path).ok()?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii();
    let error = serde_json::from_slice::<serde_json::Value>(text).err()?;
    (!text.is_empty()).then(|| (layout.shorten(&path), error.to_string()))
}

/// Says what is missing, before the work starts.
fn announce_lacks(facts: &MachineFacts, report: &Report) -> Result<()> {
    preflight::check_compiler(facts)?;
    let lacks = preflight::find_lacks(facts);
    if lacks.is_empty() {
        return Ok(());
    }
    report.print_text("Before it starts:");
    for Lack { what, help } in lacks {
        report.print_item(&what);
        report.print_item(&format!("  -> {help}"));
    }
    report.print_text("");
    Ok(())
}

/// The state that the steps share.
struct Installer<'a> {
    layout: &'a Layout,
    report: &'a mut Report,
    manifest: Manifest,
    binaries: BTreeMap<String, PathBuf>,
}

impl Installer<'_> {
    fn apply_step(&mut self, step: &InstallStep) -> Result<()> {
        self.announce_step(step);
        match step {
            InstallStep::Build { source, target, profile } => {
                self.binaries = compile::build_binaries(source, target, profile)?;
                let detail = target.describe();
                match &target.fallback_reason {
                    None => self.report.add_row("binaries", RowState::Fine, detail),
                    Some(why) => {
                        let hint = format!("hooks would start faster with musl: {why}");
                        self.report.add_row_with_hint("binaries", RowState::Fine, detail, hint);
                    }
                }
            }
            InstallStep::UseBinaries(dir) => {
                self.binaries = compile::find_binaries(dir)?;
                let detail = format!("from {}", self.layout.shorten(dir));
                self.report.add_row("binaries", RowState::Fine, detail);
            }
            InstallStep::Stage { at, client } => self.stage_plugin(at, client.as_deref())?,
            InstallStep::ReadBack => {
                verify::check_binaries(&self.layout.stage)?;
                self.report.add_row("read back", RowState::Fine, "every staged binary runs");
            }
            InstallStep::Link(links) => self.link_commands(links)?,
            InstallStep::Documents => self.install_documents()?,
            InstallStep::Register(client) => self.register_plugin(client)?,
            InstallStep::SkipClient(why) => {
                let hint = format!("claude --plugin-dir {}", self.layout.stage.display());
                let detail = format!("not registered: {why}");
                self.report.add_row_with_hint("Claude Code", RowState::Skipped, detail, hint);
            }
            InstallStep::RegisterCodex(file) => self.register_codex(file),
            InstallStep::Migrate => self.make_database()?,
            InstallStep::Demo => verify::run_demo(self.layout, self.report)?,
            InstallStep::Doctor => verify::run_doctor(self.layout, self.report)?,
        }
        Ok(())
    }

    fn announce_step(&self, step: &InstallStep) {
        if matches!(step, InstallStep::Build { .. } | InstallStep::Register(_)) {
            self.report.print_progress(&step.to_string());
        }
    }

    fn stage_plugin(&mut self, at: &Path, client: Option<&Path>) -> Result<()> {
        let version = client.and_then(|client| Client::new(client, self.layout).read_version());
        let tree = stage::collect_files(&self.binaries, version)?;
        let state = if stage::tree_matches(at, &tree) {
            RowState::Same
        } else {
            let new_dirs = stage::install_tree(at, &tree, verify::check_binaries)?;
            self.manifest.add_created_dirs(new_dirs);
            RowState::Done
        };
        self.manifest.version = stage::plugin_version(&tree);
        at.clone_into(&mut self.manifest.stage);
        self.write_manifest()?;
        let detail = format!("{}, version {}", self.layout.shorten(at), self.manifest.version);
        self.report.add_row("plugin", state, detail);
        Ok(())
    }

    fn link_commands(&mut self, links: &[Link]) -> Result<()> {
        for link in links {
            let shown = self.layout.shorten(&link.at);
            match link::write_link(link, &self.manifest.links) {
                Ok(LinkOutcome::Unchanged) => self.report.add_row("command", RowState::Same, shown),
                Ok(LinkOutcome::Created(dirs)) => {
                    self.manifest.add_created_dirs(dirs);
                    self.report.add_row("command", RowState::Done, shown);
                }
                Err(error) => {
                    self.report.add_failure("command", &error);
                    continue;
                }
            }
            self.manifest.links.retain(|known| known.at != link.at);
            self.manifest.links.push(link.clone());
        }
        if let Some(dir) = &self.layout.link_dir
            && !is_on_path(dir)
        {
            let detail = format!("{} is not on it", self.layout.shorten(dir));
            let hint = format!("export PATH=\"{}:$PATH\"", dir.display());
            self.report.add_row_with_hint("PATH", RowState::Skipped, detail, hint);
        }
        self.write_manifest()
    }

    fn install_documents(&mut self) -> Result<()> {
        if let Some(places) = &self.layout.documents {
            let Self { layout, manifest, report, .. } = self;
            documents::install_documents(layout, places, manifest, report)?;
        }
        self.write_manifest()
    }

    fn register_plugin(&mut self, program: &Path) -> Result<()> {
        let client = Client::new(program, self.layout);
        // Recorded first: if this is killed half way, the next run or an uninstallation knows it.
        let before = ClientSnapshot::capture(self.layout)?;
        user_files::record_interrupted(&mut self.manifest, &before);
        self.manifest.pending = Some(before);
        self.manifest.registered = true;
        self.write_manifest()?;
        let outcome = client.register_plugin(&self.layout.stage, &self.manifest.version);
        let validation = client.validate_plugin(&self.layout.stage);
        // Recorded even on failure: a registration that failed half way must be undone as well.
        user_files::record_changes(&mut self.manifest, &ClientSnapshot::capture(self.layout)?);
        self.write_manifest()?;
        match outcome {
            Ok(registered) if registered.is_disabled => self.report.add_row_with_hint(
                "Claude Code",
                RowState::Missing,
                format!("{} is registered but disabled", artifacts::PLUGIN_ID),
                format!("claude plugin enable {}", artifacts::PLUGIN_ID),
            ),
            Ok(registered) if registered.actions.is_empty() => {
                let detail = format!("{} is registered", artifacts::PLUGIN_ID);
                self.report.add_row("Claude Code", RowState::Same, detail);
            }
            Ok(registered) => {
                let detail = format!("{}: {}", artifacts::PLUGIN_ID, registered.actions.join(", "));
                self.report.add_row("Claude Code", RowState::Done, detail);
            }
            Err(error) => self.report.add_failure("Claude Code", &error),
        }
        match validation {
            Ok(()) => {
                self.report.add_row("manifest", RowState::Fine, "passes claude plugin validate");
            }
            Err(error) => self.report_not_validated(&error),
        }
        Ok(())
    }

    fn make_database(&mut self) -> Result<()> {
        let dirs = [&self.layout.data].into_iter().chain(&self.layout.disposable_dirs);
        let missing = dirs.flat_map(|dir| dirs::list_missing(dir)).collect();
        self.manifest.add_created_dirs(missing);
        self.manifest.has_database = true;
        self.write_manifest()?;
        verify::run_migration(self.layout, self.report)
    }

    fn register_codex(&mut self, file: &Path) {
        let Self { layout, manifest, .. } = self;
        let record = |manifest: &mut Manifest| manifest.write(&layout.manifest);
        let shown = layout.shorten(file);
        match codex::register_hooks(layout, manifest, record) {
            Ok(CodexOutcome::Unchanged) => {
                self.report.add_row("Codex", RowState::Same, format!("hooks are in {shown}"));
            }
            Ok(_) => self.report.add_row_with_hint(
                "Codex",
                RowState::Done,
                format!("hooks registered in {shown}"),
                codex::describe_next(layout),
            ),
            Err(error) => self.report.add_failure("Codex", &error),
        }
    }

    fn report_not_validated(&mut self, error: &Error) {
        // An older client may know neither the command nor the newer fields; the plugin still runs.
        let detail = format!("not validated: {error}");
        self.report.add_row("manifest", RowState::Skipped, detail);
    }

    fn write_manifest(&mut self) -> Result<()> {
        self.manifest.write(&self.layout.manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::NEXT_STEPS;

    #[test]
    fn next_steps_fit_a_terminal() {
        for step in NEXT_STEPS {
            assert!(step.chars().count() + "  ".len() <= 80, "{step}");
        }
    }
}
