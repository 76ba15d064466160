//! What a second import takes over of a record.

use serde_json::{Value, json};

use super::fields;
use super::item_source::ItemSource;
use super::record::{RecordStatus, TrackerFormat, TrackerRecord, USUAL_KIND, shorten};
use super::written_priority::is_same_priority;
use crate::model::{Item, ItemStatus};
use crate::store::{ItemEditRequest, OptionalItemField};

/// Returns the title that an item has from a record. An export of trueup has none for an item
/// without one, whose record is called by its key.
pub(super) fn title_of(format: TrackerFormat, record: &TrackerRecord) -> Option<String> {
    let has_none =
        format == TrackerFormat::JsonLines && fields::text(&record.original, "title").is_none();
    (!has_none).then(|| record.title.clone())
}

/// A record, and the item that it became before.
pub(super) struct Reimport<'a> {
    pub(super) format: TrackerFormat,
    pub(super) record: &'a TrackerRecord,
    pub(super) item: &'a Item,
    pub(super) base: Option<&'a ItemSource>,
}

impl Reimport<'_> {
    /// Tells whether the record and the item, which was added here under its id, come together for
    /// the first time: what only one of them has, both keep.
    pub(super) const fn is_first_meeting(&self) -> bool {
        self.base.is_none() && self.format.is_written()
    }

    /// Decides what becomes of the status in the file.
    pub(super) fn decide_status(&self) -> StatusDecision {
        let (theirs, ours) = (self.record.status, RecordStatus::from(self.item.status));
        let is =
            |status: RecordStatus| status == theirs || status.as_written(self.format) == theirs;
        let base = self.base.map(ItemSource::base_status);
        if base == Some(theirs) || is(ours) {
            return StatusDecision::Same;
        }
        let to = theirs.item_status();
        let Some(to) = to.filter(|to| to.rank() > self.item.status.rank()) else {
            return match base {
                // Without a base, the file is only older.
                None => StatusDecision::Same,
                Some(base) if base == ours || base == ours.as_written(self.format) => {
                    StatusDecision::Left(LeftStatus::GoesBack)
                }
                Some(_) => StatusDecision::Overruled,
            };
        };
        if self.item.holder.is_some() {
            StatusDecision::Left(LeftStatus::Held)
        } else if to == ItemStatus::Completed && self.item.requires_evidence {
            StatusDecision::Left(LeftStatus::NeedsEvidence)
        } else {
            StatusDecision::Taken(to)
        }
    }

    /// Returns the command that sets the status to the one of the file, or makes it possible.
    fn command_to_go_back(&self) -> String {
        let (key, format) = (&self.item.key, self.format);
        match self.record.status.item_status() {
            Some(to) if !self.item.status.is_finished() && !to.is_finished() => {
                format!("trueup item transition {key} {to}")
            }
            _ => format!("trueup item reopen {key} --reason \"reopened in {format}\""),
        }
    }

    /// Takes over what the file changed; returns what that is.
    pub(super) fn edit_fields(&self, edit: &mut ItemEditRequest) -> Vec<String> {
        let base = self.base.map(ItemSource::reread);
        let (item, record) = (self.item, self.record);
        let mut lines = Vec::new();
        let mut note = |field: &str, from: Value, to: Value| {
            lines.push(format!("{field}: {from} -> {to}"));
        };
        let title = title_of(self.format, record);
        let title_before = base.as_ref().map(|base| title_of(self.format, base));
        if title_before != Some(title.clone()) && title != item.title && title.is_some() {
            note("title", json!(item.title), json!(title));
            edit.title = title;
        }
        let description_before = base.as_ref().map(|base| &base.description);
        let description = &record.description;
        let is_kept = self.is_first_meeting() && description.is_none();
        if description_before != Some(description) && *description != item.description && !is_kept {
            note("description", json!(item.description), json!(description));
            edit.description.clone_from(description);
            edit.unset.extend(description.is_none().then_some(OptionalItemField::Description));
        }
        let priority_before = base.as_ref().map(|base| base.priority);
        let priority = record.priority;
        let is_same = is_same_priority(self.format, item.priority, priority);
        let is_kept = self.is_first_meeting() && priority.is_none();
        if priority_before != Some(priority) && !is_same && !is_kept {
            note("priority", json!(item.priority), json!(priority));
            edit.priority = priority.and_then(|rank| i64::from(rank).try_into().ok());
            edit.unset.extend(priority.is_none().then_some(OptionalItemField::Priority));
        }
        let kind = record.kind.as_ref().filter(|kind| **kind != item.kind);
        if let Some(kind) = kind.filter(|_| self.is_first_meeting() && item.kind == USUAL_KIND) {
            note("kind", json!(item.kind), json!(kind));
            edit.kind = Some(kind.clone());
        }
        lines
    }
}

/// What becomes of the status that a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusDecision {
    /// It is no news.
    Same,
    /// The item moves to it.
    Taken(ItemStatus),
    /// It changed on both sides, and what is here counts.
    Overruled,
    /// It is not taken over for now.
    Left(LeftStatus),
}

/// Why a status is not taken over for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftStatus {
    Held,
    NeedsEvidence,
    GoesBack,
}

impl StatusDecision {
    pub(super) const fn taken_status(self) -> Option<ItemStatus> {
        match self {
            Self::Taken(to) => Some(to),
            _ => None,
        }
    }

    /// Returns the status that stays the base, so that the next import sees the file's as news.
    pub(super) fn status_left(self, import: &Reimport<'_>) -> Option<RecordStatus> {
        let ours = || RecordStatus::from(import.item.status);
        matches!(self, Self::Left(_))
            .then(|| import.base.map_or_else(ours, ItemSource::base_status))
    }

    /// Says that the status of the file is not taken over, and why.
    pub(super) fn describe(self, import: &Reimport<'_>) -> Option<String> {
        let key = &import.item.key;
        let why = match self {
            Self::Same | Self::Taken(_) => return None,
            Self::Overruled => format!("it is {} here since then", import.item.status),
            Self::Left(LeftStatus::Held) => {
                let holder = import.item.holder.as_ref().map(ToString::to_string);
                let holder = holder.unwrap_or_default();
                format!("held by {holder}; an import after its `trueup release` takes it over")
            }
            Self::Left(LeftStatus::NeedsEvidence) => {
                format!(
                    "{key} is completed only with evidence; \
                     `trueup item transition {key} completed --evidence REF` gives it"
                )
            }
            Self::Left(LeftStatus::GoesBack) => format!(
                "it is {} here, and a file {}; `{}` does",
                import.item.status,
                if import.item.status.is_finished() {
                    "reopens nothing"
                } else {
                    "takes no status back"
                },
                import.command_to_go_back()
            ),
        };
        let word = import.record.original.get("status").and_then(Value::as_str);
        let word = shorten(word.unwrap_or("open"));
        Some(format!("status {word} in the file is not taken over: {why}"))
    }
}
