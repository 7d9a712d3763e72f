//! Traces on their way into the database: a bounded queue, and one writer that stores many in a transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use crate::store::traces::TraceRow;
use crate::store::{Store, traces};
use crate::time;

/// Traces that may wait. When so many do, calls wait too.
const WAITING: usize = 1024;
/// Traces of one transaction.
const BATCH: usize = 256;
/// How often the writer tries to store a batch.
const ATTEMPTS: u32 = 5;
/// Traces kept of an endpoint.
const KEPT: u64 = 100;
/// How long a trace is kept, in microseconds.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1_000_000;
/// Between two times of throwing old traces away. Until then they linger.
const SWEEP: Duration = Duration::from_secs(60);

enum Message {
    Trace(Box<TraceRow>),
    /// Answered when everything before it is stored.
    Settle(oneshot::Sender<()>),
}

/// Takes traces in. The writer ends with the last clone.
#[derive(Clone)]
pub(crate) struct TraceQueue(mpsc::Sender<Message>);

impl TraceQueue {
    /// Starts the writer.
    pub(crate) fn start(store: Store) -> TraceQueue {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(Writer { store, swept: BTreeSet::new() }.run(receiver));
        TraceQueue(sender)
    }

    /// Hands a trace to the writer; waits while the queue is full.
    pub(crate) async fn push(&self, trace: TraceRow) {
        let (instance, id) = (trace.instance_id, trace.id);
        if self.0.send(Message::Trace(Box::new(trace))).await.is_err() {
            tracing::error!(instance, trace = id, "the writer of traces has ended: a trace is lost");
        }
    }

    /// Waits until what was queued before is stored.
    pub(crate) async fn settled(&self) {
        let (done, stored) = oneshot::channel();
        if self.0.send(Message::Settle(done)).await.is_ok() {
            // If the writer ends without an answer there is nothing left to wait for; it has said why.
            let _ = stored.await;
        }
    }
}

struct Writer {
    store: Store,
    /// Endpoints that got traces since the last sweep.
    swept: BTreeSet<(i64, String)>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut sweep = tokio::time::interval_at(Instant::now() + SWEEP, SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = queue.recv_many(&mut messages, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.handle(messages.drain(..)).await;
                }
                _ = sweep.tick() => {
                    if let Err(error) = self.sweep().await {
                        tracing::warn!(%error, "old traces could not be deleted; the next try is in a minute");
                    }
                }
            }
        }
    }

    async fn handle(&mut self, messages: impl Iterator<Item = Message>) {
        let mut batch = Vec::new();
        let mut waiting = Vec::new();
        for message in messages {
            match message {
                Message::Trace(trace) => batch.push(*trace),
                Message::Settle(done) => waiting.push(done),
            }
        }
        if !batch.is_empty() {
            self.store_batch(batch).await;
        }
        for done in waiting {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }

    async fn store_batch(&mut self, batch: Vec<TraceRow>) {
        let touched = batch.iter().map(|trace| (trace.socket_id, trace.endpoint.clone()));
        self.swept.extend(touched);
        let mut pause = Duration::from_millis(100);
        for attempt in 1.. {
            match self.write(batch.clone()).await {
                Ok(()) => return,
                Err(error) if attempt < ATTEMPTS => {
                    tracing::warn!(%error, attempt, "traces could not be stored; trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    tracing::error!(%error, lost = batch.len(), "traces could not be stored and are lost");
                    return;
                }
            }
        }
    }

    async fn write(&self, batch: Vec<TraceRow>) -> Result<(), DbErr> {
        let write = self.store.write().await?;
        traces::insert(&write.tx, batch).await?;
        write.commit().await
    }

    async fn sweep(&mut self) -> Result<(), DbErr> {
        let write = self.store.write().await?;
        for (socket, endpoint) in &self.swept {
            traces::keep_newest(&write.tx, *socket, endpoint, KEPT).await?;
        }
        traces::delete_older(&write.tx, time::now() - KEPT_FOR).await?;
        write.commit().await?;
        self.swept.clear();
        Ok(())
    }
}
