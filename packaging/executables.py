"""What the header of a program says: its system, and what it needs to start."""

import struct
from dataclasses import dataclass

_LC_CODE_SIGNATURE, _LC_BUILD_VERSION = 0x1D, 0x32
_LOADS_LIBRARY = (0xC, 0x80000018, 0x8000001F)  # also if it is weak, or passed on
_CPU_ARM64, _PLATFORM_MACOS = 0x0100000C, 1
_SIGNATURE_MAGIC, _DIRECTORY_MAGIC, _AD_HOC = 0xFADE0CC0, 0xFADE0C02, 0x2


@dataclass(frozen=True)
class Elf:
    """A program of Linux."""

    machine: str
    # Whether it stays where it was linked for (ADR 0015), and whether it needs no interpreter.
    has_fixed_address: bool
    is_static: bool


@dataclass(frozen=True)
class MachO:
    """A program of macOS."""

    machine: str
    # The oldest system it runs on.
    minimum: tuple[int, int]
    libraries: tuple[str, ...]
    is_signed_ad_hoc: bool


def parse_elf(data: bytes) -> Elf:
    """Reads a 64-bit little-endian ELF."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit little-endian ELF")
    kind, machine = struct.unpack_from("<HH", data, 16)
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    kinds = {struct.unpack_from("<I", data, offset + size * i)[0] for i in range(count)}
    name = {62: "x86_64", 183: "aarch64"}.get(machine, str(machine))
    # 2: an executable at a fixed address; 3: program header of the interpreter.
    return Elf(name, has_fixed_address=kind == 2, is_static=3 not in kinds)


def parse_mach_o(data: bytes) -> MachO:
    """Reads a 64-bit little-endian Mach-O with its load commands."""
    magic, cpu, _, kind, count = struct.unpack_from("<5I", data)
    if magic != 0xFEEDFACF or kind != 2:
        raise ValueError("no 64-bit Mach-O program")
    machine = "arm64" if cpu == _CPU_ARM64 else str(cpu)
    minimum, libraries, signed = (0, 0), [], False
    for command, body in _load_commands(data, count):
        if command == _LC_BUILD_VERSION:
            platform, version = struct.unpack_from("<II", body, 8)
            if platform == _PLATFORM_MACOS:
                minimum = (version >> 16, version >> 8 & 0xFF)
        elif command in _LOADS_LIBRARY:
            (start,) = struct.unpack_from("<I", body, 8)
            libraries.append(body[start:].split(b"\0")[0].decode())
        elif command == _LC_CODE_SIGNATURE:
            offset, size = struct.unpack_from("<II", body, 8)
            signed = _is_ad_hoc(data[offset : offset + size])
    return MachO(machine, minimum, tuple(libraries), signed)


def _load_commands(data: bytes, count: int):
    offset = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, offset)
        yield command, data[offset : offset + size]
        offset += size


def _is_ad_hoc(signature: bytes) -> bool:
    """Returns whether a signature has a code directory that names no signer (all is big-endian)."""
    magic, _, count = struct.unpack_from(">3I", signature)
    if magic != _SIGNATURE_MAGIC:
        return False
    for i in range(count):
        _, offset = struct.unpack_from(">II", signature, 12 + 8 * i)
        blob_magic, _, _, flags = struct.unpack_from(">4I", signature, offset)
        if blob_magic == _DIRECTORY_MAGIC and flags & _AD_HOC:
            return True
    return False
