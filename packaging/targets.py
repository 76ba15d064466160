"""The systems that trueup is built for, and what each kind of package calls them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A system, by its names."""

    triple: str
    npm_os: str
    npm_cpu: str
    wheel_tags: tuple[str, ...]
    # Debian has packages for Linux alone.
    deb_architecture: str | None

    @property
    def npm_package(self) -> str:
        return f"@trueup/{self.npm_os}-{self.npm_cpu}"


def _linux(machine: str, npm_cpu: str, deb_architecture: str) -> Target:
    # A static program runs with every libc, so that one wheel serves both families of Linux, and
    # pip of before 20.3 knows manylinux_2_17 by its older name only.
    tags = (f"manylinux2014_{machine}", f"manylinux_2_17_{machine}", f"musllinux_1_2_{machine}")
    return Target(f"{machine}-unknown-linux-musl", "linux", npm_cpu, tags, deb_architecture)


TARGETS = {
    target.triple: target
    for target in (
        _linux("x86_64", "x64", "amd64"),
        _linux("aarch64", "arm64", "arm64"),
        Target("aarch64-apple-darwin", "darwin", "arm64", ("macosx_11_0_arm64",), None),
    )
}
