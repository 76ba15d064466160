//! Finds what a library's error is really about.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::{Activity, FailureKind};

/// Returns the first error of type `T` in a chain of causes.
///
/// An `io::Error` hides the error that it wraps from `source`, so it is looked into as well.
pub(crate) fn find_cause<'e, T: Error + 'static>(
    error: &'e (dyn Error + 'static),
) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// Returns what an error of a socket means.
pub(crate) fn classify_io(error: &io::Error, activity: Activity) -> FailureKind {
    match error.kind() {
        // The file of a socket is missing when the server does not run.
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => FailureKind::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            FailureKind::Unreachable
        }
        ErrorKind::TimedOut => FailureKind::TimedOut(activity),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof
        // An end in the middle of a message.
        | ErrorKind::Other => FailureKind::closed_while(activity),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => FailureKind::WrongProtocol,
        _ if activity.is_after_request() => FailureKind::ClosedMidway,
        _ => FailureKind::Local(error.kind().to_string()),
    }
}
