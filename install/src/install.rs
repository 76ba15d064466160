//! Carries out a plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::client::Client;
use crate::compile;
use crate::error::{Error, Result};
use crate::link::{self, Linked};
use crate::manifest::{Link, Manifest};
use crate::parts;
use crate::places::{Places, is_on_path};
use crate::plan::{self, Step};
use crate::report::{Report, State};
use crate::stage;
use crate::touched::{self, Snapshot};
use crate::verify;

/// Installs or upgrades.
pub(crate) fn run(args: &Args, places: &Places, report: &mut Report) -> Result<()> {
    let steps = plan::install(args, places)?;
    if args.dry_run {
        report.say("Steps:");
        for (step, number) in steps.iter().zip(1..) {
            report.item(&format!("{number}. {step}"));
        }
        report.say("Nothing was changed.");
        return Ok(());
    }
    let manifest = Manifest::load(&places.manifest)?.unwrap_or_default();
    let mut work = Work {
        places,
        report,
        manifest,
        binaries: BTreeMap::new(),
    };
    steps.iter().try_for_each(|step| work.apply(step))
}

/// What the steps hand to one another.
struct Work<'a> {
    places: &'a Places,
    report: &'a mut Report,
    manifest: Manifest,
    binaries: BTreeMap<String, PathBuf>,
}

impl Work<'_> {
    fn apply(&mut self, step: &Step) -> Result<()> {
        self.announce(step);
        match step {
            Step::Build(target) => {
                self.binaries = compile::build(&self.places.source, target)?;
                let detail = target.describe();
                match &target.because {
                    None => self.report.row("binaries", State::Fine, detail),
                    Some(why) => {
                        let hint = format!("hooks would start faster with musl: {why}");
                        self.report
                            .row_with_hint("binaries", State::Fine, detail, hint);
                    }
                }
            }
            Step::Take(dir) => {
                self.binaries = compile::take(dir)?;
                let detail = format!("from {}", self.places.short(dir));
                self.report.row("binaries", State::Fine, detail);
            }
            Step::Stage { at, client } => self.stage(at, client.as_deref())?,
            Step::ReadBack => {
                verify::read_back(&self.places.stage)?;
                self.report
                    .row("read back", State::Fine, "every staged binary runs");
            }
            Step::Link(links) => self.link(links)?,
            Step::Register(client) => self.register(client)?,
            Step::LeaveClient(why) => {
                let hint = format!("claude --plugin-dir {}", self.places.stage.display());
                let detail = format!("not registered: {why}");
                self.report
                    .row_with_hint("Claude Code", State::Skipped, detail, hint);
            }
            Step::Migrate => verify::migrate(self.places, self.report)?,
            Step::Demo => verify::demo(self.places, self.report)?,
            Step::Doctor => verify::doctor(self.places, self.report)?,
        }
        Ok(())
    }

    fn announce(&self, step: &Step) {
        if matches!(step, Step::Build(_) | Step::Register(_)) {
            self.report.now(&step.to_string());
        }
    }

    fn stage(&mut self, at: &Path, client: Option<&Path>) -> Result<()> {
        let version = client.and_then(|client| Client::new(client, self.places).version());
        let tree = stage::gather(&self.places.source, &self.binaries, version)?;
        let state = if stage::holds(at, &tree) {
            State::Same
        } else {
            let new = stage::put(at, &tree, verify::read_back)?;
            self.manifest.created(new);
            State::Done
        };
        self.manifest.version = stage::version(&tree);
        at.clone_into(&mut self.manifest.stage);
        self.save()?;
        let detail = format!(
            "{}, version {}",
            self.places.short(at),
            self.manifest.version
        );
        self.report.row("plugin", state, detail);
        Ok(())
    }

    fn link(&mut self, links: &[Link]) -> Result<()> {
        for link in links {
            let shown = self.places.short(&link.at);
            match link::put(link, &self.manifest.links) {
                Ok(Linked::Same) => self.report.row("command", State::Same, shown),
                Ok(Linked::New(dirs)) => {
                    self.manifest.created(dirs);
                    self.report.row("command", State::Done, shown);
                }
                Err(error) => {
                    self.report.failed("command", &error);
                    continue;
                }
            }
            self.manifest.links.retain(|known| known.at != link.at);
            self.manifest.links.push(link.clone());
        }
        if let Some(dir) = &self.places.links
            && !is_on_path(dir)
        {
            let detail = format!("{} is not on it", self.places.short(dir));
            let hint = format!("export PATH=\"{}:$PATH\"", dir.display());
            self.report
                .row_with_hint("PATH", State::Skipped, detail, hint);
        }
        self.save()
    }

    fn register(&mut self, program: &Path) -> Result<()> {
        let client = Client::new(program, self.places);
        // Written down first: killed half way, the next run or an uninstallation still knows it.
        let before = Snapshot::take(self.places)?;
        touched::recover(&mut self.manifest, &before);
        self.manifest.pending = Some(before);
        self.manifest.registered = true;
        self.save()?;
        let outcome = client.register(&self.places.stage, &self.manifest.version);
        let judged = client.validate(&self.places.stage);
        // Recorded in any case: a registration that failed half way has to be taken back too.
        touched::record(&mut self.manifest, &Snapshot::take(self.places)?);
        self.save()?;
        match outcome {
            Ok(registered) if registered.disabled => self.report.row_with_hint(
                "Claude Code",
                State::Missing,
                format!("{} is registered but disabled", parts::PLUGIN_ID),
                format!("claude plugin enable {}", parts::PLUGIN_ID),
            ),
            Ok(registered) if registered.done.is_empty() => {
                let detail = format!("{} is registered", parts::PLUGIN_ID);
                self.report.row("Claude Code", State::Same, detail);
            }
            Ok(registered) => {
                let detail = format!("{}: {}", parts::PLUGIN_ID, registered.done.join(", "));
                self.report.row("Claude Code", State::Done, detail);
            }
            Err(error) => self.report.failed("Claude Code", &error),
        }
        match judged {
            Ok(()) => self
                .report
                .row("manifest", State::Fine, "passes claude plugin validate"),
            Err(error) => self.not_judged(&error),
        }
        Ok(())
    }

    fn not_judged(&mut self, error: &Error) {
        // An older client may know neither the command nor the newer fields; the plugin still runs.
        let detail = format!("not validated: {error}");
        self.report.row("manifest", State::Skipped, detail);
    }

    fn save(&mut self) -> Result<()> {
        self.manifest.save(&self.places.manifest)
    }
}
