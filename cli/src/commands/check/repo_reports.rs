//! Telling a person of checkouts that are behind their remote, or have what it lacks.

use std::path::Path;

use trueup_core::consistency::CheckReport;
use trueup_core::diagnostic::{Advice, AdviceKind, Code};
use trueup_core::fs::sha256_hex;
use trueup_core::log::LogLevel;
use trueup_core::model::{AttentionKind, NewAttention};
use trueup_core::store::{Provenance, Store};
use trueup_core::sync::RunContext;

/// Reports what a check found of a checkout and its remote, and ends what it does not find any
/// more. The findings say the same here and now, so that a failure goes to the log alone.
pub(super) fn report_commits(
    store: &mut dyn Store,
    context: &RunContext,
    root: &Path,
    report: &CheckReport,
    actor: &str,
) {
    for (kind, code) in [
        (AttentionKind::RepoBehind, Code::BehindUpstream),
        (AttentionKind::RepoUnpushed, Code::CommitsNotPushed),
    ] {
        let subject = format!("{}:{}", context.host, root.display());
        let id = kind.id_of(&subject, |subject| sha256_hex(subject.as_bytes()));
        let mut found = report.findings.iter().filter(|it| it.divergence.code == code);
        let told = match found.find(|finding| !finding.is_fixed) {
            Some(finding) => {
                let new = NewAttention {
                    repo: Some(report.repo.clone()),
                    host: Some(context.host.clone()),
                    command: Some(command_from_anywhere(&finding.divergence.advice, root)),
                    ..NewAttention::new(id, kind, finding.divergence.message.clone())
                };
                store.raise_attention(&new, &Provenance::new(actor, "check"))
            }
            None => store.end_attention(&id, &Provenance::new(actor, "check")),
        };
        if let Err(error) = told {
            context.log(LogLevel::Info, "check", &error.to_string());
        }
    }
}

/// Returns what ends a finding from any directory. The report ends with the check that follows.
fn command_from_anywhere(advice: &Advice, root: &Path) -> String {
    let mut advice = match advice.kind() {
        AdviceKind::Publish => AdviceKind::PublishAndFix.into(),
        _ => advice.clone(),
    };
    advice.set_directory(root);
    advice.to_string()
}
