//! The formats in which people and tools write plans: one module for each.
//!
//! [`recognise_format`] tells which one a file has, and [`read_markdown`] reads those in Markdown.

mod checklist;
mod gsd;
mod kiro;
mod openspec;
mod recognise;
mod recognise_json;
mod spec_kit;
mod task_heading;
mod task_headings;
#[cfg(test)]
mod tests;
mod trueup;

use std::fmt;
use std::str::FromStr;

use super::ParsedPlan;
use super::outline::{PlanGrammar, read_outline};
use super::trackers::{
    SourceFile, TrackerError, TrackerFormat, parse_exported_plans, read_tracker,
};

pub use recognise::{decided_format, format_of_plan, keep_decided_format, recognise_format};
pub(super) use trueup::parse_phase_title;

/// Makes [`PlanFormat`] from rows of variant, name and description.
macro_rules! formats {
    ($($(#[$attribute:ident])? $variant:ident => $name:literal, $about:literal;)*) => {
        /// A format of plans.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PlanFormat {
            $(#[doc = $about] $(#[$attribute])? $variant,)*
        }

        impl PlanFormat {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name that an answer and `--format` have for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

formats! {
    #[default] Trueup => "trueup", "Headings such as `## Phase 1: Name`, and ids such as `1.2`. The default.";
    Checklist => "checklist", "Checkboxes under any headings.";
    SpecKit => "spec-kit", "`- [ ] T001 [P] [US1] Title`.";
    Openspec => "openspec", "`## 1. Name`, and ids such as `1.1`.";
    Kiro => "kiro", "Numbered checkboxes with details such as `_Requirements: 1.1_`.";
    Gsd => "gsd", "Phases such as 2.1 with plans such as `02-01`.";
    TaskHeadings => "task-headings", "Headings such as `### Task 1.1: Title`.";
    StatusJson => "status-json", "The original's `status.json`.";
    TaskMaster => "task-master", "The `tasks.json` of task-master.";
    Backlog => "backlog", "The tasks of Backlog.md.";
    Beads => "beads", "The JSON Lines of beads.";
    ClientTasks => "client-tasks", "A task list of Claude Code.";
    JsonLines => "json-lines", "What `trueup export` writes.";
}

/// The error for a text that is not the name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a format of plans")]
pub struct UnknownPlanFormat(String);

impl FromStr for PlanFormat {
    type Err = UnknownPlanFormat;

    fn from_str(text: &str) -> Result<Self, UnknownPlanFormat> {
        let found = Self::ALL.iter().find(|format| format.as_str() == text);
        found.copied().ok_or_else(|| UnknownPlanFormat(text.chars().take(40).collect()))
    }
}

impl fmt::Display for PlanFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PlanFormat {
    /// Returns whether its files are Markdown with boxes that `trueup check --fix` checks.
    pub const fn is_markdown(self) -> bool {
        !matches!(self, Self::StatusJson) && self.tracker().is_none()
    }

    /// Returns the tracker that writes it.
    pub const fn tracker(self) -> Option<TrackerFormat> {
        match self {
            Self::TaskMaster => Some(TrackerFormat::TaskMaster),
            Self::Backlog => Some(TrackerFormat::Backlog),
            Self::Beads => Some(TrackerFormat::Beads),
            Self::ClientTasks => Some(TrackerFormat::ClientTasks),
            Self::JsonLines => Some(TrackerFormat::JsonLines),
            Self::Trueup
            | Self::Checklist
            | Self::SpecKit
            | Self::Openspec
            | Self::Kiro
            | Self::Gsd
            | Self::TaskHeadings
            | Self::StatusJson => None,
        }
    }
}

impl From<TrackerFormat> for PlanFormat {
    fn from(tracker: TrackerFormat) -> Self {
        match tracker {
            TrackerFormat::TaskMaster => Self::TaskMaster,
            TrackerFormat::Backlog => Self::Backlog,
            TrackerFormat::Beads => Self::Beads,
            TrackerFormat::ClientTasks => Self::ClientTasks,
            TrackerFormat::JsonLines => Self::JsonLines,
        }
    }
}

/// Reads the files of a tracker as plans. An export holds as many as were exported, which may be
/// none; all others are one.
///
/// # Errors
///
/// When the files as a whole are not of this format.
pub fn read_tracker_plans(
    tracker: TrackerFormat,
    files: &[SourceFile<'_>],
) -> Result<Vec<ParsedPlan>, TrackerError> {
    let format = PlanFormat::from(tracker);
    let file = read_tracker(tracker, files)?;
    let plans = match (tracker, files) {
        (TrackerFormat::JsonLines, [file]) => parse_exported_plans(file.bytes),
        _ => vec![file.into()],
    };
    Ok(plans.into_iter().map(|plan| ParsedPlan { format, ..plan }).collect())
}

/// Reads a plan in Markdown. A format that is not Markdown is read as a checklist.
pub fn read_markdown(format: PlanFormat, text: &str) -> ParsedPlan {
    let mut grammar: Box<dyn PlanGrammar> = match format {
        PlanFormat::Trueup => Box::new(trueup::TrueupGrammar::new(text)),
        PlanFormat::SpecKit => Box::new(spec_kit::SpecKitGrammar::new(text)),
        PlanFormat::Openspec => Box::new(openspec::OpenspecGrammar),
        PlanFormat::Kiro => Box::new(kiro::KiroGrammar),
        PlanFormat::Gsd => Box::new(gsd::GsdGrammar::default()),
        PlanFormat::TaskHeadings => Box::new(task_headings::TaskHeadingGrammar::new(text)),
        PlanFormat::Checklist
        | PlanFormat::StatusJson
        | PlanFormat::TaskMaster
        | PlanFormat::Backlog
        | PlanFormat::Beads
        | PlanFormat::ClientTasks
        | PlanFormat::JsonLines => Box::new(checklist::ChecklistGrammar::new(text)),
    };
    ParsedPlan { format, ..read_outline(&mut *grammar, text) }
}
