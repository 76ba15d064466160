//! Events as a person tells them: by day, who did what to which item, and why.

use std::collections::BTreeSet;

use serde_json::Value;
use trueup_core::model::{Event, EventKind, Timestamp};
use trueup_core::text::one_line;

use super::difference::render_author;
use super::sentence::{Sentence, describe_added_tasks, describe_event};
use crate::command_context::CommandContext;
use crate::commands::short_ids::ShortIds;
use crate::page::{Line, Tone};
use crate::time_text::TimeText;

/// Longest reason shown, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Fields of events that name a session.
const SESSION_FIELDS: [&str; 7] =
    ["holder", "assigned_to", "started_by", "session", "session_id", "from_session", "to_session"];

/// Characters of a time of day, with the space before and after it.
const CLOCK_COLUMNS: usize = 8;

/// Tells events one after the other.
#[derive(Debug)]
pub(crate) struct Story {
    times: TimeText,
    /// Whether fields for programs are told as well.
    is_verbose: bool,
    /// The day of the last event that was told.
    day: Option<String>,
    /// Reasons that only name the command that was given.
    command_names: BTreeSet<String>,
    /// The sessions that are told apart.
    sessions: ShortIds,
}

impl Story {
    pub(crate) fn new(context: &CommandContext, is_verbose: bool) -> Self {
        let mut command_names = context.command_names();
        command_names.insert("session start".to_owned());
        let (times, sessions) = (context.times, ShortIds::default());
        Self { times, is_verbose, day: None, command_names, sessions }
    }

    /// Takes the ids of sessions that are told apart, besides those of the events.
    pub(crate) fn know_sessions<'s>(&mut self, ids: impl IntoIterator<Item = &'s str>) {
        for id in ids {
            self.sessions.learn(id);
        }
    }

    fn learn_sessions(&mut self, event: &Event) {
        let key = (event.entity == "session").then_some(event.key.as_str());
        let values = [&event.before, &event.after].into_iter().flat_map(|value| {
            SESSION_FIELDS.iter().filter_map(|field| value.get(*field).and_then(Value::as_str))
        });
        self.know_sessions(values.chain(key).chain([event.actor.as_str()]));
    }

    /// Tells events; the tasks that one act added to a plan are one line.
    pub(crate) fn tell_all(&mut self, events: &[Event]) -> Vec<Line> {
        for event in events {
            self.learn_sessions(event);
        }
        let is_one_act =
            |one: &Event, next: &Event| !self.is_verbose && adds_to_same_plan(one, next);
        let acts: Vec<&[Event]> = events.chunk_by(is_one_act).collect();
        acts.into_iter().flat_map(|act| self.tell_act(act)).collect()
    }

    fn tell_act(&mut self, act: &[Event]) -> Vec<Line> {
        match act {
            [] => Vec::new(),
            [event] => self.tell(event),
            [event, ..] => {
                let plan = plan_of_task(event).unwrap_or_default();
                self.tell_as(event, describe_added_tasks(plan, act.len()))
            }
        }
    }

    /// Tells an event: a heading where a day begins, and a line.
    pub(crate) fn tell(&mut self, event: &Event) -> Vec<Line> {
        self.learn_sessions(event);
        self.tell_as(event, describe_event(event))
    }

    fn tell_as(&mut self, event: &Event, sentence: Sentence) -> Vec<Line> {
        let heading = self.times.is_relative().then(|| self.begin_day(event.at)).flatten();
        heading.into_iter().chain([self.tell_line(event, sentence)]).collect()
    }

    /// Returns the heading of a day that was not told of yet.
    fn begin_day(&mut self, at: Timestamp) -> Option<Line> {
        let day = day_of(at);
        if self.day.as_ref() == Some(&day) {
            return None;
        }
        let today = day_of(self.times.now());
        let heading =
            if day == today { format!("{day}, today (UTC)") } else { format!("{day} (UTC)") };
        self.day = Some(day);
        Some(Line::new(Tone::Head, heading))
    }

    fn tell_line(&self, event: &Event, sentence: Sentence) -> Line {
        let (time, hang) = if self.times.is_relative() {
            (format!("  {} ", clock_of(event.at)), CLOCK_COLUMNS)
        } else {
            (format!("{} ", event.at), 2)
        };
        let mut line = Line::new(Tone::Faint, time).and(self.tell_who(event)).and(" ");
        let Sentence { verb, thing, rest } = sentence;
        // What the change itself says is not said twice.
        let reason = self.tell_reason(event);
        let reason =
            if rest.ends_with(reason.trim_start_matches(": ")) { String::new() } else { reason };
        line = line.and(self.shorten(&verb));
        if !thing.is_empty() {
            line = line.and(" ").with(Tone::Head, self.shorten(&thing));
        }
        line = line.and(self.shorten(&rest)).and(reason);
        if self.is_verbose {
            let epoch = event.epoch.map_or_else(String::new, |epoch| format!(" epoch {epoch}"));
            line = line.with(Tone::Faint, format!("  #{}{epoch}", event.seq));
        }
        line.hanging(hang)
    }

    /// Shortens the ids of sessions; in a text for programs they stay whole.
    fn shorten(&self, text: &str) -> String {
        if self.is_verbose { text.to_owned() } else { self.sessions.shorten_in(text) }
    }

    /// Names who did it; in full where a program may read it.
    fn tell_who(&self, event: &Event) -> String {
        self.shorten(&render_author(event))
    }

    /// Tells whether a reason only names a command, perhaps with a flag.
    fn names_command(&self, reason: &str) -> bool {
        self.command_names.contains(reason.split(" --").next().unwrap_or(reason))
    }

    /// Quotes why, unless that only repeats which command was given.
    fn tell_reason(&self, event: &Event) -> String {
        let reason = event.reason.as_deref();
        let reason = reason.filter(|reason| self.is_verbose || !self.names_command(reason));
        let quoted = reason.map(|reason| format!(": \"{}\"", one_line(reason, MAX_REASON_CHARS)));
        quoted.unwrap_or_default()
    }
}

/// Names the plan that an event added a task to.
fn plan_of_task(event: &Event) -> Option<&str> {
    let is_new_task = event.entity == "plan_task" && event.is_kind(EventKind::Added);
    event.key.rsplit_once('/').map(|(plan, _)| plan).filter(|_| is_new_task)
}

fn adds_to_same_plan(one: &Event, next: &Event) -> bool {
    plan_of_task(one).is_some()
        && plan_of_task(one) == plan_of_task(next)
        && (&one.actor, &one.reason, &one.op_id) == (&next.actor, &next.reason, &next.op_id)
}

/// Returns the day of a time, such as `2026-02-02`.
fn day_of(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// Returns the time of day, such as `03:00`.
fn clock_of(at: Timestamp) -> String {
    at.to_string().chars().skip(11).take(5).collect()
}
