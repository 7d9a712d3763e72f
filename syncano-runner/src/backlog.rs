//! The calls that a worker has been sent and has yet to begin.
//!
//! Scripts that take microseconds are served best by a few processes that never sleep: each further one has caches of its
//! own to fill, and is to be woken for every call. So where as many workers of a script run as there are processors, its next
//! call is sent to one of those, as long as that has been quick so far.
//!
//! The calls lie in a socket, from which the worker takes one at a time when it has answered the one before. Whoever waits for
//! too long takes them back: the server has the worker's end, too, and a message is received once, by the worker or by the
//! server, so none runs twice.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::call::Call;
use crate::pool::Turn;
use crate::protocol;
use crate::running::Running;
use crate::script::ScriptKey;
use crate::worker::Worker;

/// After this it is taken back: a process of its own would be there by now.
const PATIENCE: Duration = Duration::from_millis(10);

/// After this, and the time that the call itself has, nobody hears of it any more: the one before it is over by then.
const LAST: Duration = Duration::from_secs(5);

/// Calls that wait for one worker.
const MOST: u32 = 32;

/// For another thread that sends to the same worker, and may have been interrupted.
const SENDING: Duration = Duration::from_millis(1);

/// Stands for the number of calls that wait where none can.
const CLOSED: u32 = u32::MAX;

/// Says that the call comes over the channel: it is too large for a message.
const ELSEWHERE: [u8; 1] = [0];

/// Both ends of the socket that brings a worker its calls.
pub(crate) struct Calls {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Calls {
    /// A new socket.
    pub(crate) fn new() -> io::Result<Calls> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok(Calls { ours, theirs })
    }

    /// The worker's end.
    pub(crate) fn for_child(&self) -> io::Result<OwnedFd> {
        self.theirs.try_clone()
    }

    /// False: there is no room.
    fn send(&self, message: &[u8]) -> bool {
        send(&self.ours, message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_ok()
    }

    /// The number of the next call that the worker will take. `Some(None)`: of the one that comes over the channel.
    fn next(&self) -> Option<Option<u64>> {
        let mut beginning = [0; 12];
        let peeked = recv(&self.theirs, &mut beginning[..], RecvFlags::DONTWAIT | RecvFlags::PEEK);
        let (size, _) = peeked.ok().filter(|(size, _)| *size > 0)?;
        Some(protocol::number_of(&beginning[..size.min(beginning.len())]))
    }

    /// What the worker has not taken yet.
    fn take_back(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut buffer = vec![0; protocol::MESSAGE];
        while let Ok((size @ 1.., _)) = recv(&self.theirs, &mut buffer[..], RecvFlags::DONTWAIT) {
            messages.push(buffer[..size].to_vec());
        }
        messages
    }
}

/// The calls of one worker.
pub(crate) struct Backlog {
    key: ScriptKey,
    calls: Calls,
    /// Makes numbers that nobody can guess: an answer that a script has left behind for another call doesn't fit it.
    numbers: RandomState,
    sent: AtomicU64,
    state: Mutex<State>,
    /// How many wait, or [`CLOSED`].
    length: AtomicU32,
    /// How many more may come.
    offered: AtomicU32,
}

#[derive(Default)]
struct State {
    /// It takes calls: one runs, and behind that others may wait.
    is_open: bool,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    tell: oneshot::Sender<Next>,
}

/// What becomes of a call that waits for a worker.
#[expect(clippy::large_enum_variant, reason = "it is the usual one")]
enum Next {
    /// The worker is on it.
    Runs(Turn, Worker),
    /// The worker has not seen it.
    TakenBack,
}

impl Backlog {
    /// The calls of a worker that has loaded the script `key`.
    pub(crate) fn new(key: ScriptKey, calls: Calls) -> Backlog {
        Backlog {
            key,
            calls,
            numbers: RandomState::new(),
            sent: AtomicU64::new(0),
            state: Mutex::default(),
            length: AtomicU32::new(CLOSED),
            offered: AtomicU32::new(0),
        }
    }

    /// The worker's script.
    pub(crate) fn key(&self) -> ScriptKey {
        self.key
    }

    /// A number for a call.
    pub(crate) fn number(&self) -> u64 {
        // Not the one of a worker that says that it is ready.
        self.numbers.hash_one(self.sent.fetch_add(1, Relaxed)) | 1
    }

    /// Sends the worker, which waits for a call, this one. False: it can't be reached.
    pub(crate) fn send(&self, frame: &[u8]) -> bool {
        self.calls.send(frame)
    }

    /// Tells the worker, which waits for a call, that one comes over the channel. False: it can't be reached.
    pub(crate) fn point_to_channel(&self) -> bool {
        self.calls.send(&ELSEWHERE)
    }

    /// The worker has been sent a call, and others may follow.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        state.is_open = true;
        self.count(&state);
    }

    /// Whether calls may come, or wait.
    pub(crate) fn is_open(&self) -> bool {
        let state = self.state();
        state.is_open || !state.waiting.is_empty()
    }

    /// Whether no call waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// How many calls wait or have been offered a place, if there is room for another one.
    pub(crate) fn room(&self) -> Option<u32> {
        let length = self.length.load(Relaxed).saturating_add(self.offered.load(Relaxed));
        (length < MOST).then_some(length)
    }

    /// Takes no more calls, and takes back those that the worker has not begun, unless it has yet to begin the one before them. True:
    /// it has begun others, so it has answered the call before them.
    pub(crate) fn take_back(&self) -> bool {
        self.take_back_from(false)
    }

    fn take_back_from(&self, has_ended: bool) -> bool {
        let mut taken = Vec::new();
        let is_ahead = {
            let mut state = self.state();
            state.is_open = false;
            if state.waiting.is_empty() {
                self.count(&state);
                return false;
            }
            // The call that runs, as far as the server knows, may lie there still. Were it taken out for a moment, the worker could begin
            // another one before it.
            let is_waiting = |number| state.waiting.iter().any(|waiting| Some(waiting.number) == number);
            if !has_ended && self.calls.next().is_some_and(|number| !is_waiting(number)) {
                self.count(&state);
                return false;
            }
            for message in self.calls.take_back() {
                let number = protocol::number_of(&message);
                // Without one it is what an ended worker was to run.
                if let Some(index) = state.waiting.iter().position(|waiting| Some(waiting.number) == number) {
                    taken.extend(state.waiting.remove(index));
                }
            }
            self.count(&state);
            !state.waiting.is_empty()
        };
        for Waiting { tell, .. } in taken {
            // Whoever has gone away needs nothing.
            let _ = tell.send(Next::TakenBack);
        }
        is_ahead
    }

    /// Whether the worker, which has ended, has left the call `number` where it was sent to.
    pub(crate) fn has_left(&self, number: u64) -> bool {
        let _state = self.state();
        let (own, others): (Vec<_>, Vec<_>) = self
            .calls
            .take_back()
            .into_iter()
            .partition(|message| protocol::number_of(message) == Some(number));
        for message in others {
            // There is room, since it was there before.
            self.calls.send(&message);
        }
        !own.is_empty()
    }

    /// The worker has ended: what it had begun is lost.
    pub(crate) fn end(&self) {
        self.take_back_from(true);
        let lost = std::mem::take(&mut self.state().waiting);
        drop(lost);
    }

    /// The call that the worker is on when it has answered one. `closes`: takes no more calls if there is none.
    pub(crate) fn next(&self, closes: bool) -> Option<Successor> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.is_open &= next.is_some() || !closes;
        self.count(&state);
        next.map(|Waiting { number, tell }| Successor { number, tell })
    }

    fn count(&self, state: &State) {
        let length = if state.is_open { state.waiting.len() as u32 } else { CLOSED };
        self.length.store(length, Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// A place that is kept for a call, until this is dropped.
pub(crate) struct Offer(Arc<Backlog>);

impl Offer {
    /// A place behind those that wait.
    pub(crate) fn of(backlog: &Arc<Backlog>) -> Offer {
        backlog.offered.fetch_add(1, Relaxed);
        Offer(Arc::clone(backlog))
    }

    /// Sends the worker a call to be run after those that it has. `None`: it takes none any more.
    pub(crate) fn take(self, call: &Call) -> Option<Place> {
        let Offer(backlog) = &self;
        let number = backlog.number();
        let frame = protocol::call(number, call).ok().filter(|frame| frame.len() <= protocol::MESSAGE)?;
        let (tell, told) = oneshot::channel();
        {
            // Nobody waits here for long for who takes calls back: a script can make that last.
            let mut state = backlog.state.try_lock_for(SENDING)?;
            if !state.is_open || !backlog.calls.send(&frame) {
                return None;
            }
            state.waiting.push_back(Waiting { number, tell });
            backlog.count(&state);
        }
        Some(Place { backlog: Arc::clone(backlog), number, told, limit: call.timeout + LAST })
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.0.offered.fetch_sub(1, Relaxed);
    }
}

/// The call that a worker has gone on to.
pub(crate) struct Successor {
    number: u64,
    tell: oneshot::Sender<Next>,
}

impl Successor {
    /// Hands the worker over to whoever made that call.
    pub(crate) fn take_over(self, turn: Turn, worker: Worker) {
        if let Err(Next::Runs(turn, worker)) = self.tell.send(Next::Runs(turn, worker)) {
            // Nobody waits for it any more.
            drop(Running::new(self.number, turn, worker));
        }
    }
}

/// A call that waits for a worker. Dropping it takes it back, and those that wait with it.
pub(crate) struct Place {
    backlog: Arc<Backlog>,
    number: u64,
    told: oneshot::Receiver<Next>,
    limit: Duration,
}

/// Why a call that waited for a worker isn't run by it.
pub(crate) enum Unserved {
    /// It waited for too long, or the worker takes no more calls. It has not begun.
    TakenBack,
    /// The worker might have begun it, and has ended, or doesn't say.
    Lost,
}

impl Place {
    /// Waits until the worker is on the call, or the call has been taken back.
    pub(crate) async fn wait(mut self) -> Result<Running, Unserved> {
        let start = Instant::now();
        let told = loop {
            match timeout(PATIENCE, &mut self.told).await {
                Ok(told) => break told,
                // If it was too late for that the worker is on it, or a script has taken it.
                Err(_) if start.elapsed() >= self.limit => return Err(Unserved::Lost),
                Err(_) => drop(self.backlog.take_back()),
            }
        };
        match told {
            Ok(Next::Runs(turn, worker)) => Ok(Running::new(self.number, turn, worker)),
            Ok(Next::TakenBack) => Err(Unserved::TakenBack),
            Err(_) => Err(Unserved::Lost),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.told.is_terminated() {
            return;
        }
        self.backlog.take_back();
        self.told.close();
        if let Ok(Next::Runs(turn, worker)) = self.told.try_recv() {
            drop(Running::new(self.number, turn, worker));
        }
    }
}

#[cfg(test)]
mod tests {
    use syncano_core::Runtime;

    use super::*;
    use crate::call::Arguments;
    use crate::script::Script;

    fn call() -> Call {
        let arguments = Arguments::direct("{}");
        Call { arguments, meta: "{}".to_owned(), timeout: Duration::from_secs(1) }
    }

    fn backlog_of(calls: Calls) -> Arc<Backlog> {
        let script = Script::new("instance", "script", Runtime::Python3, "", "{}");
        Arc::new(Backlog::new(script.key(), calls))
    }

    #[test]
    fn nobody_is_kept_waiting_by_a_thread_that_keeps_a_worker_s_calls() {
        let backlog = backlog_of(Calls::new().unwrap());
        backlog.open();
        let is_taken = || {
            std::thread::scope(|scope| {
                scope.spawn(|| Offer::of(&backlog).take(&call()).is_some()).join().unwrap()
            })
        };
        let kept = backlog.state();
        assert!(!is_taken());
        drop(kept);
        assert!(is_taken());
    }

    #[tokio::test]
    async fn nothing_is_taken_from_behind_a_call_that_has_not_begun() {
        let call = call();
        let calls = Calls::new().unwrap();
        let worker = calls.for_child().unwrap();
        let take = || {
            let mut message = vec![0; protocol::MESSAGE];
            let (size, _) = recv(&worker, &mut message[..], RecvFlags::DONTWAIT).ok()?;
            protocol::number_of(&message[..size])
        };
        let backlog = backlog_of(calls);
        let first = backlog.number();
        assert!(backlog.send(&protocol::call(first, &call).unwrap()));
        backlog.open();
        let mut second = Offer::of(&backlog).take(&call).unwrap();
        let third = Offer::of(&backlog).take(&call).unwrap();

        assert!(!backlog.take_back());
        assert!(second.told.try_recv().is_err() && Offer::of(&backlog).take(&call).is_none());
        assert_eq!(take(), Some(first));
        // Now it is ahead, on the second one.
        assert_eq!(take(), Some(second.number));
        assert!(backlog.take_back());
        assert!(matches!(third.wait().await, Err(Unserved::TakenBack)));
        assert!(second.told.try_recv().is_err() && take().is_none());
    }
}
