//! The view of a row that breaks a rule.

use serde::Serialize;

use crate::store::Violation;

/// A row of the database that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ViolationView {
    /// The table.
    pub table: String,
    /// The key of the row.
    pub row: String,
    /// The column.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl From<&Violation> for ViolationView {
    fn from(violation: &Violation) -> Self {
        Self {
            table: violation.table.clone(),
            row: violation.row.clone(),
            field: violation.field.clone(),
            problem: violation.problem.clone(),
        }
    }
}
