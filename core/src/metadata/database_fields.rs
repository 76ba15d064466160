//! The fields of `phase_queue` that a metadata file must not hold.

/// A field that the database owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseField {
    /// The name, as in `phase_queue`.
    pub name: &'static str,
    /// The command that changes the field.
    pub command: &'static str,
}

/// Every field that the database owns: workflow status, current phase, assignment, timing, errors,
/// and coordination with other workflows.
///
/// Not in the list: `issue_number` and `adw_id`, by which the two sides refer to each other;
/// `phase_data`, whose outputs belong to the file; and `priority`, a key that issue metadata uses
/// too.
pub const DATABASE_FIELDS: [DatabaseField; 15] = [
    DatabaseField { name: "status", command: "trueup queue start|complete|fail|block ID" },
    DatabaseField { name: "current_phase", command: "trueup queue start ID" },
    DatabaseField { name: "assigned_to", command: "trueup queue start ID" },
    DatabaseField { name: "error_message", command: "trueup queue fail ID --error T" },
    DatabaseField { name: "created_at", command: "trueup queue add ITEM" },
    DatabaseField { name: "updated_at", command: "trueup queue start|complete|fail ID" },
    DatabaseField { name: "completed_at", command: "trueup queue complete ID" },
    DatabaseField { name: "ready_timestamp", command: "trueup queue complete ID" },
    DatabaseField { name: "started_timestamp", command: "trueup queue start ID" },
    DatabaseField { name: "parent_issue", command: "trueup item add KEY --parent KEY" },
    DatabaseField { name: "phase_number", command: "trueup queue add ITEM --phases P,…" },
    DatabaseField { name: "depends_on_phase", command: "trueup queue add ITEM --depends N=M" },
    DatabaseField { name: "depends_on_phases", command: "trueup queue add ITEM --depends N=M" },
    DatabaseField { name: "queue_position", command: "trueup queue add ITEM" },
    DatabaseField { name: "queue_id", command: "trueup queue add ITEM" },
];

/// Finds a field that the database owns by its name.
pub fn find_database_field(name: &str) -> Option<DatabaseField> {
    DATABASE_FIELDS.into_iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_stands_once_and_names_a_command_of_queue_or_item() {
        let names: std::collections::BTreeSet<&str> =
            DATABASE_FIELDS.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), DATABASE_FIELDS.len());
        for field in DATABASE_FIELDS {
            let command = field.command;
            assert!(
                command.starts_with("trueup queue ") || command.starts_with("trueup item "),
                "{field:?}"
            );
        }
        assert!(
            find_database_field("status").is_some()
                && find_database_field("current_phase").is_some()
        );
        for free in ["adw_id", "issue_number", "start_time", "statuses"] {
            assert_eq!(find_database_field(free), None);
        }
    }
}
