"""What is recorded: each scene runs real commands in a directory of its own."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from picture import Step
from terminal import run_in_terminal

COLUMNS = 80

# Sessions of the client have such ids.
FIRST_SESSION = "3f0c6f3e-8a52-4f0b-9d0e-1c5b7a2e4d11"
SECOND_SESSION = "b81d5c02-47aa-4c1f-8f55-0d9e6a3c7f22"

# What is shown instead of the directory and the name of the machine that records.
SHOWN_HOME = "/home/ann"
SHOWN_HOST = "laptop"

GREEN, CYAN, MAGENTA, GREY, RESET = "\x1b[32m", "\x1b[36m", "\x1b[35m", "\x1b[90m", "\x1b[0m"


class Stage:
    """A directory where commands run, with a home and a database of its own."""

    def __init__(self, root, programs):
        self.root = Path(root)
        self.steps = []
        self.env = {
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.root),
            "TRUEUP_HOME": str(self.root / ".trueup"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def prepare(self, command, cwd=".", stdin="", **env):
        """Runs a command that is not shown."""
        return subprocess.run(
            command, shell=True, cwd=self.root / cwd, env=self.env | env, input=stdin,
            check=True, text=True, capture_output=True,
        ).stdout  # fmt: skip

    def remark(self, text):
        """Shows a remark, with a free row above it unless it comes first."""
        above = "\n" if self.steps else ""
        self.steps.append(Step(f"{above}{GREY}# {text}{RESET}", "", []))

    def show(self, command, prompt=f"{GREEN}${RESET} ", cwd=".", expect=0):
        """Runs a command and shows it; returns its output."""
        code, output = run_in_terminal(command, self.root / cwd, self.env, COLUMNS)
        text = "".join(line for _, line in output)
        if code != expect:
            raise RuntimeError(f"{command!r} ended with {code}, not {expect}:\n{text}")
        output = [(at, self._hide_machine(line)) for at, line in output]
        self.steps.append(Step(prompt, command, output))
        return text

    def _hide_machine(self, line):
        line = line.replace(str(self.root), SHOWN_HOME)
        return re.sub(rf"\b{re.escape(socket.gethostname())}\b", SHOWN_HOST, line)

    @contextmanager
    def session(self, session_id, cwd):
        """Starts a session as the client does: it lives as long as a process of its own."""
        client = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        payload = {
            "session_id": session_id, "cwd": str(self.root / cwd),
            "hook_event_name": "SessionStart", "source": "startup",
        }  # fmt: skip
        try:
            self.prepare(
                "session-start-sync", cwd, stdin=json.dumps(payload), CLAUDE_PID=str(client.pid)
            )
            yield
        finally:
            client.stdin.close()
            client.wait()


def play_demo(stage):
    """`trueup demo`."""
    stage.show("trueup demo")


def play_two_agents(stage):
    """Two agents want one item: the second is told who holds it, and gets it once it is free."""
    identity = "-c user.name=ann -c user.email=ann@example.com"
    stage.prepare(
        f"git init -q -b main shop && cd shop && git {identity} commit -q --allow-empty -m start"
        " && git worktree add -q ../shop-2 && trueup db migrate"
        ' && trueup item add PAY-7 --title "Retry failed payments"'
    )
    first = {"prompt": f"{CYAN}agent 1 ~/shop ${RESET} ", "cwd": "shop"}
    second = {"prompt": f"{MAGENTA}agent 2 ~/shop-2 ${RESET} ", "cwd": "shop-2"}
    with stage.session(FIRST_SESSION, "shop"), stage.session(SECOND_SESSION, "shop-2"):
        stage.remark("Claude Code runs in two worktrees; the hooks registered both sessions.")
        stage.show("trueup claim PAY-7", **first)
        stage.show("trueup claim PAY-7", **second, expect=1)
        stage.remark("The first agent lets go, and says why.")
        stage.show('trueup release --reason "retries work; time-outs are untested"', **first)
        stage.show("trueup claim PAY-7", **second)
        stage.remark("From now on the first agent is the one who is refused.")
        stage.show("trueup item transition PAY-7 completed", **first, expect=1)


# File name, title, and what is played.
SCENES = {
    "demo": ("trueup demo", play_demo),
    "two-agents": ("two agents, one item", play_two_agents),
}


def record_scene(name, programs):
    """Plays a scene with the programs in a directory, and returns its title and steps."""
    title, play = SCENES[name]
    root = tempfile.mkdtemp(prefix="trueup-recording-")
    try:
        stage = Stage(os.path.realpath(root), programs)
        play(stage)
    finally:
        shutil.rmtree(root)
    return title, stage.steps
