//! Which changes of the database the catalog has.
//!
//! Every change has a number. Other processes make some, and what they have changed has to be read; this server's own are
//! in its catalog anyway. Reading everything takes as long as a start, so it is not done for what is known.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Seen(Mutex<Numbers>);

#[derive(Default)]
struct Numbers {
    /// All changes up to this one are in the catalog.
    up_to: i64,
    /// Later ones that are, too: others lie between.
    announced: BTreeSet<i64>,
}

impl Numbers {
    fn advance(&mut self) {
        while self.announced.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
    }
}

impl Seen {
    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        // Nothing panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a change of routes, before it is committed: whoever polls meanwhile must not take it for another process's. Until
    /// it is in the catalog, whoever makes it holds `publishing`, for which reading everything waits.
    pub(crate) fn announce(&self, change: i64) {
        let mut numbers = self.numbers();
        numbers.announced.insert(change);
        numbers.advance();
    }

    /// The change was not committed: the next one has its number.
    pub(crate) fn withdraw(&self, change: i64) {
        let mut numbers = self.numbers();
        numbers.announced.remove(&change);
        numbers.up_to = numbers.up_to.min(change - 1);
    }

    /// Notes that any other change is about to be in the catalog: before it is put there, since what is read from the
    /// database meanwhile may be older and is then read again. If another process made a change in between, that one
    /// still has to be read, and this one with it.
    pub(crate) fn saw(&self, change: i64) {
        let mut numbers = self.numbers();
        if numbers.up_to == change - 1 {
            numbers.up_to = change;
            numbers.advance();
        }
    }

    /// Everything was read, at least as it was after this change.
    pub(crate) fn read(&self, change: i64) {
        let mut numbers = self.numbers();
        numbers.up_to = change;
        numbers.announced.retain(|announced| *announced > change);
        numbers.advance();
    }

    /// Whether changes up to this one are missing.
    pub(crate) fn lacks(&self, change: i64) -> bool {
        self.numbers().up_to < change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_changes_are_not_read_again_and_others_are() {
        let seen = Seen::default();
        seen.read(5);
        // While it is being committed, and after.
        seen.announce(6);
        assert!(!seen.lacks(6));
        seen.saw(7);
        assert!(!seen.lacks(7));
        // 8 is another process's.
        seen.announce(9);
        assert!(seen.lacks(9));
        seen.announce(10);
        seen.read(8);
        assert!(!seen.lacks(10));
        seen.announce(11);
        seen.withdraw(11);
        assert!(!seen.lacks(10) && seen.lacks(11));
    }

    #[test]
    fn what_was_put_into_the_catalog_while_everything_was_read_is_read_again() {
        let seen = Seen::default();
        seen.read(5);
        seen.saw(6);
        seen.announce(7);
        // As it was after 5: an account of 6 may be gone again, routes of 7 are not.
        seen.read(5);
        assert!(seen.lacks(7));
        seen.read(7);
        assert!(!seen.lacks(7));
    }
}
