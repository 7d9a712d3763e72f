//! When a worker has served for long enough.
//!
//! What a script keeps from call to call, by intent or not, would end one of its calls some day. So its worker is replaced between
//! two calls, once it has grown: one that takes more than some hundred KB with each call, or nearly all from the start, may
//! still come to its end before. A number of calls says little about that, and a new worker is slow until its engine has learnt
//! what is called often.

/// A worker is looked at whenever it has served so many calls more.
const INTERVAL: u64 = 256;

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
    /// The memory that it had when it was first looked at.
    first: Option<u64>,
    is_over: bool,
}

impl Age {
    /// One more call has ended. `memory` tells how much the worker has, in bytes, as far as that is known. True: it serves no more.
    pub(crate) fn count(&mut self, lifespan: Lifespan, memory: impl FnOnce() -> Option<u64>) -> bool {
        self.calls += 1;
        self.is_over |= self.calls >= lifespan.calls;
        if self.calls.is_multiple_of(INTERVAL) {
            self.is_over |= match memory() {
                Some(memory) => self.has_grown(memory, lifespan.memory),
                None => self.calls >= UNSEEN,
            };
        }
        self.is_over
    }

    /// Whether it has taken half of what was left for it to take.
    fn has_grown(&mut self, memory: u64, limit: u64) -> bool {
        let first = *self.first.get_or_insert(memory);
        let half = limit.saturating_sub(first) / 2;
        memory.saturating_sub(first) > half.max(limit / GARBAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the calls is the last, where call `n` leaves a worker with the memory `after(n)`.
    fn last(lifespan: Lifespan, after: impl Fn(u64) -> u64) -> Option<u64> {
        let mut age = Age::default();
        (1..100_000).find(|&n| age.count(lifespan, || Some(after(n))))
    }

    #[test]
    fn whoever_grows_is_replaced_before_there_is_nothing_left() {
        let lifespan = Lifespan { calls: u64::MAX, memory: 1_000_000 };
        for step in [20, 100, 1_000] {
            let last = last(lifespan, |n| 200_000 + step * n).unwrap();
            assert!((600_000..1_000_000).contains(&(200_000 + step * last)), "{step}: {last}");
        }
    }

    #[test]
    fn whoever_is_large_from_the_start_is_not() {
        let lifespan = Lifespan { calls: u64::MAX, memory: 1_000_000 };
        for size in [900_000, 1_000_000, 1_100_000] {
            assert_eq!(last(lifespan, |n| size + n % 50_000), None);
        }
        assert_eq!(last(lifespan, |n| if n <= INTERVAL { 100_000 } else { 500_000 }), None);
    }

    #[test]
    fn what_is_over_stays_over() {
        let lifespan = Lifespan { calls: u64::MAX, memory: 1_000 };
        let mut age = Age::default();
        let ends: Vec<bool> = (1..=3 * INTERVAL)
            .map(|n| age.count(lifespan, || Some(if n == INTERVAL { 0 } else { 501 })))
            .collect();
        assert_eq!(ends.iter().position(|end| *end), Some(2 * INTERVAL as usize - 1));
        assert!(ends[2 * INTERVAL as usize - 1..].iter().all(|end| *end));
        let mut age = Age::default();
        assert!((1..10).all(|n| age.count(Lifespan { calls: 3, memory: 1_000 }, || Some(1)) == (n >= 3)));
        let mut unseen = Age::default();
        assert_eq!((1..).find(|_| unseen.count(lifespan, || None)), Some(UNSEEN.next_multiple_of(INTERVAL)));
    }
}
