//! What must hold of a session that goes on through a fault.

use std::ops::Range;

use support::files::find_files_with;

use super::super::scene::SECRET;
use super::fixture::{RemoteSession, await_event, step_name};

/// What the user is told begins with one of these: the server cannot be asked, or takes no writes.
const LINES: [&str; 2] =
    ["⚠️ database unreachable since ", "⚠️ what waits for the database is not sent since "];

/// Whether pulls come through in spite of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulls {
    /// None does, and the user is told so.
    Fail,
    /// Some may.
    MaySucceed,
}

impl RemoteSession<'_> {
    /// Goes on through a fault, which begins and ends: pushes `steps`, sends prompts and asks the
    /// gate. None of them waits for the server or says more than one line, the user is told once
    /// where nothing comes through, and in the end everything arrived in order, each step once.
    #[track_caller]
    pub(super) fn outlast<G>(
        &self,
        name: &str,
        pulls: Pulls,
        steps: Range<usize>,
        begin: impl FnOnce() -> G,
        end: impl FnOnce(G),
    ) {
        self.prompt().assert_silent();
        let fault = begin();
        let last = steps.end;
        self.go_on(name, steps);
        self.watch_prompts(name, pulls);
        end(fault);
        self.check_arrived(name, 0..last);
        self.prompt().assert_silent();
        for folder in [self.home.trueup_home(), self.home.project_dir().join(".claude")] {
            assert_eq!(find_files_with(&folder, SECRET), [""; 0], "{name}");
        }
    }

    /// Pushes steps and asks the gate, which answers from the replica.
    #[track_caller]
    pub(super) fn go_on(&self, name: &str, steps: Range<usize>) {
        let last = steps.end - 1;
        for number in steps {
            let output = self.push(number);
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}: {output:?}");
            assert_eq!(output.message(), [""; 0], "{name}");
        }
        assert_eq!(self.home.read_cache()["currentTask"], step_name(last), "{name}");
        let output = self.hook("pre-handoff-validate", &self.payload("pre-tool-use.agent"));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}: {output:?}");
        let [basis] = &output.message()[..] else { panic!("{name}: {output:?}") };
        assert!(basis.starts_with("trueup: decided on the database as it was "), "{name}: {basis}");
    }

    /// Sends prompts until the user was told of the outage, or everything came through where that
    /// may be.
    #[track_caller]
    fn watch_prompts(&self, name: &str, pulls: Pulls) {
        let told = await_event(|| {
            let output = self.prompt();
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}: {output:?}");
            assert_eq!(output.context(), "", "{name}");
            let lines = output.message();
            let has_arrived = pulls == Pulls::MaySucceed && self.outbox().is_idle();
            if lines.is_empty() && !has_arrived { Err(output) } else { Ok(lines) }
        });
        let is_right = |line: &String| LINES.iter().any(|begin| line.starts_with(begin));
        assert!(told.len() <= 1 && told.iter().all(is_right), "{name}: {told:?}");
        if pulls == Pulls::Fail {
            self.prompt().assert_silent();
        }
    }
}
