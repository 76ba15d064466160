//! Carrying deeds out in the database.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use uuid::Uuid;

use super::assess::{Deeds, Reading, Spot};
use super::rules::{Unit, Units};
use super::{files, ids};
use crate::claims::{Advanced, MoveWish, advance};
use crate::model::{
    FileFacts, Goal, ItemKey, ItemStatus, MoveRefusal, NewItem, NewWorkplanRow, PlanId, PlanTask,
    PlanTaskId, PlanTaskStatus, PlanTaskStep, SessionId, SessionStatus, WORKPLAN, WorkplanChange,
    WorkplanLink,
};
use crate::plan::{StepTaken, take_step};
use crate::store::{Depend, Provenance, Result, Store, StoreError};
use crate::text::redact::redact;
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

/// The texts below blocks, as they leave the repository: without secrets, and bounded. Units
/// come sheet by sheet, so that each file is read once.
struct Descriptions<'r> {
    reading: &'r Reading,
    root: &'r Path,
    sheet: Option<usize>,
    bytes: Vec<u8>,
    /// Where texts stand, by their digests: of a file that changed meanwhile the text that is
    /// another is described by the next run.
    places: HashMap<u64, Range<usize>>,
}

impl<'r> Descriptions<'r> {
    fn of(reading: &'r Reading, root: &'r Path) -> Self {
        Self {
            reading,
            root,
            sheet: None,
            bytes: Vec::new(),
            places: HashMap::new(),
        }
    }

    fn get(&mut self, unit: &Unit<'_>) -> String {
        let Some(entry) = unit.entry else {
            return String::new();
        };
        if self.sheet != Some(unit.spot.sheet) {
            self.read(unit.spot.sheet);
        }
        let place = self.places.get(&entry.digest);
        let text = place.and_then(|place| self.bytes.get(place.clone()));
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        cut(&redact(text.unwrap_or_default()).text)
    }

    fn read(&mut self, sheet: usize) {
        self.sheet = Some(sheet);
        let path = self.reading.sheets.get(sheet).map(|sheet| &sheet.path);
        let read = path.and_then(|path| {
            crate::files::read_bytes(&self.root.join(path), files::LARGEST, false).ok()
        });
        self.bytes = read.unwrap_or_default();
        let workplan = parse(&self.bytes).ok();
        let blocks = workplan.iter().flat_map(|workplan| &workplan.tasks);
        self.places = blocks
            .map(|block| (block.description_digest(), block.description()))
            .collect();
    }
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
    Some(redact(title).text.into_owned())
}

fn new_row(
    reading: &Reading,
    descriptions: &mut Descriptions<'_>,
    unit: &Unit<'_>,
) -> NewWorkplanRow {
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
        description: descriptions.get(unit),
    }
}

fn link() -> WorkplanLink {
    let link = Uuid::now_v7().to_string().parse();
    link.unwrap_or_else(|_| unreachable!("a UUID consists of hexadecimal digits and dashes"))
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
    let mut descriptions = Descriptions::of(reading, root);
    for spots in deeds.create.chunks(BATCH) {
        let rows: Vec<NewWorkplanRow> = units(reading, spots)
            .map(|unit| new_row(reading, &mut descriptions, &unit))
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
                facts: Some((facts(&unit), descriptions.get(&unit))),
            })
            .collect();
        store.describe_workplans(&changes, &mover.by())?;
    }
    for pairs in deeds.depend.chunks(BATCH) {
        let depend = |(item, on): &(ItemKey, ItemKey)| Depend {
            item: item.clone(),
            on: vec![on.clone()],
            remove: false,
            provenance: mover.by(),
        };
        let requests: Vec<Depend> = pairs.iter().map(depend).collect();
        let answers = store.depend_each(&requests)?;
        for ((item, on), answer) in pairs.iter().zip(answers) {
            if let Err(StoreError::Denied(reason)) = answer {
                let text = format!("the dependency of {item} on {on} was not added: {reason}");
                written.refused.push(text);
            }
        }
    }
    // What does not move holds back what would follow from it.
    let mut held_back: HashSet<&str> = HashSet::new();
    for (key, to) in &deeds.advance {
        if let Err(reason) = forward(store, key, *to, mover)? {
            written.refused.push(reason);
            held_back.extend(ids::workplan_of(key));
        }
    }
    for (key, to) in &deeds.follow {
        if held_back.contains(key.as_str()) {
            continue;
        }
        if let Err(reason) = forward(store, key, *to, mover)? {
            written.refused.push(reason);
        }
    }
    for (plan, task) in &deeds.complete {
        if let Err(reason) = complete(store, plan, task, mover)? {
            let text = format!("task {plan}/{task} was not changed in the database: {reason}");
            written.refused.push(text);
        }
    }
    Ok(written)
}

/// Completes a task of a plan, unless somebody else works on it; says why it stays if it does.
fn complete(
    store: &mut dyn Store,
    plan: &PlanId,
    id: &PlanTaskId,
    mover: &Mover,
) -> Result<std::result::Result<(), String>> {
    let Some(task) = store.plan_task(plan, id)? else {
        return Ok(Err("it no longer exists".to_owned()));
    };
    if let Some(other) = at_work(store, &task, mover)? {
        return Ok(Err(format!("{other} is working on it")));
    }
    Ok(
        match take_step(store, plan, id, &PlanTaskStep::Complete, &mover.by())? {
            StepTaken::Changed { .. } | StepTaken::Already(_) => Ok(()),
            StepTaken::Refused { task, .. } => Err(format!("it is {}", task.status)),
            StepTaken::Unknown => Err("it no longer exists".to_owned()),
        },
    )
}

/// Names who else works on a task, as far as a sign of life is known.
fn at_work(store: &mut dyn Store, task: &PlanTask, mover: &Mover) -> Result<Option<String>> {
    if task.status != PlanTaskStatus::InProgress {
        return Ok(None);
    }
    if let Some(id) = &task.session {
        if mover.session.as_ref() == Some(id) {
            return Ok(None);
        }
        let session = store.session(id)?;
        if session.is_some_and(|session| SessionStatus::PRESENT.contains(&session.status)) {
            return Ok(Some(format!("session {id}")));
        }
    }
    if let Some(id) = &task.orchestrator {
        let orchestrator = store.orchestrator(id)?;
        if orchestrator.is_some_and(|orchestrator| orchestrator.status.is_live()) {
            return Ok(Some(format!("orchestrator {id}")));
        }
    }
    Ok(None)
}

/// Moves an item forward; says why it stays if it does.
fn forward(
    store: &mut dyn Store,
    key: &ItemKey,
    to: ItemStatus,
    mover: &Mover,
) -> Result<std::result::Result<(), String>> {
    let wish = MoveWish {
        session: mover.session.clone(),
        item: key.clone(),
        goal: Goal::Status(to),
        evidence: None,
        reason: None,
        provenance: mover.by(),
    };
    Ok(match advance(store, &wish)? {
        Advanced::Moved { .. } => Ok(()),
        Advanced::Refused(refusal) => {
            let reason = reason(&refusal);
            Err(format!("{key} was not changed in the database: {reason}"))
        }
    })
}

fn reason(refusal: &MoveRefusal) -> String {
    match refusal {
        MoveRefusal::NotHolder(holder) | MoveRefusal::StaleEpoch(holder) => {
            format!("session {holder} holds it; only the holder can move it")
        }
        MoveRefusal::EvidenceRequired => {
            "it needs evidence to be completed (`trueup item transition … --evidence REF`)"
                .to_owned()
        }
        MoveRefusal::PhantomSession => "this session is not registered".to_owned(),
        MoveRefusal::ItemNotFound => "it no longer exists".to_owned(),
        MoveRefusal::DependenciesOpen => "it waits for others".to_owned(),
        MoveRefusal::IllegalTransition { from, to, .. } => {
            format!("it cannot go from {from} to {to}")
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
    let units = Units::of(reading);
    let known = units.known();
    // Only a file with another link than its row's asks for all of them.
    let links: OnceCell<HashSet<&str>> = OnceCell::new();
    let linked = || {
        let links = reading.rows.iter().filter_map(|row| row.link.as_ref());
        links.map(WorkplanLink::as_str).collect()
    };
    let (mut keys, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (unit, row) in units.with_rows() {
        let row = row.and_then(|number| known.get(number));
        if row.is_none() {
            keys.insert(unit.key().clone());
        }
        for (on, _) in unit
            .depends_on()
            .iter()
            .filter(|(on, _)| known.find(on).is_none())
        {
            keys.insert(on.clone());
        }
        let own = row.and_then(|row| row.link.as_ref());
        if let Some(link) = unit.link().filter(|link| own != Some(link))
            && !links.get_or_init(linked).contains(link.as_str())
        {
            others.insert(link.clone());
        }
    }
    (keys.into_iter().collect(), others.into_iter().collect())
}
