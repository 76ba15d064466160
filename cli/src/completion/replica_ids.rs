//! The ids that this machine last read of a database on a server, which is not asked.

use std::collections::BTreeMap;
use std::fs;

use trueup_core::outbox::KnownDatabases;
use trueup_core::replica::{Replica, ReplicaFile};
use trueup_core::settings::Settings;

use super::known_id::KnownId;
use super::value_kind::ValueKind;

/// Most replicas read: one for each session of this machine.
const MAX_REPLICAS: usize = 50;

/// Lists the ids of a kind in the replicas of this machine's sessions.
pub(super) fn list_replica_ids(kind: ValueKind, settings: &Settings) -> Option<Vec<KnownId>> {
    let databases = KnownDatabases::new(settings.paths.databases());
    let lineage = databases.last_known_at(&settings.database_address())?;
    let dir = settings.paths.replicas_dir().join(&lineage.0);
    let names =
        fs::read_dir(dir).ok()?.flatten().filter_map(|file| file.file_name().into_string().ok());
    let sessions = names.filter_map(|name| name.strip_suffix(".json")?.parse().ok());
    let files = sessions.map(|id| ReplicaFile::of_session(&settings.paths, &lineage, &id));
    let replicas = files.take(MAX_REPLICAS).filter_map(|file| file.read());
    // Two sessions of this machine may know the same item.
    let known: BTreeMap<String, KnownId> = replicas
        .flat_map(|replica| list_ids(kind, &replica))
        .map(|it| (it.id.clone(), it))
        .collect();
    Some(known.into_values().collect())
}

fn list_ids(kind: ValueKind, replica: &Replica) -> Vec<KnownId> {
    match kind {
        ValueKind::Session => {
            vec![KnownId::new(&replica.session.id, replica.session.status.to_string())]
        }
        ValueKind::Item => {
            let title = |title: Option<&str>| title.unwrap_or_default().to_owned();
            let known = replica.items.iter();
            known.map(|item| KnownId::new(&item.key, title(item.title.as_deref()))).collect()
        }
        ValueKind::Handoff => {
            let known = replica.handoffs.iter();
            known.map(|(_, it)| KnownId::new(&it.id, format!("{} {}", it.kind, it.item))).collect()
        }
        _ => Vec::new(),
    }
}
