//! Under which ids a request is carried out once.

use crate::outbox::{PendingChange, PendingWrite, end_op_id};
use crate::store::{DependencyChange, GrantedClaim, Provenance};

/// What names the operations of a request, so that a server can keep who called each.
pub trait OperationIds {
    /// Returns the ids.
    fn operation_ids(&self) -> Vec<String>;
}

impl OperationIds for Provenance {
    fn operation_ids(&self) -> Vec<String> {
        vec![self.op_id.clone()]
    }
}

impl OperationIds for GrantedClaim {
    fn operation_ids(&self) -> Vec<String> {
        let added = self.new_item.iter().map(|item| &item.provenance);
        std::iter::once(&self.provenance).chain(added).map(|it| it.op_id.clone()).collect()
    }
}

impl OperationIds for [DependencyChange] {
    fn operation_ids(&self) -> Vec<String> {
        self.iter().map(|change| change.provenance.op_id.clone()).collect()
    }
}

impl OperationIds for [PendingWrite] {
    /// The end of a session is two operations.
    fn operation_ids(&self) -> Vec<String> {
        let ids_of = |pending: &PendingWrite| {
            let is_end = matches!(pending.write, PendingChange::End { .. });
            let end = is_end.then(|| end_op_id(&pending.op_id));
            std::iter::once(pending.op_id.clone()).chain(end).collect::<Vec<_>>()
        };
        self.iter().flat_map(ids_of).collect()
    }
}
