//! What a new process does before it is a worker: a list of system calls, as data.
//!
//! A plan is made where memory can be had and errors be shown, and carried out where neither can: between clone and exec,
//! by [`super::child`], or in the child of a zygote, by `python/zygote.py`. It lies in one flat piece of memory, the calls
//! with their arguments and all that these point to, so that it can be sent to another process.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use libc::c_long;

/// A list of system calls.
///
/// Making one is safe; carrying it out is as safe as the calls that are in it, see [`super::child::carry_out`].
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Everything, in the kernel's layout; texts and structures begin at multiples of eight bytes.
    memory: Vec<u64>,
    /// Words that are counted from the beginning of the memory until it is known where that lies.
    addresses: Vec<usize>,
    /// What the arguments called [`Argument::Open`] stand for.
    descriptors: Vec<OwnedFd>,
    /// Words that are one of them, by its index.
    openings: Vec<(usize, usize)>,
    steps: Vec<Step>,
}

/// One system call.
#[derive(Debug)]
pub(super) struct Step {
    /// For the message, should it fail.
    pub(super) name: &'static str,
    /// Where its number and its six arguments are.
    at: usize,
    /// Any smaller result is a failure.
    pub(super) least: c_long,
    /// The error that is none; [`ANY_ERROR`]: whatever it is.
    pub(super) allowed: i32,
    /// The words whose lower half its result becomes.
    results: Vec<Half>,
}

/// Stands for all errors.
pub(super) const ANY_ERROR: i32 = i32::MAX;

/// A place in a plan's memory, in bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Four bytes of a plan's memory: an index of a word, and whether it is the upper half.
type Half = (usize, bool);

/// A descriptor that the plan brings along.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open(usize);

/// A step whose result others want.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepId(usize);

/// An argument of a system call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument<'a> {
    Number(i64),
    /// The address of a text's copy.
    Text(&'a CStr),
    /// The address of a copy of these words.
    Words(&'a [u64]),
    At(Place),
    Open(Open),
    Result(StepId),
}

macro_rules! number {
    ($($type:ty)*) => {
        $(impl From<$type> for Argument<'_> {
            fn from(number: $type) -> Self {
                Argument::Number(number as i64)
            }
        })*
    };
}
number!(i32 u32 i64 u64 usize);

impl<'a> From<&'a CStr> for Argument<'a> {
    fn from(text: &'a CStr) -> Self {
        Argument::Text(text)
    }
}

impl<'a> From<&'a [u64]> for Argument<'a> {
    fn from(words: &'a [u64]) -> Self {
        Argument::Words(words)
    }
}

impl From<Place> for Argument<'_> {
    fn from(place: Place) -> Self {
        Argument::At(place)
    }
}

impl From<Open> for Argument<'_> {
    fn from(open: Open) -> Self {
        Argument::Open(open)
    }
}

impl From<StepId> for Argument<'_> {
    fn from(step: StepId) -> Self {
        Argument::Result(step)
    }
}

impl Plan {
    /// Brings a descriptor along.
    pub(super) fn bring(&mut self, descriptor: OwnedFd) -> Open {
        self.descriptors.push(descriptor);
        Open(self.descriptors.len() - 1)
    }

    /// Adds a call, which must not fail.
    pub(super) fn call<const N: usize>(
        &mut self,
        name: &'static str,
        number: c_long,
        arguments: [Argument<'_>; N],
    ) -> StepId {
        const { assert!(N <= 6, "the kernel takes six") };
        // What the arguments point to lies before the call.
        let values = arguments.map(|argument| match argument {
            Argument::Text(text) => Argument::At(self.bytes(text.to_bytes_with_nul())),
            Argument::Words(words) => Argument::At(self.words(words)),
            other => other,
        });
        let at = self.memory.len();
        self.memory.push(number as u64);
        self.memory.resize(at + 7, 0);
        let id = StepId(self.steps.len());
        self.steps.push(Step { name, at, least: 0, allowed: 0, results: Vec::new() });
        for (word, value) in (at + 1..).zip(values) {
            match value {
                Argument::Number(number) => self.memory[word] = number as u64,
                Argument::At(place) => self.point(word, place),
                Argument::Open(Open(index)) => self.openings.push((word, index)),
                Argument::Result(step) => self.steps[step.0].results.push((word, false)),
                Argument::Text(_) | Argument::Words(_) => unreachable!("these have become places"),
            }
        }
        id
    }

    /// Adds a call that may fail with `error`.
    pub(super) fn call_or<const N: usize>(
        &mut self,
        error: i32,
        name: &'static str,
        number: c_long,
        arguments: [Argument<'_>; N],
    ) -> StepId {
        let id = self.call(name, number, arguments);
        self.steps[id.0].allowed = error;
        id
    }

    /// Takes smaller results of a call for failures, too.
    pub(super) fn at_least(&mut self, step: StepId, least: c_long) {
        self.steps[step.0].least = least;
    }

    /// Room for `size` bytes that a call writes.
    pub(super) fn room(&mut self, size: usize) -> Place {
        self.words(&vec![0; size.div_ceil(8)])
    }

    /// A copy of `words`.
    pub(super) fn words(&mut self, words: &[u64]) -> Place {
        let place = Place(8 * self.memory.len());
        self.memory.extend(words);
        place
    }

    /// A copy of `bytes`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Place {
        let place = Place(8 * self.memory.len());
        self.memory.extend(bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        }));
        place
    }

    /// A list of addresses of texts, with a null pointer at its end, as execve wants it.
    pub(super) fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a CStr>) -> Place {
        let texts: Vec<Place> = texts.into_iter().map(|text| self.bytes(text.to_bytes_with_nul())).collect();
        let list = self.words(&vec![0; texts.len() + 1]);
        for (index, text) in texts.into_iter().enumerate() {
            self.point(list.0 / 8 + index, text);
        }
        list
    }

    /// Makes the word `index` words after `place` the address of `target`.
    pub(super) fn link(&mut self, place: Place, index: usize, target: Place) {
        self.point(place.0 / 8 + index, target);
    }

    /// Writes a step's result, a number below 2³¹, into the four bytes that lie `offset` bytes after `place`.
    pub(super) fn write_result(&mut self, step: StepId, place: Place, offset: usize) {
        let at = place.0 + offset;
        debug_assert!(at.is_multiple_of(4) && at / 8 < self.memory.len());
        self.steps[step.0].results.push((at / 8, !at.is_multiple_of(8)));
    }

    fn point(&mut self, word: usize, target: Place) {
        self.memory[word] = target.0 as u64;
        self.addresses.push(word);
    }

    /// Settles addresses and descriptors for this process and its copies. Once, and last.
    pub(super) fn settle(&mut self) {
        // The kernel will read and write through these addresses.
        let base = self.memory.as_mut_ptr().expose_provenance() as u64;
        for &word in &self.addresses {
            self.memory[word] += base;
        }
        for &(word, index) in &self.openings {
            self.memory[word] = self.descriptors[index].as_raw_fd() as u64;
        }
    }

    /// What is needed to carry out step `index`: what there is to know of it, its number and its arguments. Allocates nothing.
    pub(super) fn step(&self, index: usize) -> Option<(&Step, [c_long; 7])> {
        let step = self.steps.get(index)?;
        let words = self.memory.get(step.at..)?.first_chunk::<7>()?;
        Some((step, words.map(|word| word as c_long)))
    }

    /// Writes the result of step `index` to where it is wanted. Allocates nothing.
    pub(super) fn note(&mut self, index: usize, result: c_long) {
        let Some(step) = self.steps.get(index) else { return };
        for &(word, is_upper) in &step.results {
            let Some(word) = self.memory.get_mut(word) else { continue };
            let result = u64::from(result as u32);
            // Every processor that there are filters for is a little-endian one.
            *word = if is_upper { *word & 0xffff_ffff | result << 32 } else { *word & !0xffff_ffff | result };
        }
    }

    /// Closes what it brings along, and says how its steps are called.
    pub(super) fn into_names(self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would find at an address.
    fn word_at(plan: &Plan, address: u64) -> u64 {
        let base = plan.memory.as_ptr() as u64;
        plan.memory[usize::try_from(address - base).unwrap() / 8]
    }

    #[test]
    fn arguments_point_into_the_plan() {
        let mut plan = Plan::default();
        let list = plan.texts([c"one", c"a longer text"]);
        let open = plan.bring(std::fs::File::open("/dev/null").unwrap().into());
        let first = plan.call("first", 1, [(-1).into(), c"text".into(), open.into()]);
        plan.call("second", 2, [list.into(), first.into()]);
        plan.settle();
        plan.note(0, 77);
        let (step, [number, minus, text, descriptor, ..]) = plan.step(0).unwrap();
        assert_eq!((step.name, number, minus), ("first", 1, -1));
        assert_eq!(word_at(&plan, text as u64).to_le_bytes(), *b"text\0\0\0\0");
        assert_eq!(descriptor, c_long::from(plan.descriptors[0].as_raw_fd()));
        let (_, [_, list, result, none, ..]) = plan.step(1).unwrap();
        assert_eq!((result, none), (77, 0));
        let long = word_at(&plan, list as u64 + 8);
        assert_eq!(word_at(&plan, long + 8).to_le_bytes(), *b" text\0\0\0");
        assert_eq!(word_at(&plan, list as u64 + 16), 0);
        assert!(plan.step(2).is_none());
    }

    #[test]
    fn results_are_written_beside_what_is_there() {
        let mut plan = Plan::default();
        let place = plan.words(&[0x1111_1111_2222_2222, 0x3333_3333_4444_4444]);
        let step = plan.call("step", 1, []);
        plan.write_result(step, place, 4);
        plan.write_result(step, place, 8);
        plan.note(0, 0x55);
        assert_eq!(plan.memory[..2], [0x55_2222_2222, 0x3333_3333_0000_0055]);
    }
}
