//! The way out for scripts. A worker's network has no interface but its own loopback, on which a [`Proxy`] of the server
//! listens; every connection of a script is one of the server's, made where the rules permit it.

mod addresses;
#[cfg(target_os = "linux")]
mod counted;
#[cfg(target_os = "linux")]
mod http;
#[cfg(target_os = "linux")]
mod outward;
#[cfg(target_os = "linux")]
mod proxy;
#[cfg(target_os = "linux")]
mod target;

pub use addresses::Addresses;
#[cfg(target_os = "linux")]
pub(crate) use outward::Outward;
#[cfg(target_os = "linux")]
pub(crate) use proxy::{PORT, Proxy};
