//! What goes wrong, and how often.

use std::cell::Cell;

use crate::world::World;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    /// It does not arrive, and the process learns so at once.
    Lost,
    /// It does not arrive, and the process waits until its deadline.
    BlackHole,
    /// It is carried out, and the process waits until its deadline.
    AnswerLost,
    /// The process dies before it is sent.
    CrashBefore,
    /// It is carried out, and the process dies.
    CrashAfter,
}

/// The link of a machine to the server.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) is_down: Cell<bool>,
}

/// Of so many requests over a link that works, how many meet each fault.
const PER_REQUESTS: u32 = 1000;
const LOST: u32 = 10;
const BLACK_HOLES: u32 = 5;
const ANSWERS_LOST: u32 = 12;
const CRASHES_BEFORE: u32 = 6;
const CRASHES_AFTER: u32 = 6;

impl World {
    /// Decides what becomes of a request.
    pub(crate) fn draw_fate(&self, machine: usize) -> Fate {
        if self.is_healed.get() {
            return Fate::Arrives;
        }
        if self.links[machine].is_down.get() {
            return if self.chance(1, 4) { Fate::BlackHole } else { Fate::Lost };
        }
        let mut drawn = self.below(PER_REQUESTS);
        let faults = [
            (LOST, Fate::Lost),
            (BLACK_HOLES, Fate::BlackHole),
            (ANSWERS_LOST, Fate::AnswerLost),
            (CRASHES_BEFORE, Fate::CrashBefore),
            (CRASHES_AFTER, Fate::CrashAfter),
        ];
        for (share, fate) in faults {
            if drawn < share {
                return fate;
            }
            drawn -= share;
        }
        Fate::Arrives
    }
}
