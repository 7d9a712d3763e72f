//! When a worker has served for long enough.
//!
//! What a script keeps from call to call, by intent or not, would end one of its calls some day. So its worker is replaced between
//! two calls, once it has grown steadily; one that takes most of what is left with a single call may still come to its end before.
//! A number of calls says little about that, and a new worker is slow until its engine has learnt what is called often.

use std::time::Duration;

/// A worker is looked at whenever it has served so many calls more.
const INTERVAL: u64 = 256;

/// And whenever it has worked for so long: to take memory takes time, some 100 µs per MiB, and looking takes 10 µs.
const WORK: Duration = Duration::from_millis(2);

/// Where nothing can be seen of a worker's memory it serves so many calls.
const UNSEEN: u64 = 100_000;

/// What a worker may grow by, however little there is left, as a part of all that it may have: some of it is garbage.
const GARBAGE: u64 = 16;

/// For how long workers serve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifespan {
    /// So many calls, whether they have grown or not.
    pub(crate) calls: u64,
    /// The memory that one may have, in bytes.
    pub(crate) memory: u64,
}

/// How far a worker is.
#[derive(Debug, Default)]
pub(crate) struct Age {
    calls: u64,
    /// For how long it has worked since it was last looked at.
    work: Duration,
    /// Until when it was last looked at, and until when it needn't be, in calls.
    looked: u64,
    next: Option<u64>,
    growth: Option<Growth>,
    is_over: bool,
}

/// The memory that a worker had, in bytes.
#[derive(Debug)]
struct Growth {
    /// When it was first looked at.
    first: u64,
    /// When it was last looked at.
    last: u64,
    /// The largest step from one look to the next: it is taken for something that was loaded, and is there to stay.
    step: u64,
}

impl Age {
    /// One more call has ended, which took `work`. `memory` tells how much the worker has, in bytes, as far as that is known.
    /// True: it serves no more.
    pub(crate) fn count(
        &mut self,
        lifespan: Lifespan,
        work: Duration,
        memory: impl FnOnce() -> Option<u64>,
    ) -> bool {
        self.calls += 1;
        self.work += work;
        self.is_over |= self.calls >= lifespan.calls;
        if self.calls >= self.next.unwrap_or(INTERVAL) || self.work >= WORK {
            let interval = match memory() {
                Some(memory) => self.look(memory, lifespan.memory),
                None => {
                    self.is_over |= self.calls >= UNSEEN;
                    INTERVAL
                }
            };
            self.work = Duration::ZERO;
            self.looked = self.calls;
            self.next = Some(self.calls + interval);
        }
        self.is_over
    }

    /// Whether it has steadily taken half of what was left for it to take. Returns after how many calls to look again: at the pace of
    /// the last ones, when half of what it may still take will be gone.
    fn look(&mut self, memory: u64, limit: u64) -> u64 {
        let Some(growth) = &mut self.growth else {
            self.growth = Some(Growth { first: memory, last: memory, step: 0 });
            return INTERVAL;
        };
        let step = memory.saturating_sub(growth.last);
        growth.last = memory;
        growth.step = growth.step.max(step);
        let steady = memory.saturating_sub(growth.first).saturating_sub(growth.step);
        let left = limit.saturating_sub(growth.first).saturating_sub(growth.step);
        let allowed = (left / 2).max(limit / GARBAGE);
        self.is_over |= steady > allowed;
        let calls = self.calls - self.looked;
        match step {
            0 => INTERVAL,
            _ => (calls.saturating_mul(allowed.saturating_sub(steady)) / step / 2).clamp(1, INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(50);
    const LIMIT: u64 = 200_000_000;

    /// Which of the calls is the last, where call `n` takes `work` and leaves a worker with the memory `after(n)`.
    fn last(work: Duration, after: impl Fn(u64) -> u64) -> Option<u64> {
        let lifespan = Lifespan { calls: u64::MAX, memory: LIMIT };
        let mut age = Age::default();
        (1..100_000).find(|&n| age.count(lifespan, work, || Some(after(n))))
    }

    #[test]
    fn what_grows_is_replaced_before_there_is_nothing_left() {
        // By so many bytes with each call, whenever that begins.
        for begin in [0, 1_000] {
            for step in [3_000, 100_000, 1_000_000, 5_000_000, 20_000_000] {
                // Memory has to be written to.
                let work = QUICK + Duration::from_micros(step / 20_000);
                let size = |n: u64| 20_000_000 + step * n.saturating_sub(begin);
                let last = last(work, size).unwrap();
                assert!((60_000_000..LIMIT - step).contains(&size(last)), "{begin} {step}: {last}");
            }
        }
    }

    #[test]
    fn what_is_large_from_the_start_is_not() {
        for size in [180_000_000, 200_000_000, 220_000_000] {
            assert_eq!(last(QUICK, |n| size + n % 10_000_000), None);
        }
        // Nor what loads something large, early or late.
        for loads in [1, 2, 10, 300, 5_000] {
            for work in [QUICK, WORK] {
                assert_eq!(last(work, |n| if n < loads { 20_000_000 } else { 150_000_000 }), None, "{loads}");
            }
        }
    }

    #[test]
    fn quick_calls_that_do_not_grow_are_seldom_looked_at() {
        let lifespan = Lifespan { calls: u64::MAX, memory: LIMIT };
        let mut age = Age::default();
        let mut looks = 0;
        for _ in 0..100_000 {
            age.count(lifespan, QUICK, || {
                looks += 1;
                Some(20_000_000)
            });
        }
        assert!((300..=100_000 / 40).contains(&looks), "{looks}");
    }

    #[test]
    fn what_is_over_stays_over() {
        let lifespan = Lifespan { calls: u64::MAX, memory: 1_000 };
        let mut age = Age::default();
        let sizes = [0, 200, 400, 600, 800, 0, 0];
        let ends: Vec<bool> = sizes.map(|size| age.count(lifespan, WORK, || Some(size))).into();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        let mut age = Age::default();
        let lifespan = Lifespan { calls: 3, memory: 1_000 };
        assert!((1..10).all(|n| age.count(lifespan, QUICK, || Some(1)) == (n >= 3)));
        let mut unseen = Age::default();
        let lifespan = Lifespan { calls: u64::MAX, memory: 1_000 };
        let end = (1..).find(|_| unseen.count(lifespan, QUICK, || None));
        assert!(end.is_some_and(|end| (UNSEEN..UNSEEN + INTERVAL).contains(&end)), "{end:?}");
    }
}
