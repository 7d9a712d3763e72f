//! A call that runs in a worker.

use crate::backlog::Successor;
use crate::call::Call;
use crate::lifespan::Lifespan;
use crate::outcome::{Outcome, Traffic};
use crate::pool::Turn;
use crate::worker::{Start, Then, Unsent, Worker};

/// A call that a worker is on. Dropping it ends the worker, unless that is on another call already.
pub(crate) struct Running {
    number: u64,
    start: Start,
    /// What the worker has not been sent of it yet.
    rest: Option<Vec<u8>>,
    /// Until the call has ended.
    place: Option<(Turn, Worker)>,
}

impl Running {
    /// The call `number`, which the worker has been sent.
    pub(crate) fn new(number: u64, turn: Turn, worker: Worker) -> Running {
        Running { number, start: Start::now(), rest: None, place: Some((turn, worker)) }
    }

    /// Sends the call to a worker that is on none.
    pub(crate) fn begin(mut turn: Turn, mut worker: Worker, call: &Call) -> Result<Running, Unsent> {
        let start = Start::now();
        match worker.begin(call) {
            Ok((number, rest)) => {
                if rest.is_none() && worker.is_quick() {
                    worker.backlog.open();
                    turn.share(&worker);
                }
                if turn.is_only() {
                    // No other call is to be sent: what is left to be done here can be done while the worker works.
                    std::thread::yield_now();
                }
                Ok(Running { number, start, rest, place: Some((turn, worker)) })
            }
            Err(Unsent::TooLarge(size)) => {
                turn.give_back(worker);
                Err(Unsent::TooLarge(size))
            }
            // Dropping it ends it.
            Err(Unsent::Unreachable) => Err(Unsent::Unreachable),
        }
    }

    /// Waits until the call has ended, which may have been the last one of its worker's `lifespan`. The error: how the worker has
    /// ended, without having begun the call.
    pub(crate) async fn end(mut self, call: &Call, lifespan: Lifespan) -> Result<Outcome, Outcome> {
        let Some((turn, worker)) = &mut self.place else {
            unreachable!("it is taken when the call has ended")
        };
        let (mut outcome, then) = worker.finish(self.number, self.start, self.rest.take(), call).await;
        let has_ended = matches!(then, Then::Ends | Then::EndedBefore);
        let is_used_up = worker.ages(lifespan, outcome.duration);
        let is_on_network = worker.proxy.as_ref().is_some_and(|proxy| proxy.is_used());
        if is_on_network {
            worker.distrust();
        }
        if then != Then::GoesOn || is_used_up || is_on_network {
            turn.unshare();
            worker.backlog.take_back();
        } else if !worker.is_quick() {
            turn.unshare();
        }
        let next = if has_ended { None } else { next(turn, worker) };
        outcome.traffic = match &worker.proxy {
            // Its connections can't be told from those of the call that it is on by now.
            Some(proxy) if next.is_some() => proxy.traffic(),
            Some(proxy) => proxy.end().await,
            None => Traffic::default(),
        };
        if let Some((turn, worker)) = self.place.take() {
            match next {
                Some(next) => {
                    turn.offer();
                    next.take_over(turn, worker);
                }
                None if has_ended || is_used_up => {}
                None => turn.give_back(worker),
            }
        }
        if then == Then::EndedBefore { Err(outcome) } else { Ok(outcome) }
    }
}

/// The call that the worker is on now. Without any nothing is sent to it from now on.
fn next(turn: &mut Turn, worker: &Worker) -> Option<Successor> {
    if !turn.is_shared() {
        return worker.backlog.next(true);
    }
    if let Some(next) = worker.backlog.next(false) {
        return Some(next);
    }
    // First nobody finds it any more, then it takes none: else there were a time at which calls try in vain.
    turn.unshare();
    let next = worker.backlog.next(true);
    if next.is_some() {
        turn.share(worker);
    }
    next
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((turn, mut worker)) = self.place.take()
            && worker.backlog.take_back()
            && let Some(next) = worker.backlog.next(true)
        {
            worker.forget(self.number);
            next.take_over(turn, worker);
        }
    }
}
