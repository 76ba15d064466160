//! The fields of `phase_queue` that a metadata file must not hold.

/// A field the database owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// Its name, as in `phase_queue`.
    pub name: &'static str,
    /// The command that changes it.
    pub command: &'static str,
}

/// Every field the database owns, from seed 1: workflow status, current phase, assignment,
/// timing, errors, and coordination with other workflows.
///
/// Not here: `issue_number` and `adw_id`, by which both sides name each other; `phase_data`,
/// whose outputs are the file's; `priority`, a word that metadata of issues use too.
pub const OWNED: [Owned; 15] = [
    Owned {
        name: "status",
        command: "trueup queue start|complete|fail|block ID",
    },
    Owned {
        name: "current_phase",
        command: "trueup queue start ID",
    },
    Owned {
        name: "assigned_to",
        command: "trueup queue start ID",
    },
    Owned {
        name: "error_message",
        command: "trueup queue fail ID --error T",
    },
    Owned {
        name: "created_at",
        command: "trueup queue add ITEM",
    },
    Owned {
        name: "updated_at",
        command: "trueup queue start|complete|fail ID",
    },
    Owned {
        name: "completed_at",
        command: "trueup queue complete ID",
    },
    Owned {
        name: "ready_timestamp",
        command: "trueup queue complete ID",
    },
    Owned {
        name: "started_timestamp",
        command: "trueup queue start ID",
    },
    Owned {
        name: "parent_issue",
        command: "trueup item add KEY --parent KEY",
    },
    Owned {
        name: "phase_number",
        command: "trueup queue add ITEM --phases P,…",
    },
    Owned {
        name: "depends_on_phase",
        command: "trueup queue add ITEM --depends N=M",
    },
    Owned {
        name: "depends_on_phases",
        command: "trueup queue add ITEM --depends N=M",
    },
    Owned {
        name: "queue_position",
        command: "trueup queue add ITEM",
    },
    Owned {
        name: "queue_id",
        command: "trueup queue add ITEM",
    },
];

/// Finds a field the database owns.
pub fn owned(name: &str) -> Option<Owned> {
    OWNED.into_iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_stands_once_and_names_a_command_of_queue_or_item() {
        let names: std::collections::BTreeSet<&str> = OWNED.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), OWNED.len());
        for field in OWNED {
            let command = field.command;
            assert!(
                command.starts_with("trueup queue ") || command.starts_with("trueup item "),
                "{field:?}"
            );
        }
        assert!(owned("status").is_some() && owned("current_phase").is_some());
        for free in ["adw_id", "issue_number", "start_time", "statuses"] {
            assert_eq!(owned(free), None);
        }
    }
}
