"use strict";
// Starts a program of the package for this system, and ends as it ends.

const { spawn } = require("node:child_process");
const os = require("node:os");
const path = require("node:path");
const { isatty } = require("node:tty");

const USAGE_ERROR = 3;

// The terminal sends these to the whole group of processes: the program has them already.
const FROM_TERMINAL = ["SIGINT", "SIGQUIT"];
const PASSED_ON = [...FROM_TERMINAL, "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"];

// Ends this process and says why.
function fail(message, hint) {
  process.stderr.write(`error: ${message}\n hint: ${hint}\n`);
  process.exit(USAGE_ERROR);
}

// Returns the path of a program in the package for this system.
function findProgram(name) {
  const known = require("../package.json").optionalDependencies;
  const wanted = `@trueup/${process.platform}-${process.arch}`;
  if (!(wanted in known)) {
    const systems = Object.keys(known).map((known) => known.replace("@trueup/", ""));
    fail(
      `there are no programs for ${process.platform}-${process.arch}`,
      `npm has them for ${systems.join(", ")}; elsewhere compile them from a checkout`,
    );
  }
  try {
    return path.join(path.dirname(require.resolve(`${wanted}/package.json`)), "bin", name);
  } catch {
    fail(
      `the package ${wanted} is missing`,
      "install trueup again without --omit=optional, and not from another system's node_modules",
    );
  }
}

// Passes signals on to the program, so that whoever ends this process ends the program.
function passSignalsOn(getProgram) {
  const hasTerminal = isatty(0) || isatty(2);
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      if (!hasTerminal || !FROM_TERMINAL.includes(signal)) getProgram().kill(signal);
    });
  }
}

// Ends this process by the same signal, so that a shell sees what happened.
function endBy(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Only a signal that does not end this process lets this be reached.
  process.exitCode = 128 + os.constants.signals[signal];
}

exports.run = (name) => {
  const program = findProgram(name);
  const env = { ...process.env, TRUEUP_ORIGIN: "npm" };
  // Before the program starts: a signal that comes in between would end this process alone. What is
  // called for a signal runs after this function, when there is a program.
  passSignalsOn(() => child);
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit", env });
  child.on("error", (error) => {
    fail(`${program} could not be started: ${error.message}`, "install trueup again");
  });
  child.on("exit", (code, signal) => {
    if (signal) endBy(signal);
    else process.exitCode = code;
    // Handlers of signals would keep this process waiting.
    for (const passed of PASSED_ON) process.removeAllListeners(passed);
  });
};
