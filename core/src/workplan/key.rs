//! The keys of front matters and `task` blocks.

/// A key of a front matter or a `task` block that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `id`
    Id,
    /// `type`, of a front matter.
    Type,
    /// `title`
    Title,
    /// `status`
    Status,
    /// `state_hub_workstream_id` of a front matter, `state_hub_task_id` of a block.
    Link,
    /// `depends_on` or `depends-on`
    DependsOn,
    /// `domain`, of a front matter.
    Domain,
    /// `repo`, of a front matter.
    Repo,
    /// `repo_slug`, of a front matter.
    RepoSlug,
    /// `owner`, of a front matter.
    Owner,
    /// `topic_slug`, of a front matter.
    TopicSlug,
    /// `created`, of a front matter.
    Created,
    /// `updated`, of a front matter.
    Updated,
    /// `planning_priority`, of a front matter.
    PlanningPriority,
    /// `planning_order`, of a front matter.
    PlanningOrder,
    /// `priority`, of a block.
    Priority,
    /// `assignee`, of a block.
    Assignee,
    /// `needs_human`, of a block.
    NeedsHuman,
    /// `intervention_note`, of a block.
    InterventionNote,
}

impl Key {
    /// Returns the key of a front matter with this name.
    pub(super) fn from_front_matter(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "type" => Self::Type,
            "title" => Self::Title,
            "status" => Self::Status,
            "state_hub_workstream_id" => Self::Link,
            "depends_on" | "depends-on" => Self::DependsOn,
            "domain" => Self::Domain,
            "repo" => Self::Repo,
            "repo_slug" => Self::RepoSlug,
            "owner" => Self::Owner,
            "topic_slug" => Self::TopicSlug,
            "created" => Self::Created,
            "updated" => Self::Updated,
            "planning_priority" => Self::PlanningPriority,
            "planning_order" => Self::PlanningOrder,
            _ => return None,
        })
    }

    /// Returns the key of a `task` block with this name.
    pub(super) fn from_task_block(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "title" => Self::Title,
            "status" => Self::Status,
            "state_hub_task_id" => Self::Link,
            "depends_on" | "depends-on" => Self::DependsOn,
            "priority" => Self::Priority,
            "assignee" => Self::Assignee,
            "needs_human" => Self::NeedsHuman,
            "intervention_note" => Self::InterventionNote,
            _ => return None,
        })
    }
}
