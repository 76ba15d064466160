//! The operations that are served, and who may call them.

use trueup_core::for_each_operation;
use trueup_core::model::TokenRole;

/// An operation that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its name, which is that of the method of the store.
    pub(super) name: &'static str,
    /// The role that may call it, as every higher one may.
    pub(super) role: TokenRole,
}

macro_rules! role {
    (read) => {
        TokenRole::Reader
    };
    (write) => {
        TokenRole::Agent
    };
    (prune) => {
        TokenRole::Admin
    };
}

macro_rules! list_operations {
    (stores { $($store:ident { $($operations:tt)* })* } commands { $($commands:tt)* }) => {
        list_operations! { @rows $($($operations)*)* $($commands)* }
    };
    (@rows $($access:ident $name:ident($($arguments:tt)*) -> $answer:ty $(, by $ids:expr)?;)*) => {
        /// Every operation that is served.
        pub(super) const OPERATIONS: &[Operation] =
            &[$(Operation { name: stringify!($name), role: role!($access) }),*];
    };
}

for_each_operation!(list_operations);

/// The name of an operation that is served, as the document describes it.
#[cfg(test)]
pub(super) struct OperationName;

#[cfg(test)]
mod schema {
    use std::borrow::Cow;

    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;

    impl PartialSchema for OperationName {
        fn schema() -> RefOr<Schema> {
            let names = OPERATIONS.iter().map(|operation| operation.name);
            let text = ObjectBuilder::new()
                .schema_type(SchemaType::new(Type::String))
                .enum_values(Some(names));
            RefOr::T(Schema::Object(text.build()))
        }
    }

    impl ToSchema for OperationName {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("OperationName")
        }
    }
}

/// Finds an operation by its name.
pub(super) fn find_operation(name: &str) -> Option<Operation> {
    OPERATIONS.iter().copied().find(|operation| operation.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_changes_nothing_and_an_agent_removes_nothing_for_good() {
        for (name, role) in [
            ("list_events", TokenRole::Reader),
            ("load_schema_status", TokenRole::Reader),
            ("claim", TokenRole::Agent),
            ("deliver_pending", TokenRole::Agent),
            ("remove_events", TokenRole::Admin),
        ] {
            assert_eq!(find_operation(name).map(|operation| operation.role), Some(role), "{name}");
        }
        let reads = ["load_", "list_", "find_", "count_", "reload_", "had_", "database_time"];
        for operation in OPERATIONS {
            let is_read = reads.iter().any(|start| operation.name.starts_with(start))
                || operation.name == "sessions_with_expired_lease";
            assert_eq!(operation.role == TokenRole::Reader, is_read, "{}", operation.name);
        }
    }

    #[test]
    fn tokens_are_nobodys_business_here() {
        for name in ["create_token", "find_token", "record_callers", "set_deadline", "CLAIM", ""] {
            assert_eq!(find_operation(name), None, "{name}");
        }
    }
}
