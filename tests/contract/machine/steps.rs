//! What may happen, in which order chance decides.

use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Register(usize),
    Beat {
        session: usize,
        announces: bool,
    },
    End(usize),
    Kill(usize),
    Wait(u64),
    /// `trueup claim`, read and written at once.
    Claim {
        session: usize,
        item: usize,
        force: bool,
    },
    /// The reading of a claim.
    Decide {
        session: usize,
        item: usize,
    },
    /// Its write, which may come late.
    Carry(usize),
    Release {
        session: usize,
        item: usize,
    },
    Push {
        session: usize,
        newest: bool,
        fence: Fence,
        phase: u8,
    },
    Sweep,
    /// The reading of a sweep.
    Look {
        session: usize,
    },
    /// Its write, which may come late.
    Park {
        session: usize,
    },
    /// The last write comes once more: its answer was lost.
    Repeat,
}

/// Under which claim a push is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fence {
    None,
    /// The session's newest claim, even when it lost it since.
    Mine,
    /// Its claim before.
    Older,
}

/// Sums of these stay clear of every limit by what the steps of one case take.
const WAITS: [u64; 4] = [100, 400, 800, 1_900];

fn step() -> impl Strategy<Value = Step> {
    let session = || 0..3_usize;
    let item = || 0..2_usize;
    // The third does not exist.
    let wanted = prop_oneof![3 => Just(0), 3 => Just(1), 1 => Just(2)];
    let fence = prop_oneof![Just(Fence::None), Just(Fence::Mine), Just(Fence::Older)];
    prop_oneof![
        4 => session().prop_map(Step::Register),
        2 => (session(), any::<bool>())
            .prop_map(|(session, announces)| Step::Beat { session, announces }),
        1 => session().prop_map(Step::End),
        1 => session().prop_map(Step::Kill),
        4 => prop::sample::select(&WAITS[..]).prop_map(Step::Wait),
        6 => (session(), wanted, prop::bool::weighted(0.2))
            .prop_map(|(session, item, force)| Step::Claim { session, item, force }),
        4 => (session(), item()).prop_map(|(session, item)| Step::Decide { session, item }),
        4 => session().prop_map(Step::Carry),
        2 => (session(), item()).prop_map(|(session, item)| Step::Release { session, item }),
        5 => (session(), prop::bool::weighted(0.8), fence, 0..4_u8).prop_map(
            |(session, newest, fence, phase)| Step::Push { session, newest, fence, phase }
        ),
        2 => Just(Step::Sweep),
        2 => session().prop_map(|session| Step::Look { session }),
        2 => session().prop_map(|session| Step::Park { session }),
        3 => Just(Step::Repeat),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}
