//! One run: the world of a seed, for so many steps, and what is true of it afterwards.

use std::fs;

use crate::pulls::enter_world;
use crate::world::{Setting, World};

/// What became of a run.
#[derive(Debug)]
pub(crate) struct RunReport {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    /// The same for every run of a seed.
    pub(crate) digest: u64,
    /// The broken promise, and how it came about.
    pub(crate) failure: Option<(String, String)>,
}

/// Plays a seed for so many steps, makes everything work again, and compares what is left.
pub(crate) fn play_seed(setting: Setting<'_>, steps: u64) -> RunReport {
    drop(fs::remove_dir_all(setting.run_dir));
    fs::create_dir_all(setting.run_dir).unwrap();
    let world = World::create(setting);
    enter_world(Some(world.clone()));
    while world.steps() < steps && world.failure().is_none() {
        world.take_step();
    }
    if world.failure().is_none() {
        world.heal_and_drain();
    }
    if world.failure().is_none() {
        world.check_all();
    }
    enter_world(None);
    RunReport {
        seed: setting.seed,
        steps: world.steps(),
        digest: world.digest(),
        failure: world.failure().map(|problem| (problem, world.render_trace())),
    }
}
