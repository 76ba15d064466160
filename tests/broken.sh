#!/bin/sh
# Shows that the races have teeth: takes each guard out of a copy of the workspace, builds it, and
# demands that the race which the guard decides is lost within one run of its test.
#
# usage: tests/broken.sh [claim|next|start|register|run|reserve|sound]...   all without arguments
#
# Too slow for every check; run it when a store, a schema or a race changes.
set -eu
cd "$(dirname "$0")/.."

source=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT INT TERM
# One folder for all builds, kept for the next time.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$source/target}/broken
export CARGO_TARGET_DIR

sqlite=core/src/store/sqlite
sql=core/src/store/sql

fresh() {
  rm -rf "$copy/work" && mkdir "$copy/work" && cd "$copy/work"
  (cd "$source" && git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf -) | tar -xf -
}

# swap FILE FROM TO: replaces every occurrence of a text, and fails if there is none.
swap() {
  FROM=$2 TO=$3 perl -0pi -e '$n = s/\Q$ENV{FROM}\E/$ENV{TO}/g; $n or die "$ARGV: nothing to break\n"' "$1"
}

# A write without a transaction that does not wait for its turn: every statement stands alone.
no_transaction() {
  swap $sqlite/mod.rs 'write_queue::wait_for_turn(self.connection.database(), self.deadline);' \
    'write_queue::wait_for_turn(self.connection.database(), self.deadline).map(drop);'
  swap $sqlite/mod.rs 'let outcome = operation(&transaction)?;
        transaction.commit()?;' \
    'transaction.execute_batch("COMMIT")?;
        let outcome = operation(&transaction)?;
        drop(transaction);'
}

# A claim that takes effect whoever holds the item by then.
unconditional_claim() {
  swap $sql/claims.rs 'under_epoch = ?7,' 'under_epoch = claim_epoch,'
  swap $sql/claims.rs 'holder IS NOT DISTINCT FROM ?6 AND claim_epoch = ?7' \
    '(?6 IS NULL OR 1) AND ?7 IS NOT NULL'
}

break_claim() { unconditional_claim; }
break_next() { no_transaction; unconditional_claim; }

break_start() {
  no_transaction
  swap $sql/phases/steps.rs 'queue_id = ?12 AND revision = ?13' 'queue_id = ?12 AND ?13 IS NOT NULL'
}

break_register() {
  no_transaction
  migration=$sqlite/migrations/0006_orchestrators.sql
  swap $migration 'CREATE UNIQUE INDEX' 'CREATE INDEX'
}

# Its race is of whole commands, which look and write too far apart for the first of these alone.
break_run() {
  break_register
  swap $sql/orchestrators.rs 'if let Some(live_run) = find_live_run(tx, &run.plan)? {' \
    'if let Some(live_run) = find_live_run(tx, &run.plan)?.filter(|_| false) {'
}

break_reserve() {
  no_transaction
  migration=$sqlite/migrations/0008_ports.sql
  swap core/src/tcp_ports/mod.rs 'let _turn = lock_pool(site);' 'let _turn = lock_pool(site).map(drop);'
  swap $sql/port_reservations.rs 'WHERE host = ?2 AND backend = ?3)' 'WHERE id IS NULL)'
  swap $migration '    PRIMARY KEY (host, id),
    UNIQUE (host, backend)' '    PRIMARY KEY (host, id)'
}

# race GUARD: names the suite and the test that the guard decides.
race() {
  case $1 in
    claim) echo faults races::of_64_processes_that_claim_one_item_exactly_one_wins ;;
    next) echo faults races::of_64_processes_that_move_on_each_gets_a_child_of_its_own_and_none_is_skipped ;;
    start) echo faults races::of_64_processes_that_start_one_phase_exactly_one_begins_it ;;
    # Whole processes begin too far apart for a window of microseconds.
    register) echo contract sqlite::orchestrators::of_many_that_register_one_plan_one_wins ;;
    run) echo cli orchestrator_start::of_20_that_start_at_once_one_runs_and_of_64 ;;
    reserve) echo cli ports::a_hundred_at_once_are_distinct_or_told_that_the_pool_is_full ;;
    *) echo "unknown guard: $1" >&2; exit 2 ;;
  esac
}

# Warnings about what a patch leaves over do not matter.
built() {
  { cargo build --quiet --locked --workspace &&
    cargo test --quiet --locked -p trueup-tests --test faults --test cli --test contract --no-run
  } >"$copy/log" 2>&1 || { cat "$copy/log"; echo "the build fails"; exit 1; }
}

passes() {
  cargo test --quiet --locked -p trueup-tests --test "$1" -- "$2" >"$copy/log" 2>&1
}

sound() {
  fresh
  built
  for guard in claim next start register run reserve; do
    # shellcheck disable=SC2046 # two words
    passes $(race $guard) || { cat "$copy/log"; echo "sound: $guard fails without being broken"; exit 1; }
  done
  echo "sound: every race is held"
}

broken() {
  fresh
  "break_$1"
  built
  # shellcheck disable=SC2046 # two words
  if passes $(race "$1"); then
    echo "$1: NOT caught, $(race "$1") passes without the guard"
    exit 1
  fi
  echo "$1: caught: $(grep -m1 -A1 'panicked at' "$copy/log" | tail -1 | cut -c1-120)"
}

if [ $# = 0 ]; then
  set -- sound claim next start register run reserve
fi
for guard; do
  if [ "$guard" = sound ]; then
    sound
  else
    race "$guard" >/dev/null
    broken "$guard"
  fi
done
