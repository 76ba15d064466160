//! Steps of a hub: tokens, who called, and what needs a person.

use trueup_core::model::{AttentionKind, NewAttention, TokenRole};
use trueup_core::store::{Caller, Store};

use super::canonical::describe;
use super::{SeededRandom, TEXTS};
use crate::suite::attention::{attention_id, new_attention};
use crate::suite::tokens::{digest, new_token};

/// One operation of a hub, the same in both stores.
#[derive(Debug)]
pub(super) enum HubStep {
    Create(&'static str, TokenRole, char),
    Revoke(&'static str),
    Find(char),
    /// Names the caller of an operation.
    NameCaller(&'static str),
    /// Reports something with this text.
    Raise(&'static str, AttentionKind, &'static str),
    End(&'static str),
}

const NAMES: [&str; 3] = ["ann", "Ann", "b.c-d_1"];

impl HubStep {
    pub(super) fn pick_step(dice: &mut SeededRandom) -> Self {
        let (name, letter) = (dice.pick(&NAMES), dice.pick(&['a', 'b', 'c', '!']));
        let id = dice.pick(&["a:1", "b:2"]);
        match dice.roll(11) {
            0 | 1 => Self::Create(name, dice.pick(&TokenRole::ALL), letter),
            2 | 3 => Self::Revoke(name),
            4 => Self::Find(letter),
            5 => Self::NameCaller(name),
            6..=8 => Self::Raise(id, dice.pick(&AttentionKind::ALL), dice.pick(&TEXTS)),
            _ => Self::End(id),
        }
    }

    /// Applies the step and describes its result.
    pub(super) fn apply_step(&self, store: &mut dyn Store, op: &str) -> String {
        let by = super::provenance("lead", op);
        let load =
            |store: &mut dyn Store, id: &str| describe(store.load_attention(&attention_id(id)));
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
            Self::Raise(id, kind, text) => {
                let new = NewAttention { line: (*text).to_owned(), ..new_attention(id, *kind) };
                let raised = describe(store.raise_attention(&new, &by));
                raised + &load(store, id)
            }
            Self::End(id) => {
                let ended = describe(store.end_attention(&attention_id(id), &by));
                ended + &load(store, id)
            }
        }
    }
}
