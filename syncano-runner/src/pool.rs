//! Which worker serves which call.
//!
//! A [`Seat`] is the right to have one process. There are as many as the runner may have workers; a worker holds its
//! seat until its process has been reaped, so the number is the number of processes, dying ones and the spare ones included.
//!
//! A [`Turn`] is a call's right to use one of them. An instance has a bounded number of turns at a time, so that there are
//! workers left for others; calls that get none wait in the [`Queue`]. Whenever something changes, [`State::next`] looks
//! for the next call that can be served. A call that is sent to a worker which is on another one ([`Backlog`]) needs no turn: it
//! gets that of the call before it.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::{Notify, oneshot};

use crate::backlog::{Backlog, Offer};
use crate::interpreter::InterpreterId;
use crate::queue::{Queue, Waiter};
use crate::script::{Script, ScriptKey};
use crate::worker::{Spare, Worker};

/// How often calls that need no other process may pass the first one that does.
const PASSES: u32 = 8;

pub(crate) struct Pool {
    state: Mutex<State>,
    max_waiting: usize,
    /// A worker that nobody has called for so long may make room for a spare process.
    dispensable: Duration,
    /// Told whenever a seat comes back.
    seat_back: Notify,
}

#[derive(Default)]
struct State {
    /// The one with the lowest seat last.
    idle: HashMap<ScriptKey, Vec<Worker>>,
    /// Those of workers that are on a call and quick.
    backlogs: HashMap<ScriptKey, Vec<Arc<Backlog>>>,
    /// So many workers of a script run before calls are sent to one that runs already.
    processors: usize,
    spare: HashMap<InterpreterId, Spare>,
    /// Interpreters whose spare process is being started.
    starting: Vec<InterpreterId>,
    free: Vec<u32>,
    total: usize,
    queue: Queue,
    /// How many turns each instance has.
    turns: HashMap<Arc<str>, usize>,
    max_turns: usize,
    /// Seats of workers that have been ended to make room, and are not back yet.
    expected: usize,
    /// The processes that are there, by seat.
    alive: HashMap<u32, Arc<OwnedFd>>,
    closed: bool,
}

/// What a call gets.
#[expect(clippy::large_enum_variant, reason = "it is the usual one")]
pub(crate) enum Granted {
    /// A process, or the right to start one.
    Process(Turn, Grant),
    /// It may be sent to a worker that is on another one.
    Place(Offer),
}

/// A process for a call.
pub(crate) enum Grant {
    /// A worker that has loaded the script.
    Warm(Worker),
    /// A process that has no script yet.
    Spare(Spare),
    /// The right to start one.
    Seat(Seat),
}

/// Why a call gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many calls wait already.
    Full,
    /// It waited for too long.
    Late,
    /// The runner is shutting down.
    Closed,
}

/// What is found for the call that is next.
enum Next {
    Serve(Waiter, Turn, Grant),
    Join(Waiter, Offer),
    /// This process has to go first: it is dropped, which ends it.
    Evict(Evicted),
    Nobody,
}

#[expect(dead_code, reason = "what is evicted is dropped")]
enum Evicted {
    Worker(Worker),
    Spare(Spare),
}

/// The right to have one process, given back when dropped.
pub(crate) struct Seat {
    number: u32,
    pool: Weak<Pool>,
}

impl Seat {
    /// Below the largest number of workers.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Enters the process that took the seat, so that shutting down finds it.
    pub(crate) fn occupy(&self, process: Arc<OwnedFd>) {
        let Some(pool) = self.pool.upgrade() else { return };
        let mut state = pool.lock();
        if state.closed {
            kill(&process);
        }
        state.alive.insert(self.number, process);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            {
                let mut state = pool.lock();
                state.alive.remove(&self.number);
                state.free.push(self.number);
                state.expected = state.expected.saturating_sub(1);
            }
            pool.seat_back.notify_waiters();
            pool.serve();
        }
    }
}

/// A call's right to use a worker, given back when dropped.
pub(crate) struct Turn {
    instance: Arc<str>,
    pool: Arc<Pool>,
    /// The worker's, if others may be sent to it meanwhile.
    shared: Option<Arc<Backlog>>,
    /// There was no other one when it began.
    is_only: bool,
}

impl Turn {
    /// Gives it back together with a worker that is ready for another call.
    pub(crate) fn give_back(self, mut worker: Worker) {
        let mut state = self.pool.lock();
        if !state.closed {
            worker.idle_since = Instant::now();
            let workers = state.idle.entry(worker.key()).or_default();
            let seat = worker.seat();
            workers.insert(workers.partition_point(|other| other.seat() > seat), worker);
        }
        // Else dropping the worker, after the lock, ends it.
    }

    /// Other calls may be sent to the worker from now on.
    pub(crate) fn share(&mut self, worker: &Worker) {
        let backlog = &worker.backlog;
        self.shared = Some(Arc::clone(backlog));
        self.pool.lock().backlogs.entry(backlog.key()).or_default().push(Arc::clone(backlog));
    }

    /// They no longer are.
    pub(crate) fn unshare(&mut self) {
        if let Some(backlog) = self.shared.take() {
            self.pool.lock().close(&backlog);
        }
    }

    /// Whether no other call was running when this one was let in.
    pub(crate) fn is_only(&self) -> bool {
        self.is_only
    }

    /// Whether they may.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The worker has gone on to another call, so there is room behind that.
    pub(crate) fn offer(&self) {
        if !self.pool.lock().queue.is_empty() {
            self.pool.serve();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let is_waited_for = {
            let mut state = self.pool.lock();
            state.end_turn(&self.instance);
            if let Some(backlog) = &self.shared {
                state.close(backlog);
            }
            !state.queue.is_empty()
        };
        if is_waited_for {
            self.pool.serve();
        }
    }
}

impl Pool {
    /// `idle_timeout` is how long a worker may be idle; for a sixtieth of it it has its seat to itself.
    pub(crate) fn new(
        max_workers: u32,
        max_turns: usize,
        max_waiting: usize,
        processors: usize,
        idle_timeout: Duration,
    ) -> Arc<Pool> {
        let total = max_workers as usize;
        // An instance that may not have as many shares what it may have.
        let processors = processors.min(max_turns).max(1);
        let free = (0..max_workers).rev().collect();
        let state = State { free, total, max_turns, processors, ..State::default() };
        Arc::new(Pool {
            state: Mutex::new(state),
            max_waiting,
            dispensable: idle_timeout / 60,
            seat_back: Notify::new(),
        })
    }

    /// A worker for the script, or the means to start one, waiting until `deadline` if need be. `joins`: one that is on another
    /// call will do. `again`: the call has been accepted before.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        script: &Script,
        interpreter: InterpreterId,
        joins: bool,
        again: bool,
        deadline: tokio::time::Instant,
    ) -> Result<Granted, Refusal> {
        let instance = script.shared_instance();
        let (grant, mut granted) = oneshot::channel();
        let (id, refused) = {
            let mut state = self.lock();
            if state.closed {
                return Err(Refusal::Closed);
            }
            let key = (!script.is_fresh()).then(|| script.key());
            // Whoever waits comes first.
            if state.queue.is_empty() {
                if joins && let Some(offer) = key.and_then(|key| state.offer(key)) {
                    return Ok(Granted::Place(offer));
                }
                if state.may_begin(&instance)
                    && let Some(grant) = state.take(self, key, interpreter)
                {
                    let turn = state.begin_turn(self, instance);
                    return Ok(Granted::Process(turn, grant));
                }
            }
            let waiter =
                Waiter { id: 0, instance: Arc::clone(&instance), key, interpreter, joins, passed: 0, grant };
            state.queue.push(waiter, if again { usize::MAX } else { self.max_waiting })?
        };
        if let Some(refused) = refused {
            let _ = refused.grant.send(Err(Refusal::Full));
        }
        let place = PlaceInQueue { pool: self, instance: &instance, id };
        self.serve();
        let result = match tokio::time::timeout_at(deadline, &mut granted).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refusal::Closed),
            Err(_) => Err(Refusal::Late),
        };
        drop(place);
        result
    }

    /// Gives what there is to those who wait.
    fn serve(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                if state.closed {
                    return;
                }
                state.next(self)
            };
            match next {
                Next::Nobody => return,
                // Its seat comes back once it has been reaped.
                Next::Evict(evicted) => drop(evicted),
                Next::Join(waiter, offer) => {
                    let _ = waiter.grant.send(Ok(Granted::Place(offer)));
                }
                Next::Serve(waiter, turn, grant) => {
                    let granted = Granted::Process(turn, grant);
                    if let Err(Ok(Granted::Process(turn, grant))) = waiter.grant.send(Ok(granted)) {
                        // The call has gone away in the meantime.
                        match grant {
                            Grant::Warm(worker) => turn.give_back(worker),
                            Grant::Spare(spare) => self.keep_spare(spare),
                            Grant::Seat(_) => {}
                        }
                    }
                }
            }
        }
    }

    /// A seat for a spare process, if there is none and nobody needs the seat more.
    pub(crate) fn seat_for_spare(self: &Arc<Self>, interpreter: InterpreterId) -> Option<Seat> {
        let mut state = self.lock();
        if !state.wants_spare(interpreter) {
            return None;
        }
        let number = state.free.pop()?;
        state.starting.push(interpreter);
        Some(Seat { number, pool: Arc::downgrade(self) })
    }

    /// Where there is no seat for a spare process: ends the worker that has been idle longest, if that has been a while,
    /// and returns when a seat has come back. False: there is no such worker.
    pub(crate) async fn make_room_for_spare(&self, interpreter: InterpreterId) -> bool {
        let seat_back = self.seat_back.notified();
        tokio::pin!(seat_back);
        seat_back.as_mut().enable();
        let evicted = {
            let mut state = self.lock();
            let is_full = state.free.is_empty() && state.wants_spare(interpreter);
            let evicted = is_full.then(|| state.take_oldest_idle(self.dispensable)).flatten();
            state.expected += usize::from(evicted.is_some());
            evicted
        };
        let is_evicted = evicted.is_some();
        drop(evicted);
        if is_evicted {
            seat_back.await;
        }
        is_evicted
    }

    /// A spare process has started, or could not be.
    pub(crate) fn spare_started(self: &Arc<Self>, interpreter: InterpreterId, spare: Option<Spare>) {
        self.lock().starting.retain(|starting| *starting != interpreter);
        if let Some(spare) = spare {
            self.keep_spare(spare);
        }
        self.serve();
    }

    fn keep_spare(&self, spare: Spare) {
        let surplus = {
            let mut state = self.lock();
            if state.closed { Some(spare) } else { state.spare.insert(spare.interpreter(), spare) }
        };
        drop(surplus);
    }

    /// Ends the processes that have been idle for longer than `limit`.
    pub(crate) fn end_idle(&self, limit: Duration) {
        let mut ended = Vec::new();
        let mut spares = Vec::new();
        {
            let mut state = self.lock();
            for workers in state.idle.values_mut() {
                ended.extend(workers.extract_if(.., |worker| worker.idle_since.elapsed() >= limit));
            }
            state.idle.retain(|_, workers| !workers.is_empty());
            spares.extend(state.spare.extract_if(|_, spare| spare.since.elapsed() >= limit));
        }
        drop((ended, spares));
    }

    /// Refuses everything from now on and ends every process.
    pub(crate) fn close(&self) {
        let gone = {
            let mut state = self.lock();
            state.closed = true;
            state.alive.values().for_each(|process| kill(process));
            let State { idle, spare, queue, .. } = &mut *state;
            (std::mem::take(idle), std::mem::take(spare), std::mem::take(queue))
        };
        drop(gone);
    }

    /// How many processes there may be.
    pub(crate) fn total(&self) -> usize {
        self.lock().total
    }

    /// Whether there is no process, and none being started.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.free.len() == state.total
    }

    /// Waits until every process has been reaped.
    pub(crate) async fn emptied(&self) {
        loop {
            let notified = self.seat_back.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.is_empty() {
                return;
            }
            notified.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and no state in between would be worse than no runner.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the next call out of the queue together with what serves it.
    fn next(&mut self, pool: &Arc<Pool>) -> Next {
        // Instances take turns. The first whose call needs a process that isn't there:
        let mut first = None;
        for place in 0..self.queue.instances() {
            let Some((instance, waiter)) = self.queue.front(place) else { break };
            let (key, interpreter) = (waiter.key, waiter.interpreter);
            if first.is_none()
                && waiter.joins
                && let Some(offer) = key.and_then(|key| self.offer(key))
                && let Some(waiter) = self.queue.take(place, 0)
            {
                return Next::Join(waiter, offer);
            }
            if !self.may_begin(&instance) {
                continue;
            }
            if first.is_none()
                && let Some(grant) = self.take(pool, key, interpreter)
            {
                return self.serve(pool, place, 0, grant);
            }
            let first = *first.get_or_insert(place);
            let is_passable = self.queue.front(first).is_some_and(|(_, waiter)| waiter.passed < PASSES);
            if is_passable
                && let Some(index) = self.queue.position(place, |key| self.idle.contains_key(&key))
                && let Some(worker) = self.queue.key_at(place, index).and_then(|key| self.take_idle(key))
            {
                self.queue.pass(first);
                return self.serve(pool, place, index, Grant::Warm(worker));
            }
        }
        let is_room_enough = self.expected >= self.queue.len();
        if first.is_none() || is_room_enough {
            return Next::Nobody;
        }
        let spare = self.spare.keys().next().copied().and_then(|interpreter| self.spare.remove(&interpreter));
        let evicted = match spare {
            Some(spare) => Some(Evicted::Spare(spare)),
            None => self.take_oldest_idle(Duration::ZERO).map(Evicted::Worker),
        };
        match evicted {
            Some(evicted) => {
                self.expected += 1;
                Next::Evict(evicted)
            }
            None => Next::Nobody,
        }
    }

    fn serve(&mut self, pool: &Arc<Pool>, place: usize, index: usize, grant: Grant) -> Next {
        match self.queue.take(place, index) {
            Some(waiter) => {
                let turn = self.begin_turn(pool, Arc::clone(&waiter.instance));
                Next::Serve(waiter, turn, grant)
            }
            // Not reached: the place was looked up a moment ago, under the same lock.
            None => Next::Nobody,
        }
    }

    /// What a call of the script `key` can have now; without a key it wants a process that has served nobody.
    fn take(
        &mut self,
        pool: &Arc<Pool>,
        key: Option<ScriptKey>,
        interpreter: InterpreterId,
    ) -> Option<Grant> {
        if let Some(worker) = key.and_then(|key| self.take_idle(key)) {
            return Some(Grant::Warm(worker));
        }
        if let Some(spare) = self.spare.remove(&interpreter) {
            return Some(Grant::Spare(spare));
        }
        let number = self.free.pop()?;
        Some(Grant::Seat(Seat { number, pool: Arc::downgrade(pool) }))
    }

    fn wants_spare(&self, interpreter: InterpreterId) -> bool {
        let is_there = self.spare.contains_key(&interpreter) || self.starting.contains(&interpreter);
        !is_there && !self.closed && self.queue.is_empty()
    }

    fn may_begin(&self, instance: &str) -> bool {
        self.turns.get(instance).is_none_or(|&turns| turns < self.max_turns)
    }

    fn begin_turn(&mut self, pool: &Arc<Pool>, instance: Arc<str>) -> Turn {
        let is_only = self.turns.is_empty();
        *self.turns.entry(Arc::clone(&instance)).or_default() += 1;
        Turn { instance, pool: Arc::clone(pool), shared: None, is_only }
    }

    /// Where a call of the script can wait for a worker that is on another one, if that is better than a worker of its own: as many
    /// are at work as there are processors, and one of them will soon have done.
    fn offer(&self, key: ScriptKey) -> Option<Offer> {
        let backlogs = self.backlogs.get(&key).filter(|backlogs| backlogs.len() >= self.processors)?;
        let (_, shortest) = backlogs
            .iter()
            .filter_map(|backlog| Some((backlog.room()?, backlog)))
            .min_by_key(|(length, _)| *length)?;
        Some(Offer::of(shortest))
    }

    fn close(&mut self, backlog: &Arc<Backlog>) {
        let Some(backlogs) = self.backlogs.get_mut(&backlog.key()) else { return };
        backlogs.retain(|other| !Arc::ptr_eq(other, backlog));
        if backlogs.is_empty() {
            self.backlogs.remove(&backlog.key());
        }
    }

    fn end_turn(&mut self, instance: &str) {
        if let Some(turns) = self.turns.get_mut(instance) {
            *turns -= 1;
            if *turns == 0 {
                self.turns.remove(instance);
            }
        }
    }

    /// The worker of the script with the lowest seat: so the same few are used, whose caches are warm, and those that calls don't
    /// need become idle for long enough to be ended.
    fn take_idle(&mut self, key: ScriptKey) -> Option<Worker> {
        let workers = self.idle.get_mut(&key)?;
        let worker = workers.pop();
        if workers.is_empty() {
            self.idle.remove(&key);
        }
        worker
    }

    /// The worker that has been idle longest, if it has been so for `least`.
    fn take_oldest_idle(&mut self, least: Duration) -> Option<Worker> {
        let (since, key, index) = self
            .idle
            .iter()
            .flat_map(|(&key, workers)| {
                workers.iter().enumerate().map(move |(index, worker)| (worker.idle_since, key, index))
            })
            .min_by_key(|(since, ..)| *since)?;
        if since.elapsed() < least {
            return None;
        }
        let workers = self.idle.get_mut(&key)?;
        let oldest = workers.remove(index);
        if workers.is_empty() {
            self.idle.remove(&key);
        }
        Some(oldest)
    }
}

/// Takes a waiting call out of the queue when its future goes away.
struct PlaceInQueue<'a> {
    pool: &'a Pool,
    instance: &'a str,
    id: u64,
}

impl Drop for PlaceInQueue<'_> {
    fn drop(&mut self) {
        let waiter = self.pool.lock().queue.remove(self.instance, self.id);
        drop(waiter);
    }
}

fn kill(process: &OwnedFd) {
    // One that has ended already is what we want.
    let _ = pidfd_send_signal(process, Signal::KILL);
}
