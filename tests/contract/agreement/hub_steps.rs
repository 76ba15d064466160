//! Steps of a hub: tokens, and who called.

use trueup_core::model::TokenRole;
use trueup_core::store::{Caller, Store};

use super::SeededRandom;
use super::canonical::describe;
use crate::suite::tokens::{digest, new_token};

/// One operation of a hub, the same in both stores.
#[derive(Debug)]
pub(super) enum HubStep {
    Create(&'static str, TokenRole, char),
    Revoke(&'static str),
    Find(char),
    /// Names the caller of the newest operation.
    NameCaller(&'static str),
}

const NAMES: [&str; 3] = ["ann", "Ann", "b.c-d_1"];

impl HubStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let (name, letter) = (dice.pick(&NAMES), dice.pick(&['a', 'b', 'c', '!']));
        match dice.roll(6) {
            0 | 1 => Self::Create(name, dice.pick(&TokenRole::ALL), letter),
            2 | 3 => Self::Revoke(name),
            4 => Self::Find(letter),
            _ => Self::NameCaller(name),
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = super::provenance("lead", op);
        match self {
            Self::Create(name, role, letter) => {
                describe(store.create_token(&new_token(name, *role, *letter), &by))
            }
            Self::Revoke(name) => describe(store.revoke_token(&name.parse().unwrap(), &by)),
            Self::Find(letter) => describe(store.find_token(&digest(*letter))),
            Self::NameCaller(name) => {
                let caller = Caller { op_id: op.to_owned(), name: name.parse().unwrap() };
                describe(store.record_callers(&[caller]))
            }
        }
    }
}
