//! Sessions come and go: registration, succession and the sweep of the dead.

use super::doubt::Doubt;
use super::site::Site;
use crate::cache::{self, CacheFile};
use crate::hook::Source;
use crate::model::{Session, SessionId, SessionStatus, is_free};
use crate::reconcile::Reading;
use crate::repos::{find_repo_name, may_keep_name, settle_repo_name};
use crate::store::{Provenance, Registration, Released, Result, SessionFilter, Store};

/// Most sessions one sweep looks at, the longest silent first, so that a start stays cheap
/// however many there are.
const SWEEP_LIMIT: u32 = 64;

/// Most sessions of a worktree considered as a predecessor.
const NEIGHBOURS: u32 = 16;

/// Registers a session, or refreshes it.
///
/// # Errors
///
/// When the database cannot take it.
pub fn register(
    store: &mut dyn Store,
    id: &SessionId,
    predecessor: Option<SessionId>,
    site: &Site,
) -> Result<Session> {
    let repo = settle_repo_name(store, site.named_place())?;
    store.register(&Registration {
        session: id.clone(),
        repo,
        worktree: Some(site.project.name()),
        branch: site.branch(),
        host: Some(site.host.clone()),
        process: site.client_of(id),
        predecessor,
        lease_seconds: site.settings.lease_seconds,
        provenance: Provenance::new(id.as_str(), "session start"),
    })
}

/// Tells whether all that is known of a session is a write of its own that had to wait: its start
/// could not register it.
pub const fn is_known_by_name_alone(session: &Session) -> bool {
    session.worktree.is_none()
}

/// Tells whether registering would change nothing but the lease, and that is not due: then a
/// start is a read.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn is_registered_as_is(store: &mut dyn Store, session: &Session, site: &Site) -> Result<bool> {
    let renewal = site.settings.renewal_seconds();
    let is_as_is = session.status == SessionStatus::Active
        && !session.renewal_is_due(renewal)
        && session.host.as_ref() == Some(&site.host)
        && session.worktree.as_deref() == Some(site.project.name().as_str())
        && session.process == site.client_of(&session.id)
        && site
            .branch()
            .is_none_or(|branch| session.branch() == Some(&branch));
    Ok(is_as_is
        && match &session.repo {
            Some(name) => may_keep_name(store, site.named_place(), name)?,
            None => find_repo_name(store, site.named_place())?.is_none(),
        })
}

/// Finds the session that a new one continues after `/clear` or a fork: the client does not
/// say. It is the one of the same process, else the one the project's cache names, else the
/// latest here.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn predecessor(
    store: &mut dyn Store,
    id: &SessionId,
    source: Source,
    site: &Site,
) -> Result<Option<SessionId>> {
    if !matches!(source, Source::Clear | Source::Fork) {
        return Ok(None);
    }
    let filter = SessionFilter {
        worktree: Some(site.project.name()),
        limit: NEIGHBOURS,
        ..SessionFilter::default()
    };
    let mut neighbours = store.sessions(&filter)?;
    neighbours.retain(|session| session.id != *id && session.predecessor.as_ref() != Some(id));
    let client = site.client();
    let same_process = neighbours
        .iter()
        .find(|s| client.is_some() && s.process == client && source == Source::Clear);
    let shared = CacheFile::read(&cache::shared_path(&site.project.dir));
    let named = match &shared.document {
        Reading::Fresh(document) => document.session(),
        _ => None,
    };
    let named = neighbours.iter().find(|s| Some(&s.id) == named.as_ref());
    Ok(same_process
        .or(named)
        .or_else(|| neighbours.first())
        .map(|session| session.id.clone()))
}

/// Parks every session that two witnesses call dead; its state stays readable.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn sweep(store: &mut dyn Store, site: &Site, actor: &str) -> Result<Vec<Released>> {
    let mut released = Vec::new();
    let mut doubt = Doubt::default();
    for session in store.lapsed(SWEEP_LIMIT)? {
        let vitality = doubt.judge(&session, site, store)?;
        if !is_free(&session, &vitality) {
            continue;
        }
        let provenance = Provenance::new(actor, &vitality.witness);
        released.extend(store.park(&session, &provenance)?);
    }
    Ok(released)
}
