#!/bin/sh
# Runs a command in which programs of aarch64 start as if the machine were one: they may start their
# own binary again. It is registered in a user namespace of its own (Linux 6.7 and newer); the machine
# stays as it was.
#
# usage: unshare --user --map-root-user --mount sh packaging/binfmt.sh COMMAND [ARG...]
set -eu

emulator=$(command -v qemu-aarch64-static)
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
# The start of every 64-bit ELF for machine 183, whether it may be moved or not. F: the emulator is
# opened now, so that it is found from every directory.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":trueup-aarch64:M::$magic:$mask:$emulator:F" >/proc/sys/fs/binfmt_misc/register
exec "$@"
