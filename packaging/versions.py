"""A version of Cargo, written as other packages order them."""

import re

_PRERELEASE = re.compile(r"^(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.?(\d+))?$")


def _split(version: str) -> tuple[str, str | None, str | None]:
    match = _PRERELEASE.match(version)
    if not match:
        raise ValueError(f"{version}: a version is 1.2.3, or 1.2.3-rc.1 (alpha, beta)")
    return match.groups()


def python_version(version: str) -> str:
    """Returns it as PEP 440 writes it: 1.2.3rc1."""
    number, kind, count = _split(version)
    short = {"alpha": "a", "beta": "b", "rc": "rc"}
    return f"{number}{short[kind]}{count}" if kind else number


def debian_version(version: str) -> str:
    """Returns it as dpkg orders it: 1.2.3~rc.1 is older than 1.2.3."""
    number, kind, count = _split(version)
    return f"{number}~{kind}.{count}" if kind else number
