//! Users of their own for workers.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Users and groups that no one else uses: one of each per worker.
#[derive(Debug)]
pub(crate) struct Identities {
    first_uid: u32,
    first_gid: u32,
    workers: u32,
}

/// Above the ids that containers and service managers give out, below those that they reserve at the top.
const UNUSED: Range<u32> = 0x7000_0000..0x7ffe_0000;

/// Where only part of the ids exists: above system and ordinary users.
const FIRST_IN_A_SMALL_MAP: u32 = 10_000;

/// `nobody` and the id that stands for "none".
const NOBODY: u32 = 65_534;

const CAP_CHOWN: u64 = 1 << 0;
const CAP_SETGID: u64 = 1 << 6;
const CAP_SETUID: u64 = 1 << 7;
const CAP_SETPCAP: u64 = 1 << 8;
const CAP_NET_ADMIN: u64 = 1 << 12;
const CAP_SYS_ADMIN: u64 = 1 << 21;

/// The capabilities of this process.
fn capabilities() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(effective.trim(), 16).ok()
}

/// Whether this process may make namespaces and mounts, and set up a network, as it is.
pub(super) fn may_administer() -> bool {
    let needed = CAP_SYS_ADMIN | CAP_NET_ADMIN;
    capabilities().is_some_and(|capabilities| capabilities & needed == needed)
}

impl Identities {
    /// Identities for `workers` processes, if this process may change its own. The range is drawn at random, so that
    /// two servers on one machine hardly ever share a user.
    pub(crate) fn find(workers: u32) -> Option<Identities> {
        let needed = CAP_CHOWN | CAP_SETGID | CAP_SETUID | CAP_SETPCAP;
        if !rustix::process::geteuid().is_root() || capabilities()? & needed != needed {
            return None;
        }
        if fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim() == "deny") {
            return None;
        }
        let random = RandomState::new().hash_one(std::process::id());
        Some(Identities {
            first_uid: pick(&fs::read_to_string("/proc/self/uid_map").ok()?, workers, random)?,
            first_gid: pick(&fs::read_to_string("/proc/self/gid_map").ok()?, workers, random)?,
            workers,
        })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.workers).map(|seat| self.of(seat))
    }

    /// User and group of the worker in seat `seat`.
    pub(crate) fn of(&self, seat: u32) -> (u32, u32) {
        (self.first_uid + seat, self.first_gid + seat)
    }
}

/// The first of `count` ids in a row that exist according to `map` (a uid_map), drawn by `random`.
fn pick(map: &str, count: u32, random: u64) -> Option<u32> {
    let span = count.next_power_of_two();
    let usable = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().ok());
        let (first, _outside, length) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let mapped = first..first + length;
        if mapped.start <= u64::from(UNUSED.start) && u64::from(UNUSED.end) <= mapped.end {
            return Some(UNUSED);
        }
        let start = mapped.start.max(u64::from(FIRST_IN_A_SMALL_MAP));
        let end = if start < u64::from(NOBODY) { mapped.end.min(u64::from(NOBODY)) } else { mapped.end };
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        (start < end).then_some(start..end)
    });
    let range = usable.max_by_key(|range| range.end - range.start)?;
    let slots = (range.end - range.start) / span;
    let slot = (random % u64::from(slots.max(1))) as u32;
    (slots > 0).then(|| range.start + slot * span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_gives_the_unused_range() {
        for random in [0, 7, u64::MAX] {
            let first = pick("         0          0 4294967295\n", 64, random).unwrap();
            assert!(UNUSED.contains(&first) && UNUSED.contains(&(first + 63)));
        }
    }

    #[test]
    fn a_small_map_gives_what_it_has() {
        for random in [0, 7, u64::MAX] {
            let first = pick("0 100000 65536\n", 64, random).unwrap();
            assert!(first >= FIRST_IN_A_SMALL_MAP && first + 64 <= NOBODY);
        }
        let first = pick("0 1000 1\n1 100000 65536", 16, 3).unwrap();
        assert!(first >= FIRST_IN_A_SMALL_MAP);
    }

    #[test]
    fn a_map_without_room_gives_nothing() {
        assert_eq!(pick("0 1000 1\n", 1, 0), None);
        assert_eq!(pick("", 1, 0), None);
        assert_eq!(pick("0 0 10016", 64, 0), None);
    }
}
