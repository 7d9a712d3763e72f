//! The network of a worker at the level `namespace`: a loopback interface, and on it a socket that listens for the server,
//! which gets it. The worker keeps nothing of it but the way there.

use libc::c_int;

use super::plan::{Argument, Plan, StepId};
use crate::network::PORT;

/// Connections that the kernel keeps until the server takes them.
const BACKLOG: c_int = 128;

/// Sets up the loopback interface, and sends the socket that listens on it over `report`, with a byte to carry it. To be
/// done while the process may administer its network.
pub(super) fn open(plan: &mut Plan, report: Argument<'_>) {
    set_up_loopback(plan);
    let listener = socket(plan, libc::SOCK_STREAM);
    // The kernel's `struct sockaddr_in`. Every address of the loopback network: aliases are among them.
    let mut address = [0; 16];
    address[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&PORT.to_be_bytes());
    let address = plan.bytes(&address);
    plan.call("bind", libc::SYS_bind, [listener.into(), address.into(), 16.into()]);
    plan.call("listen", libc::SYS_listen, [listener.into(), BACKLOG.into()]);
    send(plan, report, listener);
    close(plan, listener);
}

fn set_up_loopback(plan: &mut Plan) {
    let socket = socket(plan, libc::SOCK_DGRAM);
    // The kernel's `struct ifreq`: a name of 16 bytes, then here the flags.
    let mut request = [0; size_of::<libc::ifreq>()];
    request[..2].copy_from_slice(b"lo");
    request[16..18].copy_from_slice(&(libc::IFF_UP as u16).to_ne_bytes());
    let request = plan.bytes(&request);
    let arguments = [socket.into(), libc::SIOCSIFFLAGS.into(), request.into()];
    plan.call("set up the loopback interface", libc::SYS_ioctl, arguments);
    close(plan, socket);
}

fn socket(plan: &mut Plan, kind: c_int) -> StepId {
    let kind = kind | libc::SOCK_CLOEXEC;
    plan.call("socket", libc::SYS_socket, [libc::AF_INET.into(), kind.into(), 0.into()])
}

fn close(plan: &mut Plan, descriptor: StepId) {
    plan.call("close", libc::SYS_close, [descriptor.into()]);
}

fn send(plan: &mut Plan, report: Argument<'_>, descriptor: StepId) {
    let byte = plan.bytes(&[0]);
    // The kernel's `struct iovec`: where the byte is, and that it is one.
    let part = plan.words(&[0, 1]);
    plan.link(part, 0, byte);
    // Its `struct cmsghdr`: the length, level and type, and the descriptor.
    const HEADER: usize = 16;
    let length = HEADER + size_of::<c_int>();
    let kind = u64::from(libc::SOL_SOCKET as u32) | u64::from(libc::SCM_RIGHTS as u32) << 32;
    let control = plan.words(&[length as u64, kind, 0]);
    plan.write_result(descriptor, control, HEADER);
    // Its `struct msghdr`: no address (two words), one part, the above with its length, no flags.
    let message = plan.words(&[0, 0, 0, 1, 0, HEADER as u64 + 8, 0]);
    plan.link(message, 2, part);
    plan.link(message, 4, control);
    plan.call("sendmsg", libc::SYS_sendmsg, [report, message.into(), 0.into()]);
}
