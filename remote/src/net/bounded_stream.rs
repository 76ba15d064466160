//! A stream from which only so much is read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More bytes came than an answer may have.
#[derive(Debug, thiserror::Error)]
#[error("the answer is too large")]
pub(crate) struct AnswerTooLarge;

/// How many bytes may still be read; shared by a stream and the reader of its answers.
#[derive(Debug, Clone)]
pub(crate) struct ReadBudget {
    left: Arc<AtomicU64>,
    whole: u64,
}

impl ReadBudget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(bytes)), whole: bytes }
    }

    /// Allows a whole answer again.
    pub(crate) fn renew(&self) {
        self.left.store(self.whole, Ordering::Relaxed);
    }

    /// Counts bytes that were read; returns whether they were allowed.
    fn spend(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// A stream that fails once its budget is spent.
#[derive(Debug)]
pub(crate) struct BoundedStream<S> {
    stream: S,
    budget: ReadBudget,
}

impl<S> BoundedStream<S> {
    pub(crate) fn new(stream: S, budget: ReadBudget) -> Self {
        Self { stream, budget }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for BoundedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        if self.budget.spend(u64::try_from(read).unwrap_or(u64::MAX)) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::Error::other(AnswerTooLarge)))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BoundedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
