//! The formats of an export.

use clap::ValueEnum;
use trueup_core::plan::trackers::TrackerFormat;

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Everything, one object a line
    JsonLines,
    /// Items as issues of beads, one a line
    Beads,
    /// Items as `tasks.json` of task-master
    TaskMaster,
    /// Items as files of Backlog.md, in the folder FILE
    Backlog,
}

impl ExportFormat {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "json-lines",
            Self::Beads => "beads",
            Self::TaskMaster => "task-master",
            Self::Backlog => "backlog",
        }
    }

    /// Returns the tracker whose files it writes.
    pub(super) const fn tracker(self) -> Option<TrackerFormat> {
        match self {
            Self::JsonLines => None,
            Self::Beads => Some(TrackerFormat::Beads),
            Self::TaskMaster => Some(TrackerFormat::TaskMaster),
            Self::Backlog => Some(TrackerFormat::Backlog),
        }
    }
}
