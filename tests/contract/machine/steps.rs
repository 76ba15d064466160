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
    /// Its write, which may come late: of the first session that has decided, from this on.
    Carry(usize),
    /// Of what the session holds, or of the other item.
    Release {
        session: usize,
        held: bool,
    },
    Push {
        session: usize,
        newest: bool,
        fence: Fence,
        phase: u8,
    },
    Sweep,
    /// The reading of a sweep.
    Look(usize),
    /// Its write, which may come late: of the first session that was read, from this on.
    Park(usize),
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
    let mostly = || prop::bool::weighted(0.85);
    // The third does not exist.
    let wanted = prop_oneof![4 => Just(0), 4 => Just(1), 1 => Just(2)];
    let fence = prop_oneof![Just(Fence::None), Just(Fence::Mine), Just(Fence::Older)];
    prop_oneof![
        2 => session().prop_map(Step::Register),
        2 => (session(), any::<bool>())
            .prop_map(|(session, announces)| Step::Beat { session, announces }),
        1 => session().prop_map(Step::End),
        1 => session().prop_map(Step::Kill),
        3 => prop::sample::select(&WAITS[..]).prop_map(Step::Wait),
        8 => (session(), wanted, prop::bool::weighted(0.2))
            .prop_map(|(session, item, force)| Step::Claim { session, item, force }),
        6 => (session(), item()).prop_map(|(session, item)| Step::Decide { session, item }),
        6 => session().prop_map(Step::Carry),
        6 => (session(), mostly()).prop_map(|(session, held)| Step::Release { session, held }),
        8 => (session(), mostly(), fence, 0..4_u8).prop_map(
            |(session, newest, fence, phase)| Step::Push { session, newest, fence, phase }
        ),
        2 => Just(Step::Sweep),
        2 => session().prop_map(Step::Look),
        2 => session().prop_map(Step::Park),
        3 => Just(Step::Repeat),
    ]
}

/// A case: most sessions are registered at first. It stays shorter than the least of the rules'
/// limits, since every step takes a second.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let registered = [(); 3].map(|()| prop::bool::weighted(0.9));
    (registered, prop::collection::vec(step(), 1..45)).prop_map(|(registered, mut steps)| {
        let first = (0..3).filter(|session| registered[*session]);
        steps.splice(0..0, first.map(Step::Register));
        steps
    })
}
