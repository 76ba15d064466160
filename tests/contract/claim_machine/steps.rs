//! The steps of a case, generated at random.

use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum MachineStep {
    Register(usize),
    Beat {
        session: usize,
        announces: bool,
    },
    End(usize),
    Kill(usize),
    Wait(u64),
    /// `trueup claim`: reads and writes at once.
    Claim {
        session: usize,
        item: usize,
        force: bool,
    },
    /// Reads and decides a claim.
    Decide {
        session: usize,
        item: usize,
    },
    /// Writes the decision of the first session that has one, starting at this one. It may be
    /// outdated.
    Carry(usize),
    /// Releases the item that the session holds, or the other one.
    Release {
        session: usize,
        held: bool,
    },
    Push {
        session: usize,
        newest: bool,
        fence: FenceChoice,
        phase: u8,
    },
    Sweep,
    /// Reads a session for a sweep.
    Look(usize),
    /// Marks the first session lost that was read, starting at this one. The reading may be
    /// outdated.
    Park(usize),
    /// Repeats the last write, as after a lost answer.
    Repeat,
}

/// The claim under which a push is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum FenceChoice {
    None,
    /// The session's newest claim, even if it was lost since.
    Mine,
    /// The claim before that.
    Older,
}

/// Sums of these differ from every limit by more than the steps of a case take.
const WAIT_SECONDS: [u64; 4] = [100, 400, 800, 1_900];

fn step_strategy() -> impl Strategy<Value = MachineStep> {
    let session = || 0..3_usize;
    let item = || 0..2_usize;
    let mostly = || prop::bool::weighted(0.85);
    // The third does not exist.
    let wanted = prop_oneof![4 => Just(0), 4 => Just(1), 1 => Just(2)];
    let fence =
        prop_oneof![Just(FenceChoice::None), Just(FenceChoice::Mine), Just(FenceChoice::Older)];
    prop_oneof![
        2 => session().prop_map(MachineStep::Register),
        2 => (session(), any::<bool>())
            .prop_map(|(session, announces)| MachineStep::Beat { session, announces }),
        1 => session().prop_map(MachineStep::End),
        1 => session().prop_map(MachineStep::Kill),
        3 => prop::sample::select(&WAIT_SECONDS[..]).prop_map(MachineStep::Wait),
        8 => (session(), wanted, prop::bool::weighted(0.2))
            .prop_map(|(session, item, force)| MachineStep::Claim { session, item, force }),
        6 => (session(), item()).prop_map(|(session, item)| MachineStep::Decide { session, item }),
        6 => session().prop_map(MachineStep::Carry),
        6 => (session(), mostly()).prop_map(|(session, held)| MachineStep::Release { session, held }),
        8 => (session(), mostly(), fence, 0..4_u8).prop_map(
            |(session, newest, fence, phase)| MachineStep::Push { session, newest, fence, phase }
        ),
        2 => Just(MachineStep::Sweep),
        2 => session().prop_map(MachineStep::Look),
        2 => session().prop_map(MachineStep::Park),
        3 => Just(MachineStep::Repeat),
    ]
}

/// A case, in which most sessions are registered at first. It is shorter than the smallest limit of
/// the rules, since every step takes a second.
pub(super) fn steps_strategy() -> impl Strategy<Value = Vec<MachineStep>> {
    let registered = [(); 3].map(|()| prop::bool::weighted(0.9));
    (registered, prop::collection::vec(step_strategy(), 1..45)).prop_map(
        |(registered, mut steps)| {
            let first = (0..3).filter(|session| registered[*session]);
            steps.splice(0..0, first.map(MachineStep::Register));
            steps
        },
    )
}
