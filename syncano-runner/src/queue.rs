//! The calls that wait, by instance.
//!
//! Instances are served in turn, the calls of one instance in the order in which they came: when a worker is to be had,
//! another's first call waits for one call of each at most, however many they have, and for the few that may pass it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::interpreter::InterpreterId;
use crate::pool::{Granted, Refusal};
use crate::script::ScriptKey;

/// A call that waits.
pub(crate) struct Waiter {
    /// Set by [`Queue::push`].
    pub(crate) id: u64,
    pub(crate) instance: Arc<str>,
    /// The script whose workers will do; `None`: only a process that has served nobody.
    pub(crate) key: Option<ScriptKey>,
    /// Whose processes will do.
    pub(crate) interpreter: InterpreterId,
    /// A worker that is on another call will do.
    pub(crate) joins: bool,
    /// How many calls that came later have been served before it.
    pub(crate) passed: u32,
    pub(crate) grant: oneshot::Sender<Result<Granted, Refusal>>,
}

/// The calls that wait.
#[derive(Default)]
pub(crate) struct Queue {
    /// None of them is empty.
    waiting: HashMap<Arc<str>, VecDeque<Waiter>>,
    /// Whose turn it is; each instance once.
    order: VecDeque<Arc<str>>,
    length: usize,
    next_id: u64,
}

impl Queue {
    /// How many calls wait.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many instances have calls that wait.
    pub(crate) fn instances(&self) -> usize {
        self.order.len()
    }

    /// Appends a call and returns its number. Where `max` calls wait already, the last one of the instance that has most of
    /// them makes room, and is returned; if that is the new one's own instance, the new one is refused.
    pub(crate) fn push(&mut self, mut waiter: Waiter, max: usize) -> Result<(u64, Option<Waiter>), Refusal> {
        let mut refused = None;
        if self.length >= max {
            let own = self.waiting.get(&waiter.instance).map_or(0, VecDeque::len);
            let longest = self.waiting.iter().max_by_key(|(_, waiters)| waiters.len());
            let Some((instance, id)) = longest
                .filter(|(_, waiters)| waiters.len() > own + 1)
                .and_then(|(instance, waiters)| Some((Arc::clone(instance), waiters.back()?.id)))
            else {
                return Err(Refusal::Full);
            };
            refused = self.remove(&instance, id);
        }
        let id = self.next_id;
        self.next_id += 1;
        waiter.id = id;
        let instance = Arc::clone(&waiter.instance);
        let waiters = self.waiting.entry(Arc::clone(&instance)).or_default();
        if waiters.is_empty() {
            self.order.push_back(instance);
        }
        waiters.push_back(waiter);
        self.length += 1;
        Ok((id, refused))
    }

    /// The first call of the instance whose turn comes after `place` others.
    pub(crate) fn front(&self, place: usize) -> Option<(Arc<str>, &Waiter)> {
        let instance = self.order.get(place)?;
        Some((Arc::clone(instance), self.waiting.get(instance)?.front()?))
    }

    /// Which call of that instance is the first whose script is `wanted`.
    pub(crate) fn position(&self, place: usize, wanted: impl Fn(ScriptKey) -> bool) -> Option<usize> {
        let waiters = self.waiting.get(self.order.get(place)?)?;
        waiters.iter().position(|waiter| waiter.key.is_some_and(&wanted))
    }

    /// The script of that call.
    pub(crate) fn key_at(&self, place: usize, index: usize) -> Option<ScriptKey> {
        self.waiting.get(self.order.get(place)?)?.get(index)?.key
    }

    /// Notes that another call is served before the first one of that instance.
    pub(crate) fn pass(&mut self, place: usize) {
        let waiters = self.order.get(place).and_then(|instance| self.waiting.get_mut(instance));
        if let Some(waiter) = waiters.and_then(VecDeque::front_mut) {
            waiter.passed += 1;
        }
    }

    /// Takes a call out; its instance's next turn comes after those of all others.
    pub(crate) fn take(&mut self, place: usize, index: usize) -> Option<Waiter> {
        let instance = self.order.remove(place)?;
        let waiters = self.waiting.get_mut(&instance)?;
        let waiter = waiters.remove(index);
        if waiters.is_empty() {
            self.waiting.remove(&instance);
        } else {
            self.order.push_back(instance);
        }
        self.length -= usize::from(waiter.is_some());
        waiter
    }

    /// Takes a call out that waits no longer, if it is still there.
    pub(crate) fn remove(&mut self, instance: &str, id: u64) -> Option<Waiter> {
        let waiters = self.waiting.get_mut(instance)?;
        let index = waiters.binary_search_by_key(&id, |waiter| waiter.id).ok()?;
        let waiter = waiters.remove(index);
        if waiters.is_empty() {
            self.waiting.remove(instance);
            self.order.retain(|other| &**other != instance);
        }
        self.length -= 1;
        waiter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(instance: &str) -> Waiter {
        let (grant, _) = oneshot::channel();
        let interpreter = InterpreterId { language: syncano_core::Language::Python, environment: None };
        Waiter { id: 0, instance: instance.into(), key: None, interpreter, joins: false, passed: 0, grant }
    }

    fn fill(queue: &mut Queue, instances: &str, max: usize) -> Vec<Result<Option<String>, Refusal>> {
        let push = |instance: char| {
            let pushed = queue.push(waiter(&instance.to_string()), max);
            pushed.map(|(_, refused)| refused.map(|waiter| waiter.instance.to_string()))
        };
        instances.chars().map(push).collect()
    }

    #[test]
    fn instances_take_turns() {
        let mut queue = Queue::default();
        fill(&mut queue, "aaaabbc", 100);
        let mut order = String::new();
        while let Some(waiter) = queue.take(0, 0) {
            order.push_str(&waiter.instance);
        }
        assert_eq!((&*order, queue.len(), queue.instances()), ("abcabaa", 0, 0));
    }

    #[test]
    fn the_longest_queue_makes_room() {
        let mut queue = Queue::default();
        assert!(fill(&mut queue, "aaaa", 4).iter().all(Result::is_ok));
        assert_eq!(fill(&mut queue, "a", 4), [Err(Refusal::Full)]);
        assert_eq!(fill(&mut queue, "bb", 4), [Ok(Some("a".to_owned())), Ok(Some("a".to_owned()))]);
        assert_eq!(fill(&mut queue, "b", 4), [Err(Refusal::Full)]);
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn a_call_that_goes_away_leaves_nothing() {
        let mut queue = Queue::default();
        let ids: Vec<u64> =
            (0..3).filter_map(|_| queue.push(waiter("a"), 9).ok()).map(|(id, _)| id).collect();
        for id in [ids[1], ids[1], ids[0], ids[2]] {
            queue.remove("a", id);
        }
        assert!(queue.is_empty() && queue.instances() == 0);
    }
}
