//! Traces on their way into the database: a bounded queue, and one writer that stores many in a transaction.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::store::traces::{Subject, Trace};
use crate::store::{Store, traces};
use crate::time;

/// Traces that may wait. When so many do, calls wait too.
const WAITING: usize = 1024;
/// Traces of one transaction.
const BATCH: usize = 256;
/// How long the writer gathers traces before it stores them, unless somebody wants to read. What a crash loses at most.
const GATHER: Duration = Duration::from_millis(25);
/// How often the writer tries to store a batch.
const ATTEMPTS: u32 = 5;
/// Traces kept of a script or an endpoint.
const KEPT: u64 = 100;
/// How long a trace is kept, in microseconds.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1_000_000;
/// Between two times of throwing old traces away, if there are few. Until then they linger.
const SWEEP: Duration = Duration::from_secs(60);
/// Traces that one sweep throws away at most for their age: calls that end meanwhile wait for it. If there are more, as
/// after a day off, the next sweep is soon.
const SWEPT: u64 = 1000;
/// Between two sweeps while there is more to throw away.
const PAUSE: Duration = Duration::from_millis(50);
/// So many stored traces, or bytes of them, bring the next sweep forward: strangers decide how many there are and
/// how large. No transaction stores more bytes either.
const SWEEP_AFTER: Amount = Amount { traces: WAITING, bytes: 8 << 20 };

/// How much was stored.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    traces: usize,
    bytes: usize,
}

impl Amount {
    fn add(&mut self, trace: &Trace) {
        self.traces += 1;
        self.bytes += trace.result.len() + trace.args.len() + trace.meta.len();
    }

    fn reaches(self, limit: Amount) -> bool {
        self.traces >= limit.traces || self.bytes >= limit.bytes
    }
}

enum Message {
    Trace(Box<Trace>),
    /// Answered when everything before it is stored.
    Settle(oneshot::Sender<()>),
}

/// Takes traces in. The writer ends with the last clone.
#[derive(Clone)]
pub(crate) struct TraceQueue {
    messages: mpsc::Sender<Message>,
    /// The writer is to gather no longer.
    urgent: Arc<Notify>,
    /// Traces that could not be stored.
    lost: Arc<AtomicU64>,
}

impl TraceQueue {
    /// Starts the writer.
    pub(crate) fn start(store: Store) -> TraceQueue {
        let (sender, receiver) = mpsc::channel(WAITING);
        let urgent = Arc::new(Notify::new());
        let writer = Writer::new(store);
        let lost = writer.lost.clone();
        tokio::spawn(writer.run(receiver, urgent.clone()));
        TraceQueue { messages: sender, urgent, lost }
    }

    /// How many traces could not be stored since the server was started. Each is in the log, too.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Hands a trace to the writer; waits while the queue is full.
    pub(crate) async fn push(&self, trace: Trace) {
        let (instance, id) = (trace.instance_id, trace.id);
        if self.messages.send(Message::Trace(Box::new(trace))).await.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            tracing::error!(instance, trace = id, "the writer of traces has ended: a trace is lost");
        }
        if self.messages.capacity() < WAITING / 2 {
            self.urgent.notify_one();
        }
    }

    /// Waits until what was queued before is stored.
    pub(crate) async fn settled(&self) {
        let (done, stored) = oneshot::channel();
        if self.messages.send(Message::Settle(done)).await.is_ok() {
            self.urgent.notify_one();
            // If the writer ends without an answer there is nothing left to wait for; it has said why.
            let _ = stored.await;
        }
    }
}

struct Writer {
    store: Store,
    /// What got traces since the last sweep.
    swept: BTreeSet<Subject>,
    /// Stored since the last sweep.
    stored: Amount,
    sweep_after: Amount,
    lost: Arc<AtomicU64>,
}

impl Writer {
    fn new(store: Store) -> Writer {
        let (swept, stored, lost) = Default::default();
        Writer { store, swept, stored, sweep_after: SWEEP_AFTER, lost }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Message>, urgent: Arc<Notify>) {
        let mut sweep = tokio::time::interval_at(Instant::now() + SWEEP, SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = queue.recv_many(&mut messages, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    // Each transaction waits for the disk. Nothing listens to the queue meanwhile, so that calls wake nobody.
                    let _ = timeout(GATHER, urgent.notified()).await;
                    while messages.len() < WAITING
                        && let Ok(message) = queue.try_recv()
                    {
                        messages.push(message);
                    }
                    self.handle(messages.drain(..)).await;
                }
                _ = sweep.tick() => {
                    if self.sweep().await {
                        sweep.reset_after(PAUSE);
                    }
                }
            }
        }
    }

    async fn handle(&mut self, messages: impl Iterator<Item = Message>) {
        let (mut traces, mut kept, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            match message {
                Message::Trace(trace) => traces.push(*trace),
                Message::Settle(done) => {
                    // Whoever waits for a trace isn't to miss it for others that came later.
                    kept.extend(newest(std::mem::take(&mut traces)));
                    waiting.push(done);
                }
            }
        }
        kept.extend(newest(traces));
        let (mut batch, mut size) = (Vec::new(), Amount::default());
        for trace in kept {
            size.add(&trace);
            batch.push(trace);
            if size.reaches(self.sweep_after) {
                self.store_batch(std::mem::take(&mut batch), std::mem::take(&mut size)).await;
            }
        }
        if !batch.is_empty() {
            self.store_batch(batch, size).await;
        }
        for done in waiting {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }

    /// Stores traces, and throws old ones away if it's time.
    async fn store_batch(&mut self, batch: Vec<Trace>, size: Amount) {
        let touched = batch.iter().map(|trace| trace.subject.clone());
        self.swept.extend(touched);
        self.store_or_lose(batch).await;
        self.stored.traces += size.traces;
        self.stored.bytes += size.bytes;
        if self.stored.reaches(self.sweep_after) {
            self.sweep().await;
        }
    }

    async fn store_or_lose(&self, batch: Vec<Trace>) {
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
                    self.lost.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    tracing::error!(%error, lost = batch.len(), "traces could not be stored and are lost");
                    return;
                }
            }
        }
    }

    async fn write(&self, batch: Vec<Trace>) -> Result<(), DbErr> {
        let write = self.store.write().await?;
        traces::insert(&write.tx, batch).await?;
        write.commit().await
    }

    /// Throws old traces away. What fails is done by the next sweep. `true`: there are more.
    async fn sweep(&mut self) -> bool {
        self.stored = Amount::default();
        self.delete_old().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "old traces could not be deleted; the next try is in a minute at the latest");
            false
        })
    }

    async fn delete_old(&mut self) -> Result<bool, DbErr> {
        let write = self.store.write().await?;
        let older = traces::delete_older(&write.tx, time::now() - KEPT_FOR, SWEPT).await?;
        let mut deleted = older;
        for subject in &self.swept {
            deleted += traces::keep_newest(&write.tx, subject, KEPT).await?;
        }
        write.commit().await?;
        self.swept.clear();
        if deleted > 0 {
            self.store.shrink().await?;
        }
        Ok(older >= SWEPT)
    }
}

/// Those of `traces` that a sweep would leave: of what is called thousands of times in a second most would be stored only to
/// be thrown away.
fn newest(mut traces: Vec<Trace>) -> Vec<Trace> {
    let kept = usize::try_from(KEPT).unwrap_or(usize::MAX);
    if traces.len() <= kept {
        return traces;
    }
    traces.sort_unstable_by(|one, other| one.subject.cmp(&other.subject).then(other.id.cmp(&one.id)));
    let mut of_subject = 0;
    let mut last = None;
    traces.retain(|trace| {
        let is_same = last.as_ref() == Some(&trace.subject);
        if !is_same {
            last = Some(trace.subject.clone());
        }
        of_subject = if is_same { of_subject + 1 } else { 1 };
        of_subject <= kept
    });
    traces
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait as _;

    use super::*;
    use crate::pagination::{Ordering as Order, Page};
    use crate::request::Query;
    use crate::store::accounts::NewAccount;
    use crate::store::instances::NewInstance;
    use crate::store::{Location, accounts, instances};

    /// Stores 1,200 traces with so many bytes each, and tells how many are left and how large the files are.
    async fn store_many(bytes: usize, sweep_after: Amount) -> (usize, u64) {
        let (folder, store, instance) = store().await;
        let mut writer = Writer { sweep_after, ..Writer::new(store.clone()) };
        for batch in 0..12 {
            let messages = (1..=100).map(|index| {
                let trace = trace(instance, batch * 100 + index, time::now(), bytes);
                Message::Trace(Box::new(Trace { subject: Subject::Script(1), ..trace }))
            });
            writer.handle(messages).await;
        }
        let left = count(&store).await;
        // Puts everything into the one file.
        store.close().await.unwrap();
        (left, std::fs::metadata(folder.path().join("s.db")).unwrap().len())
    }

    async fn store() -> (tempfile::TempDir, Store, i64) {
        let folder = tempfile::tempdir().unwrap();
        let (store, instance) = store_at(&Location::File(folder.path().join("s.db"))).await;
        (folder, store, instance)
    }

    /// With an instance.
    async fn store_at(location: &Location) -> (Store, i64) {
        let store = Store::open(location).await.unwrap();
        let owner = accounts::insert(&store.db, NewAccount::default()).await.unwrap();
        let new = NewInstance {
            name: "one".to_owned(),
            owner_id: owner.id,
            description: String::new(),
            metadata: "{}".to_owned(),
        };
        let instance = instances::insert(&store.db, new).await.unwrap().id;
        (store, instance)
    }

    /// So many that none is too many of its script.
    fn trace(instance_id: i64, id: i64, executed_at: i64, bytes: usize) -> Trace {
        Trace {
            instance_id,
            id,
            subject: Subject::Script(id % 100),
            status: syncano_core::RunStatus::Success,
            executed_at: Some(executed_at),
            duration: Some(1),
            result: "{}".to_owned(),
            args: "x".repeat(bytes).into(),
            meta: "{}".into(),
            isolation: None,
        }
    }

    #[tokio::test]
    async fn calls_wait_for_a_slow_store_and_nothing_is_lost() {
        let (_folder, store, instance) = store().await;
        let queue = TraceQueue::start(store.clone());
        // Nobody else can write.
        let slow = store.write().await.unwrap();
        let pushed = Arc::new(AtomicU64::new(0));
        let calls = {
            let (queue, pushed) = (queue.clone(), pushed.clone());
            tokio::spawn(async move {
                for id in 0..5000 {
                    queue.push(trace(instance, id, time::now(), 1)).await;
                    pushed.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        while queue.messages.capacity() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The queue's, and what the writer has in its hands.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let waiting = pushed.load(Ordering::Relaxed);
        assert!(waiting <= 2 * WAITING as u64, "{waiting}");
        assert!(!calls.is_finished());
        drop(slow);
        calls.await.unwrap();
        queue.settled().await;
        assert_eq!(count(&store).await, 5000);
        assert_eq!(queue.lost(), 0);
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_counted_and_the_rest_is_stored() {
        let (store, instance) = store_at(&Location::Memory).await;
        let queue = TraceQueue::start(store.clone());
        let read_only = async |yes: bool| {
            store.db.execute_unprepared(&format!("PRAGMA query_only = {yes}")).await.unwrap();
        };
        read_only(true).await;
        for id in 0..3 {
            queue.push(trace(instance, id, time::now(), 1)).await;
        }
        queue.settled().await;
        assert_eq!(queue.lost(), 3);
        read_only(false).await;
        queue.push(trace(instance, 3, time::now(), 1)).await;
        queue.settled().await;
        assert_eq!((queue.lost(), count(&store).await), (3, 1));
    }

    #[tokio::test]
    async fn a_sweep_is_bounded_and_followed_by_others_until_nothing_is_too_old() {
        let (_folder, store, instance) = store().await;
        let many = i64::try_from(3 * SWEPT / 2).unwrap();
        let old = (0..many).map(|id| trace(instance, id, id, 1)).collect();
        traces::insert(&store.db, old).await.unwrap();
        traces::insert(&store.db, vec![trace(instance, many, time::now(), 1)]).await.unwrap();
        let mut writer = Writer::new(store.clone());
        assert!(writer.sweep().await);
        assert_eq!(count(&store).await, 1 + usize::try_from(SWEPT / 2).unwrap());
        assert!(!writer.sweep().await);
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn what_would_be_thrown_away_at_once_is_not_stored() {
        let (_folder, store, instance) = store().await;
        let mut writer = Writer::new(store.clone());
        let subject = |id: i64| Subject::Script(if id % 10 == 0 { 2 } else { 1 });
        // They end in another order than they began.
        let messages = (0..900).map(|index| (index * 7) % 900).map(|id| {
            let trace = trace(instance, id, time::now(), 1);
            Message::Trace(Box::new(Trace { subject: subject(id), ..trace }))
        });
        writer.handle(messages).await;
        let page = Page::from_query(&Query::parse("page_size=500"), Order::Descending).unwrap();
        let ids = async |id: i64| -> Vec<i64> {
            let rows = traces::of_subject(&store.db, &Subject::Script(id), &page).await.unwrap();
            rows.iter().map(|trace| trace.id).collect()
        };
        let newest: Vec<i64> = (0..900).rev().filter(|id| id % 10 != 0).take(100).collect();
        assert_eq!(ids(1).await, newest);
        let all: Vec<i64> = (0..900).rev().filter(|id| id % 10 == 0).collect();
        assert_eq!(ids(2).await, all);

        // Whoever waits for one finds it, though it isn't of the newest any more.
        let (done, stored) = oneshot::channel();
        let new =
            |id| Message::Trace(Box::new(Trace { subject: Subject::Script(3), ..trace(instance, id, 1, 1) }));
        let messages = [new(1000), Message::Settle(done)].into_iter().chain((1001..1200).map(new));
        writer.handle(messages).await;
        stored.await.unwrap();
        assert!(traces::one(&store.db, &Subject::Script(3), 1000).await.unwrap().is_some());
    }

    async fn count(store: &Store) -> usize {
        use sea_orm::{EntityTrait as _, PaginatorTrait as _};
        let rows = crate::store::entity::trace::Entity::find().count(&store.db).await.unwrap();
        usize::try_from(rows).unwrap()
    }

    #[tokio::test]
    async fn many_traces_are_not_kept_until_the_minute_is_over() {
        let kept = usize::try_from(KEPT).unwrap();
        // By their number, and by their size.
        let (left, size) = store_many(20_000, Amount { traces: 50, bytes: usize::MAX }).await;
        assert!(left < kept + 50, "{left}");
        assert!(size < 4 << 20, "{size}");
        let (left, size) = store_many(20_000, Amount { traces: usize::MAX, bytes: 1_000_000 }).await;
        assert!(left <= kept + 50, "{left}");
        assert!(size < 4 << 20, "{size}");
        // 24 MB otherwise.
        let (left, size) = store_many(20_000, Amount { traces: usize::MAX, bytes: usize::MAX }).await;
        assert_eq!(left, 1200);
        assert!(size > 24_000_000, "{size}");
    }
}
