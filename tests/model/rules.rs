//! The product's own decisions, asked once for everything a session can look like.
//!
//! A state of the model is a few bits; the decisions take whole rows. There are few looks, so
//! each is turned into a row, the product is asked, and the answers are kept.

use serde_json::Map;
use trueup_core::liveness::{ProcessEvidence, Vitality, judge};
use trueup_core::model::{
    ClaimFacts, ClaimRefusal, ClaimVerdict, Entity, Epoch, Item, ItemStatus, Lineage, Revision,
    Session, SessionId, SessionStatus, Step, Timestamp, decide, is_free, step,
};

/// The lease and the ceiling of the product's defaults, in seconds.
const LEASE: i64 = 900;
const CEILING: u64 = 1800;

/// Whether silence still means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Clock {
    /// A sign of life is fresh, the lease runs, or a silence was announced.
    Running,
    /// The lease is over, and any announced silence.
    Over,
}

/// How long a session has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// A moment.
    Fresh,
    /// Too long to be safe from `--force`, but its lease runs.
    Leased,
    /// Its lease is over, but it announced its silence.
    Announced,
    /// Its lease is over.
    Late,
    /// Longer than the ceiling.
    Ancient,
}

impl Clock {
    /// Returns the silences that the model does not tell apart.
    const fn silences(self) -> &'static [Silence] {
        match self {
            Self::Running => &[Silence::Fresh, Silence::Leased, Silence::Announced],
            Self::Over => &[Silence::Late, Silence::Ancient],
        }
    }
}

/// Where a session stands in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    Active,
    Ended,
    Lost,
}

/// What an observer sees of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) standing: Standing,
    pub(crate) clock: Clock,
    pub(crate) evidence: ProcessEvidence,
}

const STANDINGS: [Standing; 3] = [Standing::Active, Standing::Ended, Standing::Lost];
const CLOCKS: [Clock; 2] = [Clock::Running, Clock::Over];
const EVIDENCE: [ProcessEvidence; 3] = [
    ProcessEvidence::Running,
    ProcessEvidence::Gone,
    ProcessEvidence::Unknown,
];

impl Look {
    const fn place(self) -> usize {
        let evidence = match self.evidence {
            ProcessEvidence::Running => 0,
            ProcessEvidence::Gone => 1,
            ProcessEvidence::Unknown => 2,
        };
        (self.standing as usize * CLOCKS.len() + self.clock as usize) * EVIDENCE.len() + evidence
    }
}

/// What the product may decide about one look: yes when it says so for any silence that looks
/// like this, so that the model does at least what the product can do.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    taken: bool,
    taken_by_force: bool,
    parked: bool,
}

/// The answers for every look.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Whether an item that nobody holds can be had.
    pub(crate) free_is_free: bool,
    answers: Vec<Answers>,
}

impl Rules {
    /// Asks the product.
    pub(crate) fn of_the_product() -> Self {
        let holder = row("holder", Standing::Active, Silence::Fresh);
        let vitality = judge(&holder, ProcessEvidence::Running, CEILING);
        let free = item(ItemStatus::Running, false);
        let [running, completed] =
            [ItemStatus::Running, ItemStatus::Completed].map(ItemStatus::as_str);
        assert_eq!(step(Entity::Item, running, completed), Step::Forward);
        assert_eq!(step(Entity::Item, completed, running), Step::Illegal);
        assert_eq!(step(Entity::Item, completed, "queued"), Step::Back);
        let finished = item(ItemStatus::Completed, true);
        let refusal = claim(&finished, &holder, &vitality, true);
        assert_eq!(refusal, Err(ClaimRefusal::ItemFinished));
        let mut answers = Vec::new();
        for standing in STANDINGS {
            for clock in CLOCKS {
                for evidence in EVIDENCE {
                    let look = Look {
                        standing,
                        clock,
                        evidence,
                    };
                    assert_eq!(look.place(), answers.len());
                    answers.push(ask(look));
                }
            }
        }
        Self {
            free_is_free: claim(&free, &holder, &vitality, false).is_ok(),
            answers,
        }
    }

    /// Returns rules that never call anybody dead.
    pub(crate) fn of_the_credulous() -> Self {
        let mut rules = Self::of_the_product();
        rules.answers.fill(Answers::default());
        rules
    }

    /// Tells whether a claim may take an item from a holder that looks like this.
    pub(crate) fn takes_over(&self, holder: Look, force: bool) -> bool {
        let answers = &self.answers[holder.place()];
        if force {
            answers.taken_by_force
        } else {
            answers.taken
        }
    }

    /// Tells whether a sweep may park a session that looks like this.
    pub(crate) fn parks(&self, session: Look) -> bool {
        self.answers[session.place()].parked
    }
}

fn ask(look: Look) -> Answers {
    let mut answers = Answers::default();
    for silence in look.clock.silences() {
        let holder = row("holder", look.standing, *silence);
        let vitality = judge(&holder, look.evidence, CEILING);
        let held = item(ItemStatus::Running, true);
        answers.taken |= claim(&held, &holder, &vitality, false).is_ok();
        answers.taken_by_force |= claim(&held, &holder, &vitality, true).is_ok();
        // As `sync::lifecycle::sweep` says it, over the sessions that a store lists as lapsed.
        answers.parked |= (holder.lease_expired() || look.standing == Standing::Ended)
            && look.standing != Standing::Lost
            && is_free(&holder, &vitality);
    }
    answers
}

fn claim(
    item: &Item,
    holder: &Session,
    vitality: &Vitality,
    force: bool,
) -> Result<(), ClaimRefusal> {
    let claimant = row("claimant", Standing::Active, Silence::Fresh);
    let verdict = decide(&ClaimFacts {
        claimant: Some(&claimant),
        item: Some(item),
        holder: item.holder.as_ref().map(|_| (holder, vitality)),
        force,
    });
    match verdict {
        ClaimVerdict::Refuse(refusal) => Err(refusal),
        ClaimVerdict::Grant(grant) => {
            // The conditions that the model's conditional write checks.
            assert_eq!(grant.expected_holder, item.holder);
            assert_eq!(grant.expected_epoch, item.epoch);
            Ok(())
        }
    }
}

fn row(name: &str, standing: Standing, silence: Silence) -> Session {
    let now = 10_000_000;
    let announced = (silence == Silence::Announced).then_some(60);
    let silence = match silence {
        Silence::Fresh => 1,
        Silence::Leased => LEASE / 2,
        Silence::Announced | Silence::Late => LEASE + 60,
        Silence::Ancient => i64::try_from(CEILING).unwrap() + 60,
    };
    let at = |seconds: i64| Timestamp::from_millis(now + seconds * 1000);
    Session {
        lineage: Lineage("model".to_owned()),
        id: id(name),
        repo: None,
        worktree: None,
        host: None,
        process: None,
        status: match standing {
            Standing::Active => SessionStatus::Active,
            Standing::Ended => SessionStatus::Ended,
            Standing::Lost => SessionStatus::Lost,
        },
        ended_reason: None,
        predecessor: None,
        registered_at: at(-silence),
        heartbeat_at: at(-silence),
        lease_expires_at: at(LEASE - silence),
        silent_until: announced.map(at),
        revision: Revision(1),
        acknowledged: Revision(1),
        metadata: Map::new(),
        item: None,
        epoch: None,
        claimed_at: None,
        read_at: at(0),
    }
}

fn item(status: ItemStatus, held: bool) -> Item {
    let now = Timestamp::from_millis(10_000_000);
    Item {
        key: "A".parse().unwrap(),
        title: None,
        kind: "task".to_owned(),
        parent: None,
        position: None,
        repo: None,
        status,
        phase: None,
        holder: held.then(|| id("holder")),
        epoch: Epoch(7),
        claimed_at: None,
        error_message: None,
        evidence: None,
        requires_evidence: false,
        depends_on: Vec::new(),
        open_dependencies: 0,
        revision: Revision(1),
        created_at: now,
        updated_at: now,
        completed_at: None,
    }
}

fn id(name: &str) -> SessionId {
    name.parse().unwrap()
}
