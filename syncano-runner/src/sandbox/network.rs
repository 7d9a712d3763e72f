//! The network of a worker at the level `namespace`: a loopback interface, and on it a socket that listens for the server,
//! which gets it. The worker keeps nothing of it but the way there.

use std::ffi::CStr;

use libc::{c_int, c_long, c_ulong};

use super::child::{Failure, step};
use crate::network::PORT;

/// Connections that the kernel keeps until the server takes them.
const BACKLOG: c_long = 128;

/// Sets up the loopback interface and sends the listening socket over `report`. The caller may administer its network
/// namespace. Allocates nothing.
pub(super) fn open(report: c_int) -> Result<(), Failure> {
    set_up(c"lo")?;
    let socket = socket(libc::SOCK_STREAM)?;
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: PORT.to_be(),
        // Every address of the loopback network: aliases are among them.
        sin_addr: libc::in_addr { s_addr: libc::INADDR_ANY },
        sin_zero: [0; 8],
    };
    // SAFETY: `address` is of the size that is given and outlives the call, which only reads it.
    step("bind", unsafe {
        libc::syscall(
            libc::SYS_bind,
            socket,
            &address as *const libc::sockaddr_in,
            size_of::<libc::sockaddr_in>(),
        )
    })?;
    // SAFETY: numbers.
    step("listen", unsafe { libc::syscall(libc::SYS_listen, socket, BACKLOG) })?;
    send(report, socket)?;
    close(socket)
}

fn set_up(interface: &CStr) -> Result<(), Failure> {
    let socket = socket(libc::SOCK_DGRAM)?;
    // SAFETY: all zero is a value of this structure of numbers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.to_bytes()) {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: `request` outlives the call, which only reads it.
    let result = unsafe {
        libc::syscall(libc::SYS_ioctl, socket, libc::SIOCSIFFLAGS as c_ulong, &request as *const libc::ifreq)
    };
    step("set up the loopback interface", result)?;
    close(socket)
}

fn socket(kind: c_int) -> Result<c_int, Failure> {
    // SAFETY: numbers.
    let socket =
        unsafe { libc::syscall(libc::SYS_socket, libc::AF_INET, kind | libc::SOCK_CLOEXEC, 0 as c_long) };
    step("socket", socket)?;
    Ok(socket as c_int)
}

fn close(descriptor: c_int) -> Result<(), Failure> {
    // SAFETY: it was opened here, and nothing else knows of it.
    step("close", unsafe { libc::syscall(libc::SYS_close, descriptor) })
}

/// Sends a descriptor, and a byte to carry it.
fn send(report: c_int, descriptor: c_int) -> Result<(), Failure> {
    /// The kernel's `struct cmsghdr` and what follows it, at its alignment.
    #[repr(C)]
    struct Control {
        length: usize,
        level: c_int,
        kind: c_int,
        descriptor: c_int,
        rest: c_int,
    }
    let control = Control {
        length: 2 * size_of::<c_int>() + size_of::<usize>() + size_of::<c_int>(),
        level: libc::SOL_SOCKET,
        kind: libc::SCM_RIGHTS,
        descriptor,
        rest: 0,
    };
    let byte = 0u8;
    let part = libc::iovec { iov_base: (&raw const byte).cast_mut().cast(), iov_len: 1 };
    // SAFETY: all zero is a value of this structure of numbers and pointers.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = (&raw const part).cast_mut();
    message.msg_iovlen = 1;
    message.msg_control = (&raw const control).cast_mut().cast();
    message.msg_controllen = size_of::<Control>() as _;
    // SAFETY: `message` and all that it points to outlive the call, which only reads them.
    step("sendmsg", unsafe {
        libc::syscall(libc::SYS_sendmsg, report, &message as *const libc::msghdr, 0 as c_long)
    })
}
