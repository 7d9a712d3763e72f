//! Which worker serves which call, and who waits.
//!
//! A [`Seat`] is the right to have one process. There are as many as the runner may have workers; a worker holds its
//! seat until its process has been reaped, so the number is the number of processes, dying ones included. Calls wait
//! in the order in which they came. A worker that becomes free goes to the first of them; when that one is for
//! another script, a call of the same script may pass it a few times before the worker has to make room.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::{Notify, oneshot};

use crate::script::ScriptKey;
use crate::worker::Worker;

/// How often calls of other scripts may pass the first one in the queue.
const PASSES: u32 = 8;

pub(crate) struct Pool {
    state: Mutex<State>,
    max_waiting: usize,
    /// Told whenever a seat comes back.
    seat_back: Notify,
}

#[derive(Default)]
struct State {
    idle: HashMap<ScriptKey, Vec<Worker>>,
    free: Vec<u32>,
    total: usize,
    waiting: VecDeque<Waiter>,
    next_waiter: u64,
    /// The processes that are there, by seat.
    alive: HashMap<u32, Arc<OwnedFd>>,
    closed: bool,
}

struct Waiter {
    id: u64,
    key: ScriptKey,
    passed: u32,
    grant: oneshot::Sender<Grant>,
}

/// What a call gets.
#[expect(clippy::large_enum_variant, reason = "it lives for a moment, on its way to a call")]
pub(crate) enum Grant {
    /// A worker that has loaded the script.
    Warm(Worker),
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
            pool.take_seat_back(self.number);
        }
    }
}

impl Pool {
    pub(crate) fn new(max_workers: u32, max_waiting: usize) -> Arc<Pool> {
        let state =
            State { free: (0..max_workers).rev().collect(), total: max_workers as usize, ..State::default() };
        Arc::new(Pool { state: Mutex::new(state), max_waiting, seat_back: Notify::new() })
    }

    /// A worker for the script, or a seat for one, waiting until `deadline` if need be.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        key: ScriptKey,
        deadline: tokio::time::Instant,
    ) -> Result<Grant, Refusal> {
        let (id, mut granted, evicted) = {
            let mut state = self.lock();
            if state.closed {
                return Err(Refusal::Closed);
            }
            if let Some(worker) = state.take_idle(key) {
                return Ok(Grant::Warm(worker));
            }
            if let Some(number) = state.free.pop() {
                return Ok(Grant::Seat(Seat { number, pool: Arc::downgrade(self) }));
            }
            if state.waiting.len() >= self.max_waiting {
                return Err(Refusal::Full);
            }
            let (grant, granted) = oneshot::channel();
            let id = state.next_waiter;
            state.next_waiter += 1;
            state.waiting.push_back(Waiter { id, key, passed: 0, grant });
            (id, granted, state.take_oldest_idle())
        };
        // Its seat comes back once it has been reaped, and goes to whoever waits first.
        drop(evicted);
        let place = PlaceInQueue { pool: self, id };
        let result = match tokio::time::timeout_at(deadline, &mut granted).await {
            Ok(Ok(grant)) => Ok(grant),
            Ok(Err(_)) => Err(Refusal::Closed),
            Err(_) => Err(Refusal::Late),
        };
        drop(place);
        result
    }

    /// Takes back a worker that is ready for another call.
    pub(crate) fn give_back(&self, mut worker: Worker) {
        loop {
            let waiter = {
                let mut state = self.lock();
                if state.closed {
                    break;
                }
                let Some(first) = state.waiting.front_mut() else {
                    worker.idle_since = Instant::now();
                    state.idle.entry(worker.key()).or_default().push(worker);
                    return;
                };
                let key = worker.key();
                if first.key == key {
                    state.waiting.pop_front()
                } else if first.passed < PASSES {
                    first.passed += 1;
                    let same = state.waiting.iter().position(|waiter| waiter.key == key);
                    same.and_then(|index| state.waiting.remove(index))
                } else {
                    None
                }
            };
            let Some(waiter) = waiter else { break };
            match waiter.grant.send(Grant::Warm(worker)) {
                Ok(()) => return,
                // The call has gone away in the meantime.
                Err(Grant::Warm(back)) => worker = back,
                Err(Grant::Seat(_)) => return,
            }
        }
        // Closed, or somebody else needs the seat: dropping the worker ends it.
        drop(worker);
    }

    fn take_seat_back(self: &Arc<Self>, number: u32) {
        let mut seat = {
            self.lock().alive.remove(&number);
            Grant::Seat(Seat { number, pool: Arc::downgrade(self) })
        };
        loop {
            let waiter = {
                let mut state = self.lock();
                match state.waiting.pop_front() {
                    Some(waiter) if !state.closed => waiter,
                    _ => {
                        state.free.push(number);
                        break;
                    }
                }
            };
            match waiter.grant.send(seat) {
                Ok(()) => return,
                Err(back) => seat = back,
            }
        }
        if let Grant::Seat(mut seat) = seat {
            // It is in the list again: dropping it must not put it there twice.
            seat.pool = Weak::new();
        }
        self.seat_back.notify_waiters();
    }

    /// Ends the workers that have been idle for longer than `limit`.
    pub(crate) fn end_idle(&self, limit: Duration) {
        let mut ended = Vec::new();
        {
            let mut state = self.lock();
            for workers in state.idle.values_mut() {
                ended.extend(workers.extract_if(.., |worker| worker.idle_since.elapsed() >= limit));
            }
            state.idle.retain(|_, workers| !workers.is_empty());
        }
        drop(ended);
    }

    /// Refuses everything from now on and ends every process.
    pub(crate) fn close(&self) {
        let (idle, waiting) = {
            let mut state = self.lock();
            state.closed = true;
            state.alive.values().for_each(|process| kill(process));
            (std::mem::take(&mut state.idle), std::mem::take(&mut state.waiting))
        };
        drop((idle, waiting));
    }

    /// Waits until every process has been reaped.
    pub(crate) async fn emptied(&self) {
        loop {
            let notified = self.seat_back.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let state = self.lock();
                if state.free.len() == state.total {
                    return;
                }
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
    /// The worker of the script that was used last: it is the one with warm caches.
    fn take_idle(&mut self, key: ScriptKey) -> Option<Worker> {
        let workers = self.idle.get_mut(&key)?;
        let worker = workers.pop();
        if workers.is_empty() {
            self.idle.remove(&key);
        }
        worker
    }

    fn take_oldest_idle(&mut self) -> Option<Worker> {
        // Each list is in the order of use.
        let (&key, _) =
            self.idle.iter().min_by_key(|(_, workers)| workers.first().map(|worker| worker.idle_since))?;
        let workers = self.idle.get_mut(&key)?;
        let oldest = workers.remove(0);
        if workers.is_empty() {
            self.idle.remove(&key);
        }
        Some(oldest)
    }
}

/// Takes a waiting call out of the queue when its future goes away.
struct PlaceInQueue<'a> {
    pool: &'a Pool,
    id: u64,
}

impl Drop for PlaceInQueue<'_> {
    fn drop(&mut self) {
        let waiter = {
            let mut state = self.pool.lock();
            let index = state.waiting.binary_search_by_key(&self.id, |waiter| waiter.id);
            index.ok().and_then(|index| state.waiting.remove(index))
        };
        drop(waiter);
    }
}

fn kill(process: &OwnedFd) {
    // One that has ended already is what we want.
    let _ = pidfd_send_signal(process, Signal::KILL);
}
