//! A transaction over several requests, on one connection that no other one replaces.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::{Client, CopyInSink, Error};
use trueup_core::deadline::Deadline;

use super::direct::{SqlRow, run_simple_query};
use super::link::PostgresLink;
use super::session::Session;
use crate::error::{Activity, FailureKind, TransportError};

/// How many bytes of rows travel at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A transaction that is open on a connection. When it is dropped the connection ends, and the
/// server undoes what was not committed.
#[derive(Debug)]
pub struct PinnedTransaction<'l> {
    link: &'l PostgresLink,
    session: Session,
}

/// Rows on their way into a table.
pub struct RowUpload {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
}

impl<'l> PinnedTransaction<'l> {
    /// Begins a transaction by running a text.
    ///
    /// # Errors
    ///
    /// When there is no connection, or a statement fails.
    pub(super) fn begin(
        link: &'l mut PostgresLink,
        sql: &str,
        deadline: Deadline,
    ) -> Result<Self, TransportError> {
        link.connect(deadline)?;
        let session = link.session.take();
        let session = session.ok_or_else(|| link.failure(FailureKind::ClosedEarly))?;
        let mut transaction = Self { link, session };
        transaction.run_batch(sql, deadline)?;
        Ok(transaction)
    }

    /// Runs a text of one or more statements, and returns the rows of all of them.
    ///
    /// # Errors
    ///
    /// When a statement fails, or the deadline passes.
    pub fn run_batch(
        &mut self,
        sql: &str,
        deadline: Deadline,
    ) -> Result<Vec<SqlRow>, TransportError> {
        self.run(deadline, async |client| run_simple_query(client, sql).await)
    }

    /// Begins `COPY … FROM STDIN`.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the deadline passes.
    pub fn begin_upload(
        &mut self,
        sql: &str,
        deadline: Deadline,
    ) -> Result<RowUpload, TransportError> {
        let sink = self.run(deadline, async |client| client.copy_in(sql).await)?;
        Ok(RowUpload { sink: Box::pin(sink), buffer: BytesMut::new() })
    }

    /// Sends rows in the text format of `COPY`.
    ///
    /// # Errors
    ///
    /// When the connection ends, or the deadline passes.
    pub fn upload(
        &mut self,
        upload: &mut RowUpload,
        rows: &[u8],
        deadline: Deadline,
    ) -> Result<(), TransportError> {
        upload.buffer.extend_from_slice(rows);
        if upload.buffer.len() < CHUNK_BYTES {
            return Ok(());
        }
        let chunk = upload.buffer.split().freeze();
        self.run(deadline, async |_| upload.sink.send(chunk).await)
    }

    /// Sends what is left, and waits until the rows are stored; returns how many.
    ///
    /// # Errors
    ///
    /// When the server refuses one, or the deadline passes.
    pub fn finish_upload(
        &mut self,
        upload: RowUpload,
        deadline: Deadline,
    ) -> Result<u64, TransportError> {
        let RowUpload { mut sink, mut buffer } = upload;
        self.run(deadline, async |_| {
            sink.send(buffer.split().freeze()).await?;
            sink.as_mut().finish().await
        })
    }

    /// Runs `COPY … TO STDOUT`, and hands over each line without its end. `next_deadline` says by
    /// when the next lines are due.
    ///
    /// # Errors
    ///
    /// When the server fails or a deadline passes, or `on_line` says so.
    pub fn download<E: From<TransportError>>(
        &mut self,
        sql: &str,
        next_deadline: impl Fn() -> Deadline,
        mut on_line: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let stream = self.run(next_deadline(), async |client| client.copy_out(sql).await)?;
        let mut stream = Box::pin(stream);
        let mut buffer = BytesMut::new();
        let mut is_complete = false;
        while !is_complete {
            let limit = buffer.len() + CHUNK_BYTES;
            is_complete = self.run(next_deadline(), async |_| {
                while buffer.len() < limit {
                    let Some(chunk) = stream.next().await else {
                        return Ok(true);
                    };
                    buffer.extend_from_slice(&chunk?);
                }
                Ok(false)
            })?;
            let whole = buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let lines = buffer.split_to(whole);
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                on_line(line.strip_suffix(b"\n").unwrap_or(line))?;
            }
        }
        Ok(())
    }

    /// Runs `work` on the connection.
    fn run<T>(
        &mut self,
        deadline: Deadline,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, TransportError> {
        let PostgresLink { runtime, budget, progress, .. } = self.link;
        let session = &mut self.session;
        runtime.run(deadline, progress, async {
            budget.renew();
            progress.begin(Activity::WaitingForAnswer);
            match work(&session.client).await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(session.explain(error, progress).await.0),
            }
        })
    }
}

impl std::fmt::Debug for RowUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowUpload").field("waiting", &self.buffer.len()).finish_non_exhaustive()
    }
}
