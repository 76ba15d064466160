//! The promises that are checked once everything works again and nothing waits.

use std::fs;

use serde_json::Value as Json;
use trueup_core::model::{FieldValue, StateField};
use trueup_core::outbox::JournalEntry;
use trueup_core::store::HookStore as _;

use crate::agent::{Agent, WriteKind};
use crate::pulls::connect;
use crate::server::TaskChange;
use crate::world::World;

/// What became of the writes of a machine: lost edits, and refused writes.
struct Leftovers {
    journal: Vec<JournalEntry>,
    refused: Vec<String>,
}

impl World {
    /// Compares everything with everything.
    pub(crate) fn check_all(&self) {
        let leftovers: Vec<Leftovers> =
            (0..self.machines.len()).map(|machine| self.check_machine(machine)).collect();
        for agent in self.agents.iter().filter(|agent| agent.is_started.get()) {
            self.compare_replica(agent);
            self.check_cache(agent);
            self.check_told(agent);
            self.check_writes(agent, &leftovers[agent.machine]);
        }
    }

    /// Nothing waits, and somebody was told of what was lost.
    fn check_machine(&self, machine: usize) -> Leftovers {
        let on = &self.machines[machine];
        if !on.outbox().is_idle() {
            let waiting = on.outbox().list_waiting().unwrap();
            self.fail(format!("something still waits on m{machine}: {:?}", waiting.first()));
        }
        let journal = on.journal().entries().unwrap();
        // What a session's last hook found is shown by the next start in its project.
        let notices = fs::read_dir(on.settings.paths.data.join("untold")).into_iter().flatten();
        for notice in notices {
            on.note_told(&fs::read_to_string(notice.unwrap().path()).unwrap());
        }
        let told = on.told_entries.borrow();
        let is_untold =
            |entry: &&JournalEntry| !told.contains(&entry.id) && !self.is_half_taken(entry);
        let untold: Vec<_> = journal.iter().filter(is_untold).collect();
        if untold.len() > on.told_unnamed.get() {
            let (count, unnamed) = (untold.len(), on.told_unnamed.get());
            let texts: Vec<_> = untold.iter().map(|it| (&it.id, &it.lost.fields)).collect();
            let first = format!("{texts:?}");
            self.fail(format!("{unnamed} of {count} lost edits were told of, like {first:?}"));
        }
        let refused = on.outbox().list_refused().unwrap();
        let refused = refused.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
        Leftovers { journal, refused }
    }

    /// Returns whether an entry is an edit of the cache that a command rejected, which failed or died
    /// before it could say so.
    fn is_half_taken(&self, entry: &JournalEntry) -> bool {
        let task = entry.lost.fields.get(&StateField::Task);
        let mut agents = self.agents.iter().filter(|agent| agent.id == entry.lost.session);
        agents.any(|agent| {
            let record = agent.record.borrow();
            let mut writes = record.writes.iter().filter(|write| write.is_met_again);
            writes.any(|write| task == Some(&FieldValue::Text(Some(write.text.clone()))))
        })
    }

    /// The cache shows what the server has.
    fn check_cache(&self, agent: &Agent) {
        let Some(document) = fs::read(agent.cache_path()).ok() else {
            return;
        };
        let document: Json = serde_json::from_slice(&document).unwrap();
        let stored = self.server.load_session(agent.id.as_str());
        let stored = stored.and_then(|stored| stored.task);
        let cached = document[StateField::Task.key()].as_str().map(str::to_owned);
        if cached != stored {
            self.fail(format!("the cache of {} has {cached:?}, not {stored:?}", agent.id));
        }
    }

    /// The agent was told of the last change by others, and the server knows so.
    fn check_told(&self, agent: &Agent) {
        let Some(stored) = self.server.load_session(agent.id.as_str()) else {
            return self.fail(format!("the server does not know {}", agent.id));
        };
        let told = agent.record.borrow().told_revision;
        // The agent knows its own edit of the cache.
        let is_own = self.server.was_edited_last(agent.id.as_str());
        if stored.moved_revision > told && !is_own {
            let moved = stored.moved_revision;
            self.fail(format!("{} was told of {told}, but not of {moved}", agent.id));
        }
        if stored.acknowledged != stored.revision {
            let (acknowledged, revision) = (stored.acknowledged, stored.revision);
            self.fail(format!("{} acknowledged {acknowledged} of {revision}", agent.id));
        }
        let notices = connect(agent.machine).list_handoff_notices(&agent.id, false).unwrap();
        if notices.iter().any(|(_, handoff)| handoff.is_unread()) {
            self.fail(format!("{} was not told of a hand-off", agent.id));
        }
    }

    /// Every write is in the database once and in its order, or in one of the files.
    fn check_writes(&self, agent: &Agent, leftovers: &Leftovers) {
        let changes = self.server.list_task_changes(agent.id.as_str());
        let record = agent.record.borrow();
        let mut last_place = None;
        for write in &record.writes {
            if let WriteKind::Subject { task } = &write.kind {
                let stored = self.server.load_subject(agent.id.as_str(), task);
                if write.is_certain && stored.as_ref() != Some(&write.text) {
                    self.fail(format!("task {task} of {} is {stored:?}", agent.id));
                }
                continue;
            }
            let is_made = |change: &TaskChange| change.after.as_ref() == Some(&write.text);
            let places: Vec<usize> =
                (0..changes.len()).filter(|place| is_made(&changes[*place])).collect();
            if let (Some(based_on), Some(place)) = (write.based_on, places.first()) {
                let is_unseen = |it: &TaskChange| it.is_foreign && it.at > based_on;
                if changes[..*place].iter().any(is_unseen) {
                    self.fail(format!("{} was made over a change it did not see", write.text));
                }
            }
            let value = FieldValue::Text(Some(write.text.clone()));
            let of_task = |entry: &&JournalEntry| {
                entry.lost.session == agent.id
                    && entry.lost.fields.get(&StateField::Task) == Some(&value)
            };
            let lost = leftovers.journal.iter().filter(of_task).count();
            let quoted = format!("\"{}\"", write.text);
            let refused = leftovers.refused.iter().filter(|it| it.contains(&quoted)).count();
            let fates = places.len() + lost + refused;
            if fates > 1 && !write.is_met_again || write.is_certain && fates == 0 {
                self.fail(format!(
                    "{} ({:?}, certain: {}) was made {} times, lost {lost} and refused {refused}",
                    write.text,
                    write.kind,
                    write.is_certain,
                    places.len()
                ));
            }
            if let Some(place) = places.first().filter(|_| !write.is_met_again) {
                if last_place.is_some_and(|last| last > *place) {
                    self.fail(format!("{} was made before an earlier write", write.text));
                }
                last_place = Some(*place);
            }
        }
    }
}
