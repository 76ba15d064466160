#!/usr/bin/env python3
"""Measures what commands of every day cost as processes on a database of many items.

    bench/everyday.py [--program target/release/trueup] [--items 100000] [--rounds 30] [--most-ms 20]

Makes a database in a temporary directory, with items of three repositories, priorities, parents, a
dependency for every second item, and an event for each. Every command runs once in each round, in turn,
so that a busy moment of the machine hits all of them. Prints the fastest and the median run of each, with
the processor time of the median, and fails where a median took longer than --most-ms, or than a multiple
of it that is given below.
"""

import argparse
import os
import pathlib
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = [
    ["ready"],
    ["ready", "--all-repos", "--json"],
    ["item", "list"],
    ["item", "list", "--all-repos", "--json"],
    ["item", "list", "--unfinished"],
    ["log"],
    ["log", "--all-repos"],
    ["log", "--item", "SD-000500"],
    ["next"],
]

# Times more than --most-ms allows: a third of the events are newer than every one of the repository that the
# log is of, and are passed over one by one.
LONGER = {"log": 4}


def fill(database, count):
    """Adds the items and their dependencies; triggers write the events."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    # One after the other, so that the newest events are all of another repository.
    repos = [None, "app", "web"]
    statuses = ["queued", "ready", "completed"]
    rows = (
        (
            f"SD-{number:06}",
            f"Item number {number}",
            [None, 0, 1, 2, 3, 4][number % 6],
            repos[number * 3 // count],
            "What is to be done, in some words. " * 4,
            statuses[number // 7 % 3],
            f"SD-{number // 50 * 50:06}" if number % 50 and number % 3 == 0 else None,
        )
        for number in range(count)
    )
    connection.executemany(
        "INSERT INTO work_items (key, title, priority, repo, description, status, parent)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    edges = ((f"SD-{n:06}", f"SD-{n // 2:06}") for n in range(1001, count, 2))
    connection.executemany("INSERT INTO item_dependencies VALUES (?, ?)", edges)
    connection.execute("COMMIT")
    connection.close()


def run(program, arguments, environment, directory):
    """Runs a command and returns its wall and processor time in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [program, *arguments], env=environment, cwd=directory, capture_output=True, check=False
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}: {done.stderr.decode()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", default="target/release/trueup")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--most-ms", type=float, default=20.0)
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch, "project")
        directory.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": scratch,
            "TRUEUP_HOME": str(pathlib.Path(scratch, "home")),
        }
        database = pathlib.Path(scratch, "big.db")
        environment["TRUEUP_DATABASE_URL"] = f"sqlite:{database}"
        run(program, ["db", "migrate"], environment, directory)
        (directory / ".trueup.toml").write_text('repo = "app"\n')
        fill(database, arguments.items)
        times = {" ".join(command): [] for command in COMMANDS}
        for _ in range(arguments.rounds):
            for command in COMMANDS:
                times[" ".join(command)].append(run(program, command, environment, directory))
    slow = []
    print(f"{arguments.items} items, {arguments.rounds} rounds, load {os.getloadavg()[0]:.2f}")
    print(f"{'command':<34} {'min ms':>8} {'median':>8} {'cpu ms':>8}")
    for command, runs in times.items():
        walls, cpus = zip(*runs)
        median = statistics.median(walls)
        print(f"{command:<34} {min(walls):8.2f} {median:8.2f} {statistics.median(cpus):8.2f}")
        if median > arguments.most_ms * LONGER.get(command, 1):
            slow.append(command)
    if slow:
        sys.exit(f"slower than {arguments.most_ms} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
