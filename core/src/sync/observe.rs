//! Gathering the readings.

use std::collections::BTreeSet;

use super::site::{Site, now};
use crate::cache::{self, CacheFile, Candidate, Document};
use crate::git;
use crate::liveness::{self, Alive};
use crate::model::{Event, EventFilter, Field, ItemKey, Session, SessionId, Value};
use crate::reconcile::{
    self, BranchReading, BranchTarget, CacheReading, ClaimReading, DatabaseReading, LostClaim,
    OutboxReading, Peer, Reading, Snapshot,
};
use crate::store::{Result, Store};

/// Everything that was read.
#[derive(Debug)]
pub struct Observation {
    /// For the decision.
    pub snapshot: Snapshot,
    /// The file, for writing it.
    pub file: CacheFile,
}

/// Reads database, cache, git and outbox for a registered session. `peers` are those found
/// in its worktree, when the caller looked.
///
/// # Errors
///
/// When the database cannot be asked; files that cannot be read are readings.
pub fn observe(
    store: &mut dyn Store,
    session: &Session,
    peers: &[Session],
    site: &Site,
) -> Result<Observation> {
    let state = session.execution_state();
    let claim = session
        .item
        .clone()
        .zip(session.epoch)
        .map(|(item, epoch)| ClaimReading {
            item,
            epoch,
            since: session.claimed_at,
        });
    let lost_claim = match &claim {
        Some(_) => None,
        None => lost_claim(store, session, state.work.item.as_deref())?,
    };
    let branch = branch(store, claim.as_ref(), site)?;
    let database = DatabaseReading {
        lineage: session.lineage.clone(),
        revision: session.revision,
        claim,
        lost_claim,
        work: state.work,
        history: state.history,
    };
    let mut owner = None;
    let file = choose_file(&session.id, site, |id| {
        owner = store.session(id)?;
        let owner = owner.as_ref();
        Ok(owner.is_some_and(|owner| is_live_here(owner, site)))
    })?;
    let peers = peers
        .iter()
        .filter(|peer| peer.id != session.id && is_live_here(peer, site))
        .map(|peer| Peer {
            session: peer.id.clone(),
            item: peer.item.clone(),
        })
        .collect();
    let mut snapshot = snapshot(
        &session.id,
        Reading::Fresh(database),
        &file,
        branch,
        peers,
        site,
    );
    if let Reading::Fresh(cache) = &mut snapshot.cache {
        cache.owner_revision = owner.as_ref().map(|owner| owner.revision);
        let of = owner.as_ref().unwrap_or(session);
        cache.unknown = unknown_fields(store, cache, of)?;
    }
    Ok(Observation { snapshot, file })
}

/// Finds what a file that was written at an earlier revision says of its session that the
/// database never said: it was restored from a backup of before that, and has moved on since. A
/// flag says too little to tell.
fn unknown_fields(
    store: &mut dyn Store,
    cache: &CacheReading,
    session: &Session,
) -> Result<BTreeSet<Field>> {
    let mut unknown = BTreeSet::new();
    let is_earlier = cache.is_stamped()
        && cache.lineage.as_ref() == Some(&session.lineage)
        && cache.session.as_ref() == Some(&session.id)
        && cache.revision < Some(session.revision);
    if !is_earlier {
        return Ok(unknown);
    }
    let now = session.execution_state().work;
    for field in [Field::Phase, Field::Task] {
        let Some(value @ Value::Text(Some(_))) = cache.fields.get(&field) else {
            continue;
        };
        // An edit is kept as one.
        if now.get(field) != *value
            && !cache.edited.contains(&field)
            && !store.had_value(&session.id, field, value)?
        {
            unknown.insert(field);
        }
    }
    Ok(unknown)
}

/// Reads what can be read while the database cannot be asked.
pub fn observe_without_database(session: &SessionId, reason: &str, site: &Site) -> Observation {
    // Who owns the shared file cannot be asked; it is read, and nothing will be written.
    let file = choose_file(session, site, |_| Ok::<_, std::convert::Infallible>(false));
    let file = match file {
        Ok(file) => file,
        Err(never) => match never {},
    };
    let database = Reading::Unavailable(reason.to_owned());
    let snapshot = snapshot(session, database, &file, None, Vec::new(), site);
    Observation { snapshot, file }
}

fn snapshot(
    session: &SessionId,
    database: Reading<DatabaseReading>,
    file: &CacheFile,
    branch: Option<BranchReading>,
    peers: Vec<Peer>,
    site: &Site,
) -> Snapshot {
    let cache = match &file.document {
        // The `.claude` of the home directory is the client's own: nothing in it is ours to
        // compare, and nothing could mend it.
        _ if site.project.is_home => Reading::Missing,
        Reading::Fresh(document) => Reading::Fresh(document.reading()),
        Reading::Missing => Reading::Missing,
        Reading::Corrupt(reason) => Reading::Corrupt(reason.clone()),
        Reading::Unavailable(reason) => Reading::Unavailable(reason.clone()),
    };
    let backlog = site.outbox().backlog().unwrap_or_default();
    let outbox = OutboxReading {
        waiting: backlog.waiting,
        elsewhere: backlog.elsewhere,
        oldest_at: backlog.oldest_at,
    };
    Snapshot {
        session: session.clone(),
        database,
        cache,
        branch,
        peers,
        outbox,
        now: now(),
    }
}

/// Reads the file that belongs to the session.
fn choose_file<E>(
    session: &SessionId,
    site: &Site,
    owner_is_live: impl FnOnce(&SessionId) -> std::result::Result<bool, E>,
) -> std::result::Result<CacheFile, E> {
    let own = cache::own_path(&site.project.dir, session);
    if own.symlink_metadata().is_ok() {
        return Ok(CacheFile::read(&own));
    }
    let shared = CacheFile::read(&cache::shared_path(&site.project.dir));
    let owner = match &shared.document {
        Reading::Fresh(document) => document.session(),
        _ => None,
    };
    let stranger = owner.as_ref().filter(|owner| *owner != session);
    let owner_is_live = stranger.map(owner_is_live).transpose()?.unwrap_or(false);
    let candidate = Candidate {
        session,
        has_own: false,
        shared_owner: owner.as_ref(),
        owner_is_live,
    };
    Ok(if cache::choose(candidate) {
        CacheFile::read(&own)
    } else {
        shared
    })
}

/// Tells whether a session still works in this project, as far as can be told: one that may
/// live counts.
fn is_live_here(other: &Session, site: &Site) -> bool {
    let here = other
        .worktree
        .as_ref()
        .is_some_and(|name| *name == site.project.name());
    if !here || !other.status.is_present() {
        return false;
    }
    let evidence = liveness::evidence(other, &site.host);
    liveness::judge(other, evidence, site.settings.ceiling_seconds).alive != Alive::Dead
}

/// Most events of an item looked through, the newest.
const EVENTS: u32 = 64;

fn lost_claim(
    store: &mut dyn Store,
    session: &Session,
    worked_on: Option<&str>,
) -> Result<Option<LostClaim>> {
    let Some(key) = worked_on.and_then(|text| text.parse::<ItemKey>().ok()) else {
        return Ok(None);
    };
    let Some(item) = store.item(&key)? else {
        return Ok(None);
    };
    let is_finished = item.status.is_finished();
    if let Some(holder) = item.holder {
        return Ok(Some(LostClaim {
            item: item.key,
            holder: Some(holder),
            is_finished,
            since: item.claimed_at,
        }));
    }
    // Nobody holds it. Was it taken from this session, or did it never hold it? Who gives an
    // item up works on none, so it was not given up.
    let events = store.events(&EventFilter {
        item: Some(key.to_string()),
        limit: EVENTS,
        ..EventFilter::default()
    })?;
    let freed = events.iter().rev().find(|event| event.kind == "released");
    let was_ours = |event: &&Event| {
        let before = event
            .before
            .get("holder")
            .and_then(|holder| holder.as_str());
        before == Some(session.id.as_str())
    };
    Ok(freed.filter(was_ours).map(|event| LostClaim {
        item: key,
        holder: None,
        is_finished,
        since: Some(event.at),
    }))
}

fn branch(
    store: &mut dyn Store,
    claim: Option<&ClaimReading>,
    site: &Site,
) -> Result<Option<BranchReading>> {
    let Some(name) = site.branch() else {
        return Ok(None);
    };
    let mut reading = BranchReading {
        name,
        names_other: None,
        other_is_free: false,
        way_back: BranchTarget::default(),
    };
    let Some(claim) = claim.filter(|claim| !reconcile::names(&reading.name, claim.item.as_str()))
    else {
        return Ok(Some(reading));
    };
    let held = claim.item.as_str();
    let parts = reconcile::candidates(&reading.name, site.written_pattern());
    let known = store.known_items(&parts)?;
    reading.names_other = reconcile::named_item(&reading.name, held, &known);
    let Some(named) = &reading.names_other else {
        return Ok(Some(reading));
    };
    let item = match named.parse::<ItemKey>() {
        Ok(key) => store.item(&key)?,
        Err(_) => None,
    };
    reading.other_is_free =
        item.is_some_and(|item| item.holder.is_none() && !item.status.is_finished());
    if let Some(git) = &site.project.git {
        let elsewhere = git::checked_out_elsewhere(git);
        reading.way_back = reconcile::way_back(held, &git::branches(git), &elsewhere);
    }
    Ok(Some(reading))
}

impl Observation {
    /// Tells whether the cache was written from a later state of the same database.
    pub(super) fn cache_is_newer(&self) -> bool {
        match (&self.snapshot.cache, &self.snapshot.database) {
            (Reading::Fresh(cache), Reading::Fresh(database)) => cache.is_ahead_of(database),
            _ => false,
        }
    }

    /// Returns the document read, or an empty one.
    pub(super) fn document(&self) -> Document {
        match &self.file.document {
            Reading::Fresh(document) => document.clone(),
            _ => Document::default(),
        }
    }
}
