//! What a pull is going to read, said beforehand: a server far away is asked once for all of it.
//! What is not foreseen here is asked for when it is needed.

use trueup_core::cache::{CacheFile, shared_cache_path};
use trueup_core::hook::HookEvent;
use trueup_core::model::{SessionId, SessionStatus};
use trueup_core::reconcile::{Reading, list_key_candidates};
use trueup_core::repos::{list_naming_keys, read_machine_name};
use trueup_core::store::{CommandStore, ExpectedRead, ReadTime, SessionFilter};

use crate::HookContext;
use crate::replica_database::find_replica_file;
use crate::start_work::{MAX_SESSIONS, filter_of_worktree};

/// Announces the reads of a pull.
pub(crate) fn announce_reads(context: &HookContext, store: &mut dyn CommandStore) {
    let run = &context.run;
    let id = &context.payload.session;
    let replica = find_replica_file(context).and_then(|file| file.read());
    let items = replica.as_ref().map_or(&[][..], |replica| &replica.items);
    let branch = run.branch();
    let candidates = branch
        .as_ref()
        .map_or_else(Vec::new, |branch| list_key_candidates(branch, run.configured_pattern()));
    let owner = find_cache_owner(context);
    let mut reads = vec![ExpectedRead::HandoffNotices(id), ExpectedRead::ItemKeys(&candidates)];
    reads.extend(owner.as_ref().map(ExpectedRead::Session));
    reads.extend(items.iter().map(|item| ExpectedRead::Item(&item.key)));
    let is_start = matches!(context.payload.event, HookEvent::SessionStart(_));
    let worktree = run.project.name();
    let filters = [SessionStatus::Ended, SessionStatus::Lost]
        .map(|status| filter_of_worktree(Some(&worktree), status));
    if is_start {
        announce_start(context, &worktree, &filters, &mut reads);
        // The registration makes whatever was read before a thing of the past.
        store.expect_reads(ReadTime::AfterWrite, &reads);
    }
    let (identities, name) =
        if is_start { list_naming_keys(run.naming_context()) } else { (Vec::new(), None) };
    reads.extend([ExpectedRead::Lineage, ExpectedRead::Session(id)]);
    reads.extend(identities.iter().map(|identity| ExpectedRead::RepoName(identity)));
    reads.extend(name.as_deref().map(ExpectedRead::RepoIdentities));
    store.expect_reads(ReadTime::BeforeWrite, &reads);
}

/// Adds what only the start of a session reads.
fn announce_start<'a>(
    context: &'a HookContext,
    worktree: &'a str,
    filters: &'a [SessionFilter],
    reads: &mut Vec<ExpectedRead<'a>>,
) {
    let session = &context.payload.session;
    reads.push(ExpectedRead::PendingMatters);
    reads.push(ExpectedRead::Peers { worktree: Some(worktree), session, limit: MAX_SESSIONS });
    reads.extend(filters.iter().map(ExpectedRead::Sessions));
    if matches!(read_machine_name(&context.run.settings.paths), Ok(Some(_))) {
        reads.push(ExpectedRead::Repos);
    }
}

/// Finds another session that the shared cache of the worktree names.
pub(crate) fn find_cache_owner(context: &HookContext) -> Option<SessionId> {
    let shared = shared_cache_path(&context.run.project.dir);
    match CacheFile::read(&shared).document {
        Reading::Fresh(document) => {
            document.session().filter(|owner| *owner != context.payload.session)
        }
        _ => None,
    }
}
