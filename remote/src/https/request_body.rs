//! A body that tells when it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::error::Activity;
use crate::net::Progress;

/// The body of a request. It is asked for its data once the connection is there, from when on the
/// request may be carried out.
pub(super) struct RequestBody {
    data: Option<Bytes>,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(super) fn new(data: Bytes, progress: &Arc<Progress>) -> Self {
        Self { data: Some(data), progress: Arc::clone(progress) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.begin(Activity::WaitingForAnswer);
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.data.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}
