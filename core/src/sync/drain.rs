//! Sending what waits in the outbox.

use super::site::{Site, now};
use crate::deadline::Deadline;
use crate::diagnostics::Level;
use crate::model::SessionId;
use crate::outbox::{Bounds, Entry, Pending, Tally, Target, Verdict};
use crate::store::{Delivered, Newcomer, Store, StoreError};

/// The part of the time left that a drain may take: what it was called before needs the rest.
const SHARE: u32 = 3;

/// Most lost edits told one by one.
const TOLD: usize = crate::bounds::LOST_TOLD.len();

/// What a drain came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drained {
    /// In numbers.
    pub tally: Tally,
    /// What came too late, as it is in the journal.
    pub lost: Vec<Entry>,
}

impl Drained {
    /// Adds what a later drain came to.
    pub fn add(&mut self, later: Self) {
        let Tally {
            sent,
            dead,
            elsewhere,
            damaged,
            stays,
            waits,
            trouble,
        } = later.tally;
        self.tally.sent += sent;
        self.tally.dead += dead;
        self.tally.elsewhere += elsewhere;
        self.tally.damaged += damaged;
        self.tally.stays = stays;
        self.tally.waits = waits;
        self.tally.trouble = trouble;
        self.lost.extend(later.lost);
    }

    /// Says what came too late, for the user of a session.
    pub fn lost_lines(&self, session: Option<&SessionId>) -> Vec<String> {
        let line = |entry: &Entry| {
            let owner = &entry.lost.session;
            let whose = if Some(owner) == session {
                String::new()
            } else {
                format!(" of session {owner}")
            };
            format!("{}{whose}", entry.lost.line())
        };
        let mut lines: Vec<String> = self.lost.iter().take(TOLD).map(line).collect();
        if self.lost.len() > TOLD {
            lines.push(format!(
                "⚠️ {} more edits lost to a newer database state; see trueup journal list",
                self.lost.len() - TOLD
            ));
        }
        lines
    }

    /// Says what a person must know: what was lost, refused, cannot be read, or waits for
    /// another database.
    pub fn lines(&self, site: &Site, session: Option<&SessionId>) -> Vec<String> {
        let mut lines = self.lost_lines(session);
        let beside = |name: &str| site.settings.paths.data.join(name).display().to_string();
        let Tally {
            dead,
            damaged,
            elsewhere,
            ..
        } = self.tally;
        if dead > 0 {
            let file = beside("outbox.dead.jsonl");
            lines.push(format!(
                "⚠️ {dead} writes were refused by the database and are kept in {file}"
            ));
        }
        if damaged > 0 {
            let file = beside("outbox.damaged");
            lines.push(format!(
                "⚠️ {damaged} lines of the outbox cannot be read and are kept in {file}"
            ));
        }
        if elsewhere > 0 {
            lines.push(format!(
                "⚠️ {elsewhere} writes are waiting for another database"
            ));
        }
        lines
    }

    /// Says what stays among what waits and cannot be put aside: that goes on until somebody
    /// makes room, so it is for the start of a session alone.
    pub fn stays(&self) -> Option<String> {
        let Tally { stays, trouble, .. } = &self.tally;
        let why = trouble.as_deref().unwrap_or_default();
        (*stays > 0).then(|| {
            format!(
                "⚠️ {stays} writes for another database, or refused by this one, cannot be set \
                 aside and stay in the outbox ({why}); see trueup doctor"
            )
        })
    }
}

/// Sends what waits, in order, as far as there is time; what cannot be sent stays, and what came
/// too late is in the journal.
pub fn drain(store: &mut dyn Store, site: &Site) -> Drained {
    if site.outbox().is_idle() {
        return Drained::default();
    }
    let mut lost = Vec::new();
    match carry_out(store, site, &mut lost) {
        Ok(tally) => {
            if let Some(trouble) = &tally.trouble {
                site.log(Level::Warn, "outbox", trouble);
            }
            Drained { tally, lost }
        }
        Err(error) => {
            let trouble = format!("the outbox cannot be drained: {error}");
            site.log(Level::Error, "outbox", &trouble);
            let tally = Tally {
                waits: true,
                trouble: Some(trouble),
                ..Tally::default()
            };
            Drained { tally, lost }
        }
    }
}

/// Why a batch was not sent.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal cannot be written: {0}")]
    Journal(#[source] std::io::Error),
}

fn carry_out(
    store: &mut dyn Store,
    site: &Site,
    lost: &mut Vec<Entry>,
) -> Result<Tally, Box<dyn std::error::Error>> {
    let target = Target {
        lineage: store.lineage()?,
        database: site.settings.database_address(),
    };
    note_database(&target, site);
    let left = site.deadline.left();
    let share = left / SHARE;
    let bounds = Bounds {
        patience: share / 2,
        share: Deadline::after(share),
        end: Deadline::after(left.saturating_sub(share)),
    };
    let newcomer = Newcomer {
        host: Some(site.host.clone()),
        lease_seconds: site.settings.lease_seconds,
    };
    let send = |batch: &[&Pending]| -> Result<Vec<Verdict>, Failure> {
        let delivered = store.deliver(batch, &newcomer, bounds.end)?;
        let (verdicts, late) = judged(delivered);
        lost.extend(
            site.journal()
                .keep_all(late, now())
                .map_err(Failure::Journal)?,
        );
        Ok(verdicts)
    };
    Ok(site.outbox().drain(&target, &bounds, send)?)
}

fn judged(delivered: Vec<Delivered>) -> (Vec<Verdict>, Vec<crate::reconcile::Lost>) {
    let mut late = Vec::new();
    let verdicts = delivered.into_iter().map(|answer| match answer {
        Delivered::Written => Verdict::Sent,
        Delivered::Lost(lost) => {
            late.push(lost);
            Verdict::Sent
        }
        Delivered::Refused(reason) => Verdict::Refused(reason),
    });
    (verdicts.collect(), late)
}

/// Notes which database is at the configured address. That it cannot be noted is for the log:
/// what is written while nobody can look then names the address alone.
fn note_database(target: &Target, site: &Site) {
    let name = site.settings.database.to_string();
    let known = site.databases();
    if let Err(error) = known.note(&target.database, &target.lineage, &name) {
        site.log(Level::Warn, "outbox", &error.to_string());
    }
}

/// Notes which database a session was started with.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn remember_database(store: &mut dyn Store, site: &Site) -> Result<(), StoreError> {
    let target = Target {
        lineage: store.lineage()?,
        database: site.settings.database_address(),
    };
    note_database(&target, site);
    Ok(())
}
