//! Which rows of other repositories, or of none, the files of a checkout name.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use super::Nodes;
use crate::consistency::CheckoutSnapshot;
use crate::model::{ItemKey, WorkplanLink};

/// Returns the keys and links that files name and no row of the repository has.
pub(crate) fn find_foreign_keys(snapshot: &CheckoutSnapshot) -> (Vec<ItemKey>, Vec<WorkplanLink>) {
    let nodes = Nodes::from_snapshot(snapshot);
    // Built only when a file carries another link than its row.
    let own_links: OnceCell<HashSet<&str>> = OnceCell::new();
    let collect_links = || {
        let links = snapshot.rows.iter().filter_map(|row| row.link.as_ref());
        links.map(WorkplanLink::as_str).collect()
    };
    let (mut keys, mut links) = (BTreeSet::new(), BTreeSet::new());
    for node in &nodes.all {
        if node.row.is_none() {
            keys.insert(node.key().clone());
        }
        let named = node.depends_on().iter().map(|(on, _)| on);
        keys.extend(named.filter(|on| nodes.rows.find(on).is_none()).cloned());
        let row_link = node.row.and_then(|row| row.link.as_ref());
        if let Some(link) = node.link().filter(|link| row_link != Some(link))
            && !own_links.get_or_init(collect_links).contains(link.as_str())
        {
            links.insert(link.clone());
        }
    }
    (keys.into_iter().collect(), links.into_iter().collect())
}
