//! The network between a machine and the server, as an engine: requests may not arrive, answers may
//! be lost, either may take long, and the process that asks may die.

use std::cell::Cell;
use std::fmt;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::store::sql::{CommandEngine, Engine, SqlStore};
use trueup_core::store::sqlite::SqliteEngine;
use trueup_core::store::{ChangeMark, ReadTime, Result, SchemaStatus, StoreError, Violation};

use crate::clock::Computer;
use crate::faults::Fate;
use crate::network_tx::NetworkTx;
use crate::world::World;

/// What a process dies of. Unwinding takes the place of the kernel, which frees its locks.
#[derive(Debug)]
pub(crate) struct Crash;

/// A store of the server as a process on a machine reaches it.
pub(crate) type NetworkStore = SqlStore<NetworkEngine>;

/// The connection of a process to the server.
pub(crate) struct NetworkEngine {
    world: Rc<World>,
    machine: usize,
    /// Whether the connection is broken. A process does not connect twice.
    is_broken: Cell<bool>,
}

impl fmt::Debug for NetworkEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkEngine of machine {}", self.machine)
    }
}

impl NetworkEngine {
    /// Connects a process. Nothing is sent before its first request.
    pub(crate) fn connect(world: Rc<World>, machine: usize) -> Self {
        Self { world, machine, is_broken: Cell::new(false) }
    }

    /// Sends a request, lets the server carry it out, and brings the answer back, unless something
    /// goes wrong on the way.
    fn request<T>(
        &self,
        kind: &'static str,
        carry_out: impl FnOnce(&mut SqliteEngine) -> Result<T>,
    ) -> Result<T> {
        let world = &*self.world;
        if self.is_broken.get() {
            return Err(unreachable_error());
        }
        world.run_meanwhile(self.machine);
        let fate = world.draw_fate(self.machine);
        world.note_request(self.machine, kind, fate);
        match fate {
            Fate::Lost | Fate::BlackHole => return Err(self.break_connection(fate)),
            Fate::CrashBefore => resume_unwind(Box::new(Crash)),
            Fate::Arrives | Fate::AnswerLost | Fate::CrashAfter => {}
        }
        let answer = world
            .clocks
            .run_on(Computer::Server, || carry_out(&mut world.server.engine.borrow_mut()));
        world.run_meanwhile(self.machine);
        match fate {
            Fate::CrashAfter => resume_unwind(Box::new(Crash)),
            Fate::AnswerLost => Err(self.break_connection(fate)),
            _ => answer,
        }
    }

    fn break_connection(&self, fate: Fate) -> StoreError {
        self.is_broken.set(true);
        if matches!(fate, Fate::BlackHole | Fate::AnswerLost) {
            // Until the deadline of the pull.
            self.world.clocks.advance(10_000);
        }
        unreachable_error()
    }
}

fn unreachable_error() -> StoreError {
    StoreError::unavailable("the simulated network lost it")
}

impl Engine for NetworkEngine {
    type Tx<'t> = NetworkTx<'t>;

    const WRITES_PER_DELIVERY: usize = 32;

    fn read<T>(&self, operation: impl Fn(&mut NetworkTx<'_>) -> Result<T>) -> Result<T> {
        self.request("read", |engine| engine.read(|tx| operation(&mut NetworkTx(*tx))))
    }

    fn snapshot<T>(&mut self, operation: impl Fn(&mut NetworkTx<'_>) -> Result<T>) -> Result<T> {
        self.request("snapshot", |engine| engine.snapshot(|tx| operation(&mut NetworkTx(*tx))))
    }

    fn write<T>(&mut self, operation: impl Fn(&mut NetworkTx<'_>) -> Result<T>) -> Result<T> {
        self.request("write", |engine| engine.write(|tx| operation(&mut NetworkTx(*tx))))
    }

    fn write_until<T>(
        &mut self,
        _: Deadline,
        operation: impl Fn(&mut NetworkTx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.request("delivery", |engine| engine.write(|tx| operation(&mut NetworkTx(*tx))))
    }
}

impl CommandEngine for NetworkEngine {
    fn set_deadline(&mut self, _: Deadline) {}

    fn expect_reads(&mut self, _: ReadTime, _: impl FnOnce(&mut Self::Tx<'_>)) {}

    fn change_mark(&mut self) -> Result<ChangeMark> {
        self.request("mark", SqliteEngine::change_mark)
    }

    fn wait_for_change(&mut self, seen: ChangeMark, _: Duration) -> Result<Option<ChangeMark>> {
        self.request("wait", |engine| engine.wait_for_change(seen, Duration::ZERO))
    }

    fn load_schema_status(&mut self) -> Result<SchemaStatus> {
        self.request("schema", SqliteEngine::load_schema_status)
    }

    fn find_violations(&mut self) -> Result<Vec<Violation>> {
        self.request("violations", SqliteEngine::find_violations)
    }
}
