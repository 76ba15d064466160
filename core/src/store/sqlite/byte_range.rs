//! Locks of byte ranges of a file, as requests to the kernel.

use nix::libc;

/// A request to lock or unlock `length` bytes from `start`; `kind` is `F_WRLCK` or `F_UNLCK`.
pub(super) fn lock_request(kind: libc::c_int, start: i64, length: i64) -> libc::flock {
    libc::flock {
        l_type: narrow_constant(kind),
        l_whence: narrow_constant(libc::SEEK_SET),
        l_start: start,
        l_len: length,
        l_pid: 0,
    }
}

/// Whether the kernel's answer says that no other lock is in the way.
pub(super) fn is_free(answer: &libc::flock) -> bool {
    answer.l_type == narrow_constant(libc::F_UNLCK)
}

/// Narrows a small constant that C declares wider than the field it is for.
fn narrow_constant(constant: libc::c_int) -> libc::c_short {
    libc::c_short::try_from(constant).unwrap_or(-1)
}
