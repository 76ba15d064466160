//! Replacing what is known of a session by what was just read from the server.

use std::io;
use std::time::Duration;

use super::document::{LocalMarks, Replica, StalledOutbox};
use super::file::ReplicaFile;
use super::projection::project_change;
use crate::model::{Session, Timestamp};
use crate::outbox::{Outbox, PendingWrite};
use crate::text::one_line;

/// Longest reason why something is not sent, in characters.
const MAX_PROBLEM_CHARS: usize = 300;

impl ReplicaFile {
    /// Replaces the replica by one that was just read, with what waits in the outbox on top. What
    /// hooks noted and the server does not know yet is kept. A replica that was read later stays.
    ///
    /// # Errors
    ///
    /// When the lock cannot be had in that time, or a file cannot be read or written.
    pub fn replace_if_newer(
        &self,
        mut replica: Replica,
        outbox: &Outbox,
        patience: Duration,
    ) -> io::Result<()> {
        let _lock = self.acquire_lock(patience)?;
        if let Some(before) = self.read() {
            if before.session.read_at > replica.session.read_at {
                return Ok(());
            }
            carry_over(&mut replica, before);
        } else {
            // The server has just given the session its status.
            replica.marks.status = None;
        }
        self.project_and_write(replica, outbox)
    }

    /// Replaces the session of an existing replica, as a command does that changed it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::replace_if_newer`].
    pub fn replace_session(
        &self,
        session: Session,
        now: Timestamp,
        outbox: &Outbox,
        patience: Duration,
    ) -> io::Result<()> {
        if !self.exists() {
            return Ok(());
        }
        let _lock = self.acquire_lock(patience)?;
        let Some(before) = self.read().filter(|it| it.session.read_at <= session.read_at) else {
            return Ok(());
        };
        let mut replica = Replica::of_session(session, now);
        replica.cache_owner.clone_from(&before.cache_owner);
        replica.items.clone_from(&before.items);
        replica.looked_up.clone_from(&before.looked_up);
        replica.events.clone_from(&before.events);
        replica.handoffs.clone_from(&before.handoffs);
        carry_over(&mut replica, before);
        self.project_and_write(replica, outbox)
    }

    /// Notes since when the server cannot be reached, which is told to the user once.
    ///
    /// # Errors
    ///
    /// Those of [`Self::replace_if_newer`].
    pub fn note_outage(&self, since: Timestamp, patience: Duration) -> io::Result<()> {
        let _lock = self.acquire_lock(patience)?;
        let Some(mut replica) = self.read().filter(|replica| replica.outage_since.is_none()) else {
            return Ok(());
        };
        replica.outage_since = Some(since);
        self.write(&replica)
    }

    /// Notes why what waits could not be sent, or that it could. It is told to the user once: the
    /// session is read anew all the time, so nothing else shows it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::replace_if_newer`].
    pub fn note_sending(
        &self,
        problem: Option<&str>,
        now: Timestamp,
        patience: Duration,
    ) -> io::Result<()> {
        let _lock = self.acquire_lock(patience)?;
        let is_noted = |it: &Replica| it.stalled.is_some() == problem.is_some();
        let Some(mut replica) = self.read().filter(|it| !is_noted(it)) else {
            return Ok(());
        };
        replica.stalled = problem.map(|problem| StalledOutbox {
            since: now,
            problem: one_line(problem, MAX_PROBLEM_CHARS),
            is_told: false,
        });
        self.write(&replica)
    }

    /// Adds lines for the user of a session. Returns whether there is a replica to add them to.
    ///
    /// # Errors
    ///
    /// Those of [`Self::replace_if_newer`].
    pub fn add_news(&self, lines: &[String], patience: Duration) -> io::Result<bool> {
        if !self.exists() {
            return Ok(false);
        }
        let _lock = self.acquire_lock(patience)?;
        let Some(mut replica) = self.read() else {
            return Ok(false);
        };
        replica.news.extend_from_slice(lines);
        self.write(&replica)?;
        Ok(true)
    }

    fn project_and_write(&self, mut replica: Replica, outbox: &Outbox) -> io::Result<()> {
        if !outbox.is_idle() {
            for write in outbox.list_waiting()? {
                if is_of(&write, &replica.session) {
                    project_change(&mut replica, &write.write);
                }
            }
        }
        self.remove_debris();
        self.write(&replica)
    }
}

/// Keeps what only the replica before knows.
fn carry_over(replica: &mut Replica, mut before: Replica) {
    before.remember_values();
    replica.tasks = before.tasks;
    replica.former_values = before.former_values;
    replica.stalled = before.stalled;
    before.news.append(&mut replica.news);
    replica.news = before.news;
    replica.briefing = replica.briefing.take().or(before.briefing);
    // What a hook noted after it was sent is sent by the next pull.
    let LocalMarks { acknowledged, status, silent_until, shown_handoffs } = before.marks;
    let session = &mut replica.session;
    let acknowledged = acknowledged.filter(|revision| *revision > session.acknowledged);
    if let Some(revision) = acknowledged {
        session.acknowledged = revision.min(session.revision);
    }
    // The start of a session sets the status itself, whatever an event before it said.
    let is_set = replica.marks.status.is_some();
    let status = status.filter(|status| !is_set && *status != session.status);
    if let Some(status) = status {
        session.status = status;
    }
    let is_quiet = session.quiet_seconds_left() > 0;
    let silent_until = silent_until.filter(|until| !is_quiet && *until > replica.pulled_at);
    let is_listed = |id: &_| replica.handoffs.iter().any(|(_, handoff)| handoff.id == *id);
    let shown_handoffs = shown_handoffs.into_iter().filter(is_listed).collect();
    replica.marks = LocalMarks { acknowledged, status, silent_until, shown_handoffs };
}

fn is_of(write: &PendingWrite, session: &Session) -> bool {
    let lineage = write.origin.as_ref().and_then(|origin| origin.lineage.as_ref());
    write.session == session.id && lineage.is_none_or(|lineage| *lineage == session.lineage)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::fixture::sample_session;
    use crate::model::{FieldValue, Lineage, Revision, SessionStatus, StateField};
    use crate::outbox::{PendingChange, WriteOrigin};
    use crate::settings::Paths;

    const PATIENCE: Duration = Duration::from_secs(10);

    struct World {
        dir: tempfile::TempDir,
        file: ReplicaFile,
        outbox: Outbox,
    }

    fn make_world() -> World {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_owned();
        let paths = Paths { config: home.clone(), data: home.clone() };
        let session = "s".parse().unwrap();
        let file = ReplicaFile::of_session(&paths, &Lineage("lineage".into()), &session);
        World { dir, file, outbox: Outbox::new(home.join("outbox.jsonl")) }
    }

    /// A session that was read so many seconds after another.
    fn session_read_at(seconds: i64) -> Session {
        let mut session = sample_session("s", SessionStatus::Active, 0);
        session.read_at = Timestamp::from_millis(session.read_at.as_millis() + seconds * 1000);
        session
    }

    fn replace_with(world: &World, session: Session) {
        let replica = Replica::of_session(session, Timestamp::from_millis(0));
        world.file.replace_if_newer(replica, &world.outbox, PATIENCE).unwrap();
    }

    #[test]
    fn what_waits_is_on_top_of_what_was_read() {
        let world = make_world();
        let task = FieldValue::Text(Some("b".into()));
        let changes = BTreeMap::from([(StateField::Task, task)]);
        let session = session_read_at(0);
        for (op_id, lineage) in [("1", session.lineage.clone()), ("2", Lineage("other".into()))] {
            let origin = WriteOrigin {
                database: "a".into(),
                address: None,
                lineage: Some(lineage),
                base: None,
                base_lineage: None,
                claim: None,
            };
            let write = PendingWrite {
                op_id: op_id.into(),
                at: Timestamp::from_millis(0),
                session: session.id.clone(),
                origin: Some(origin),
                write: PendingChange::State { changes: changes.clone(), branch: None },
            };
            world.outbox.put(&write).unwrap();
        }
        replace_with(&world, session);
        let known = world.file.read().unwrap();
        assert_eq!(known.session.execution_state().work.task.as_deref(), Some("b"));
        assert!(world.dir.path().join("replica/lineage/s.json").is_file());
    }

    #[test]
    fn what_was_read_earlier_replaces_nothing() {
        let world = make_world();
        replace_with(&world, Session { revision: Revision(3), ..session_read_at(5) });
        replace_with(&world, Session { revision: Revision(2), ..session_read_at(4) });
        assert_eq!(world.file.read().unwrap().session.revision, Revision(3));
        let other = Session { revision: Revision(4), ..session_read_at(6) };
        let now = Timestamp::from_millis(1);
        world.file.replace_session(other, now, &world.outbox, PATIENCE).unwrap();
        let known = world.file.read().unwrap();
        assert_eq!((known.session.revision, known.pulled_at), (Revision(4), now));
    }

    #[test]
    fn what_is_not_sent_is_told_once_until_it_is() {
        let world = make_world();
        let told_after = |problem: Option<&str>| {
            // A pull reads the session anew each time.
            replace_with(&world, session_read_at(1));
            world.file.note_sending(problem, Timestamp::from_millis(0), PATIENCE).unwrap();
            let mut replica = world.file.read().unwrap();
            let told = replica.take_news();
            world.file.write(&replica).unwrap();
            told
        };
        let [first] = &told_after(Some("no"))[..] else { panic!("it is told") };
        assert!(first.starts_with("⚠️ ") && first.ends_with(": no"), "{first}");
        assert_eq!([Some("still no"), None, None].map(told_after), [[""; 0]; 3]);
        assert_eq!(told_after(Some("again no")).len(), 1);
    }

    #[test]
    fn what_was_not_sent_is_not_told_once_it_is() {
        let world = make_world();
        replace_with(&world, session_read_at(0));
        for problem in [Some("no"), None] {
            world.file.note_sending(problem, Timestamp::from_millis(0), PATIENCE).unwrap();
        }
        assert_eq!(world.file.read().unwrap().take_news(), [""; 0]);
    }

    #[test]
    fn marks_stay_until_the_server_has_them() {
        let world = make_world();
        let first = Session { revision: Revision(5), ..session_read_at(0) };
        let mut replica = Replica::of_session(first.clone(), Timestamp::from_millis(0));
        replica.marks.acknowledged = Some(Revision(5));
        replica.marks.status = Some(SessionStatus::Idle);
        replica.news = vec!["first".into()];
        // As a hook leaves it.
        world.file.write(&replica).unwrap();
        replace_with(&world, Session { revision: Revision(5), ..session_read_at(1) });
        let known = world.file.read().unwrap();
        assert_eq!(known.session.acknowledged, Revision(5));
        assert_eq!(known.session.status, SessionStatus::Idle);
        assert_eq!(known.news, ["first"]);
        let told = Session { status: SessionStatus::Idle, ..session_read_at(2) };
        replace_with(&world, Session { revision: Revision(5), acknowledged: Revision(5), ..told });
        assert!(world.file.read().unwrap().marks.is_empty());
    }
    #[test]
    fn the_status_that_a_start_gave_is_no_mark_of_a_hook() {
        let world = make_world();
        let mut replica = Replica::of_session(session_read_at(0), Timestamp::from_millis(0));
        replica.marks.status = Some(SessionStatus::Active);
        for _ in 0..2 {
            world.file.replace_if_newer(replica.clone(), &world.outbox, PATIENCE).unwrap();
            assert!(world.file.read().unwrap().marks.is_empty());
        }
    }
}
