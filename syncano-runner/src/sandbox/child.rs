//! Carries out a plan in the child, between clone and exec.
//!
//! Nothing here allocates, locks or panics: the child is a copy of one thread of a process with many.

use std::convert::Infallible;
use std::io;

use libc::{c_int, c_long};

use super::plan::{ANY_ERROR, Plan};

/// Carries out `plan`, whose last step is exec; if a step fails, says which one and why on descriptor `report`, and ends.
pub(super) fn run(plan: &mut Plan, report: c_int) -> ! {
    let Err(failure) = carry_out(plan);
    // SAFETY: the number is valid for its length. If nobody reads it there is nobody left to tell.
    unsafe { libc::syscall(libc::SYS_write, report, failure.as_ptr(), failure.len()) };
    loop {
        // SAFETY: takes a number, and doesn't return.
        unsafe { libc::syscall(libc::SYS_exit_group, 127 as c_long) };
    }
}

/// The error is what is reported: the kernel's number for it, and the index of the step.
fn carry_out(plan: &mut Plan) -> Result<Infallible, [u8; 8]> {
    let mut index = 0;
    let mut error = libc::EINVAL;
    while let Some((step, [number, a, b, c, d, e, f])) = plan.step(index) {
        // SAFETY: plans are made in this module's siblings only. An address among the arguments is that of something in the
        // plan's memory, which lives as long as this process and is as large as the call needs; what the kernel writes to
        // was set aside for it (`Plan::room`). The calls change this process, which nobody else is part of: its
        // descriptors, its limits, its user, what it sees.
        let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        if result < 0 {
            error = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
        } else {
            // Where a larger one was wanted: the other end is closed.
            error = libc::ESRCH;
        }
        let is_allowed = result < 0 && (step.allowed == error || step.allowed == ANY_ERROR);
        if result < step.least && !is_allowed {
            break;
        }
        plan.note(index, result);
        index += 1;
    }
    let mut failure = [0; 8];
    let (number, step) = failure.split_at_mut(4);
    number.copy_from_slice(&error.to_ne_bytes());
    step.copy_from_slice(&(index as u32).to_ne_bytes());
    Err(failure)
}
