//! Carrying deeds out in the database.

use std::path::Path;

use uuid::Uuid;

use super::assess::{Deeds, Reading, Spot};
use super::files;
use super::rules::Unit;
use crate::claims::{Advanced, MoveWish, advance};
use crate::model::{
    FileFacts, Goal, ItemKey, MoveRefusal, NewItem, NewWorkplanRow, SessionId, WORKPLAN,
    WorkplanChange, WorkplanLink,
};
use crate::store::{Depend, Provenance, Result, Store, StoreError};
use crate::workplan::parse;

/// Most rows of one transaction: others wait while it lasts.
const BATCH: usize = 200;

/// In whose name the database is changed.
#[derive(Debug, Clone)]
pub struct Mover {
    /// The session, when there is one: it may move what it holds.
    pub session: Option<SessionId>,
    /// Who is named in events.
    pub actor: String,
}

impl Mover {
    fn by(&self) -> Provenance {
        Provenance::new(&self.actor, "check")
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The ids that what is new carries from now on.
    pub(super) links: Vec<(Spot, WorkplanLink)>,
    /// What was refused, a line each.
    pub(super) refused: Vec<String>,
}

/// The text below a block, as it leaves the repository: without secrets, and bounded.
fn description(root: &Path, unit: &Unit<'_>) -> String {
    let Some(entry) = unit.entry else {
        return String::new();
    };
    let read = crate::files::read_bytes(&root.join(&unit.sheet.path), files::LARGEST, false);
    let Ok(bytes) = read else {
        return String::new();
    };
    let block = parse(&bytes).ok().and_then(|workplan| {
        let mut blocks = workplan.tasks.into_iter();
        // By its text: a file that changed meanwhile has it described by the next run.
        blocks.find(|block| block.description_digest() == entry.digest)
    });
    let text = block.and_then(|block| bytes.get(block.description()).map(<[u8]>::to_vec));
    let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
    cut(&crate::text::redact::redact(&text).text)
}

/// Longest description kept, in bytes.
const LONGEST: usize = 16 * 1024;

fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn facts(unit: &Unit<'_>) -> FileFacts {
    FileFacts {
        digest: unit.digest(),
        planning: unit.planning().to_owned(),
    }
}

fn title(unit: &Unit<'_>) -> Option<String> {
    let title = unit.title()?;
    Some(crate::text::redact::redact(title).text.into_owned())
}

fn new_row(reading: &Reading, root: &Path, unit: &Unit<'_>) -> NewWorkplanRow {
    let status = match unit.entry {
        Some(entry) => super::sheet::item_status(entry.status),
        None => unit.sheet.stand.status(),
    };
    NewWorkplanRow {
        item: NewItem {
            title: title(unit),
            kind: unit.entry.is_none().then(|| WORKPLAN.to_owned()),
            parent: unit.entry.map(|_| unit.sheet.key.clone()),
            position: unit.position(),
            repo: Some(reading.repo.clone()),
            status: Some(status),
            ..NewItem::new(unit.key().clone())
        },
        link: link(),
        facts: facts(unit),
        description: description(root, unit),
    }
}

fn link() -> WorkplanLink {
    let link = Uuid::now_v7().to_string().parse();
    link.unwrap_or_else(|_| unreachable!("a UUID is of hexadecimal digits and dashes"))
}

/// Carries out what concerns the database.
pub(super) fn write(
    store: &mut dyn Store,
    reading: &Reading,
    root: &Path,
    deeds: &Deeds,
    mover: &Mover,
) -> Result<Written> {
    let mut written = Written::default();
    for spots in deeds.create.chunks(BATCH) {
        let rows: Vec<NewWorkplanRow> = units(reading, spots)
            .map(|unit| new_row(reading, root, &unit))
            .collect();
        let links = store.link_workplans(&rows, &mover.by())?;
        written.links.extend(spots.iter().copied().zip(links));
    }
    for spots in deeds.describe.chunks(BATCH) {
        let changes: Vec<WorkplanChange> = units(reading, spots)
            .map(|unit| WorkplanChange {
                key: unit.key().clone(),
                title: title(&unit),
                position: unit.position(),
                repo: Some(reading.repo.clone()),
                facts: Some((facts(&unit), description(root, &unit))),
            })
            .collect();
        store.describe_workplans(&changes, &mover.by())?;
    }
    for (item, on) in &deeds.depend {
        let depend = Depend {
            item: item.clone(),
            on: vec![on.clone()],
            remove: false,
            provenance: mover.by(),
        };
        match store.depend(&depend) {
            Ok(_) => {}
            Err(StoreError::Denied(reason)) => written
                .refused
                .push(format!("{item} does not depend on {on}: {reason}")),
            Err(error) => return Err(error),
        }
    }
    for (key, to) in &deeds.advance {
        let wish = MoveWish {
            session: mover.session.clone(),
            item: key.clone(),
            goal: Goal::Status(*to),
            evidence: None,
            reason: None,
            provenance: mover.by(),
        };
        if let Advanced::Refused(refusal) = advance(store, &wish)? {
            let reason = reason(&refusal);
            written
                .refused
                .push(format!("{key} stays as it is in the database: {reason}"));
        }
    }
    Ok(written)
}

fn reason(refusal: &MoveRefusal) -> String {
    match refusal {
        MoveRefusal::NotHolder(holder) | MoveRefusal::StaleEpoch(holder) => {
            format!("session {holder} holds it, who alone may move it")
        }
        MoveRefusal::EvidenceRequired => {
            "it is completed with evidence only (`trueup item transition … --evidence REF`)"
                .to_owned()
        }
        MoveRefusal::PhantomSession => "this session is not registered".to_owned(),
        MoveRefusal::ItemNotFound => "it is not there any more".to_owned(),
        MoveRefusal::DependenciesOpen => "it waits for others".to_owned(),
        MoveRefusal::IllegalTransition { from, to, .. } => {
            format!("from {from} it does not go to {to}")
        }
    }
}

/// Returns the units of spots.
pub(super) fn units<'a>(reading: &'a Reading, spots: &'a [Spot]) -> impl Iterator<Item = Unit<'a>> {
    spots.iter().filter_map(|spot| unit(reading, *spot))
}

/// Returns the unit of a spot.
pub(super) fn unit(reading: &Reading, spot: Spot) -> Option<Unit<'_>> {
    let sheet = reading.sheets.get(spot.sheet)?;
    let entry = match spot.task {
        Some(task) => Some(sheet.tasks.get(task)?),
        None => None,
    };
    Some(Unit { spot, sheet, entry })
}

/// Returns the keys that files name and the rows of the repository do not cover.
pub(super) fn strangers(reading: &Reading) -> (Vec<ItemKey>, Vec<WorkplanLink>) {
    use std::collections::BTreeSet;
    let known: std::collections::HashSet<&str> =
        reading.rows.iter().map(|row| row.key.as_str()).collect();
    let links: std::collections::HashSet<&str> = reading
        .rows
        .iter()
        .filter_map(|row| Some(row.link.as_ref()?.as_str()))
        .collect();
    let (mut keys, mut others) = (BTreeSet::new(), BTreeSet::new());
    for unit in super::rules::Units::of(reading).iter() {
        let on = unit.depends_on().iter().map(|(on, _)| on);
        for key in std::iter::once(unit.key()).chain(on) {
            if !known.contains(key.as_str()) {
                keys.insert(key.clone());
            }
        }
        if let Some(link) = unit.link().filter(|link| !links.contains(link.as_str())) {
            others.insert(link.clone());
        }
    }
    (keys.into_iter().collect(), others.into_iter().collect())
}
