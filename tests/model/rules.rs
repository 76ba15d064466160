//! The product's decisions, tabulated for every way in which a session can look.
//!
//! A state of the model is a few bits, but the product decides on whole rows. There are few views,
//! so each is turned into a row once, and the product's decision is stored.

use serde_json::Map;
use trueup_core::model::{
    ClaimFacts, ClaimRefusal, Entity, Epoch, Item, ItemStatus, Lineage, Liveness, ProcessState,
    Revision, Session, SessionId, SessionStatus, Timestamp, TransitionKind, classify_transition,
    decide_claim, has_forfeited_claim, judge_session,
};

/// The product's default lease and ceiling, in seconds.
const LEASE_SECONDS: i64 = 900;
const CEILING_SECONDS: u64 = 1800;

/// Whether a session's lease covers its silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LeaseClock {
    /// The lease runs, or a quiet period was announced.
    Running,
    /// The lease and any announced quiet period are over.
    Over,
}

/// How long a session has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SilenceLength {
    /// A few seconds.
    Fresh,
    /// Long enough for `--force`, within the lease.
    Leased,
    /// Beyond the lease, within an announced quiet period.
    Announced,
    /// Beyond the lease.
    Late,
    /// Beyond the ceiling.
    Ancient,
}

impl LeaseClock {
    /// Returns the lengths of silence that the model does not distinguish.
    const fn silences(self) -> &'static [SilenceLength] {
        match self {
            Self::Running => {
                &[SilenceLength::Fresh, SilenceLength::Leased, SilenceLength::Announced]
            }
            Self::Over => &[SilenceLength::Late, SilenceLength::Ancient],
        }
    }
}

/// The status of a session in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SessionStanding {
    Active,
    Ended,
    Lost,
}

/// A session as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionView {
    pub(crate) standing: SessionStanding,
    pub(crate) clock: LeaseClock,
    pub(crate) evidence: ProcessState,
}

const STANDINGS: [SessionStanding; 3] =
    [SessionStanding::Active, SessionStanding::Ended, SessionStanding::Lost];
const CLOCKS: [LeaseClock; 2] = [LeaseClock::Running, LeaseClock::Over];
const EVIDENCE: [ProcessState; 3] =
    [ProcessState::Running, ProcessState::Gone, ProcessState::Unknown];

impl SessionView {
    const fn place(self) -> usize {
        let evidence = match self.evidence {
            ProcessState::Running => 0,
            ProcessState::Gone => 1,
            ProcessState::Unknown => 2,
        };
        (self.standing as usize * CLOCKS.len() + self.clock as usize) * EVIDENCE.len() + evidence
    }
}

/// What the product may decide on one view: true if it decides so for any silence that looks like
/// this, so that the model does at least what the product can do.
#[derive(Clone, Copy, Debug, Default)]
struct ViewDecisions {
    taken: bool,
    taken_by_force: bool,
    parked: bool,
}

/// The decisions for every view.
#[derive(Clone, Debug)]
pub(crate) struct ProductRules {
    /// Whether an item without a holder can be claimed.
    pub(crate) free_is_free: bool,
    answers: Vec<ViewDecisions>,
}

impl ProductRules {
    /// Tabulates the product's decisions.
    pub(crate) fn from_product() -> Self {
        let holder = session_row("holder", SessionStanding::Active, SilenceLength::Fresh);
        let liveness = judge_session(&holder, ProcessState::Running, CEILING_SECONDS);
        let free = item_row(ItemStatus::Running, false);
        let [running, completed] =
            [ItemStatus::Running, ItemStatus::Completed].map(ItemStatus::as_str);
        assert_eq!(classify_transition(Entity::Item, running, completed), TransitionKind::Forward);
        assert_eq!(classify_transition(Entity::Item, completed, running), TransitionKind::Illegal);
        assert_eq!(classify_transition(Entity::Item, completed, "queued"), TransitionKind::Back);
        let finished = item_row(ItemStatus::Completed, true);
        let refusal = product_claims(&finished, &holder, &liveness, true);
        assert_eq!(refusal, Err(ClaimRefusal::ItemFinished));
        let mut answers = Vec::new();
        for standing in STANDINGS {
            for clock in CLOCKS {
                for evidence in EVIDENCE {
                    let look = SessionView { standing, clock, evidence };
                    assert_eq!(look.place(), answers.len());
                    answers.push(ask_product(look));
                }
            }
        }
        Self { free_is_free: product_claims(&free, &holder, &liveness, false).is_ok(), answers }
    }

    /// Returns rules that never take a session for dead.
    pub(crate) fn credulous() -> Self {
        let mut rules = Self::from_product();
        rules.answers.fill(ViewDecisions::default());
        rules
    }

    /// Returns whether a claim may take an item from a holder that looks like this.
    pub(crate) fn takes_over(&self, holder: SessionView, force: bool) -> bool {
        let answers = &self.answers[holder.place()];
        if force { answers.taken_by_force } else { answers.taken }
    }

    /// Returns whether a sweep may mark a session lost that looks like this.
    pub(crate) fn marks_lost(&self, session: SessionView) -> bool {
        self.answers[session.place()].parked
    }
}

fn ask_product(look: SessionView) -> ViewDecisions {
    let mut answers = ViewDecisions::default();
    for silence in look.clock.silences() {
        let holder = session_row("holder", look.standing, *silence);
        let liveness = judge_session(&holder, look.evidence, CEILING_SECONDS);
        let held = item_row(ItemStatus::Running, true);
        answers.taken |= product_claims(&held, &holder, &liveness, false).is_ok();
        answers.taken_by_force |= product_claims(&held, &holder, &liveness, true).is_ok();
        // As `sync::lifecycle::sweep` says it, over the sessions whose lease has expired.
        answers.parked |= (holder.is_lease_expired() || look.standing == SessionStanding::Ended)
            && look.standing != SessionStanding::Lost
            && has_forfeited_claim(&holder, &liveness);
    }
    answers
}

fn product_claims(
    item: &Item,
    holder: &Session,
    liveness: &Liveness,
    force: bool,
) -> Result<(), ClaimRefusal> {
    let claimant = session_row("claimant", SessionStanding::Active, SilenceLength::Fresh);
    let verdict = decide_claim(&ClaimFacts {
        claimant: Some(&claimant),
        item: Some(item),
        holder: item.holder.as_ref().map(|_| (holder, liveness)),
        force,
        new_item: None,
    });
    match verdict {
        Err(refusal) => Err(refusal),
        Ok(grant) => {
            // The conditions that the modeled write checks.
            assert_eq!(grant.expected_holder, item.holder);
            assert_eq!(grant.expected_epoch, item.epoch);
            Ok(())
        }
    }
}

fn session_row(name: &str, standing: SessionStanding, silence: SilenceLength) -> Session {
    let now = 10_000_000;
    let announced = (silence == SilenceLength::Announced).then_some(60);
    let silence = match silence {
        SilenceLength::Fresh => 1,
        SilenceLength::Leased => LEASE_SECONDS / 2,
        SilenceLength::Announced | SilenceLength::Late => LEASE_SECONDS + 60,
        SilenceLength::Ancient => i64::try_from(CEILING_SECONDS).unwrap() + 60,
    };
    let at = |seconds: i64| Timestamp::from_millis(now + seconds * 1000);
    Session {
        lineage: Lineage("model".to_owned()),
        id: session_id(name),
        repo: None,
        worktree: None,
        host: None,
        process: None,
        status: match standing {
            SessionStanding::Active => SessionStatus::Active,
            SessionStanding::Ended => SessionStatus::Ended,
            SessionStanding::Lost => SessionStatus::Lost,
        },
        ended_reason: None,
        predecessor: None,
        registered_at: at(-silence),
        heartbeat_at: at(-silence),
        lease_expires_at: at(LEASE_SECONDS - silence),
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

fn item_row(status: ItemStatus, held: bool) -> Item {
    let now = Timestamp::from_millis(10_000_000);
    Item {
        key: "A".parse().unwrap(),
        title: None,
        kind: "task".to_owned(),
        parent: None,
        position: None,
        repo: None,
        priority: None,
        description: None,
        extra: serde_json::Map::new(),
        status,
        phase: None,
        holder: held.then(|| session_id("holder")),
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

fn session_id(name: &str) -> SessionId {
    name.parse().unwrap()
}
