"""Runs a command in a pseudo terminal and notes when each piece of its output arrived."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

ROWS = 50
PATIENCE_SECONDS = 60


class CommandTimeout(Exception):
    """A command did not end in time."""


def run_in_terminal(command, cwd, env, columns):
    """Runs a shell command and returns its exit code and its output as [(seconds, text)].

    The seconds count from the start of the command. The terminal has no input: a command that
    asks for some reads the end of the file.
    """
    began = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cwd)
        os.execve("/bin/sh", ["sh", "-c", command], env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    try:
        pieces = list(_read_pieces(terminal, began))
    except CommandTimeout:
        os.kill(child, 9)
        raise CommandTimeout(f"{command!r} did not end within {PATIENCE_SECONDS} s") from None
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), _decode_pieces(pieces)


def _read_pieces(terminal, began):
    while True:
        left = began + PATIENCE_SECONDS - time.monotonic()
        if not select.select([terminal], [], [], max(left, 0))[0]:
            raise CommandTimeout
        try:
            data = os.read(terminal, 65536)
        except OSError:
            # Linux reports the end of the last process of a terminal as an input error.
            return
        if not data:
            return
        yield time.monotonic() - began, data


def _decode_pieces(pieces):
    """Cuts the output at line ends, so that no character and no word is split."""
    lines, rest = [], b""
    for at, data in pieces:
        *whole, rest = (rest + data).split(b"\n")
        lines += [(at, line + b"\n") for line in whole]
    if rest:
        lines.append((pieces[-1][0], rest))
    return [(at, line.decode("utf-8", "replace")) for at, line in lines]
