//! Requests per second, where the operator bounds them: of an instance, of an account outside instances, and of an
//! address without a key.
//!
//! They are counted by the second, as the platform always did. A second's counts are thrown away with it, which
//! bounds what they take by the connections that can be made in a second.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;

use crate::app::App;
use crate::auth::{self, Caller, Manager};
use crate::errors::ApiError;
use crate::request::Head;

/// Whoever watches whether the server is up isn't counted.
const UNCOUNTED: &str = "/health";

/// Requests per second; `None` is any number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    pub(crate) instance: Option<NonZeroU32>,
    pub(crate) account: Option<NonZeroU32>,
    pub(crate) anonymous: Option<NonZeroU32>,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Instance(i64),
    Account(i64),
    Address(IpAddr),
}

/// Counts requests.
pub(crate) struct Throttle {
    started: Instant,
    current: Mutex<Second>,
}

#[derive(Default)]
struct Second {
    /// Since the server started.
    number: u64,
    counts: HashMap<Subject, u32>,
}

impl Throttle {
    pub(crate) fn new() -> Throttle {
        Throttle { started: Instant::now(), current: Mutex::default() }
    }

    /// Counts a request; `false`: it is one too many in its second.
    fn admit(&self, subject: Subject, rate: NonZeroU32, second: u64) -> bool {
        // Counts are right after a panic, too.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if second > current.number {
            *current = Second { number: second, counts: HashMap::new() };
        }
        let count = current.counts.entry(subject).or_default();
        *count = count.saturating_add(1);
        *count <= rate.get()
    }
}

/// 429 for one request too many.
pub(crate) fn refusal(app: &App, head: &Head) -> Option<Response> {
    let Rates { instance, account, anonymous } = app.settings.rates;
    if instance.is_none() && account.is_none() && anonymous.is_none() {
        return None;
    }
    let (subject, rate) = subject(app, head)?;
    let second = app.throttle.started.elapsed().as_secs();
    if app.throttle.admit(subject, rate, second) {
        return None;
    }
    let whose = match subject {
        Subject::Instance(_) => "for this instance",
        Subject::Account(_) => "for one account outside instances",
        Subject::Address(_) => "without a key from one address",
    };
    let text = format!("more than {rate} requests per second {whose}: wait a second");
    let mut response = ApiError::Detail(StatusCode::TOO_MANY_REQUESTS, text).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    Some(response)
}

/// Whose request this is, and how many there may be; `None`: any number.
fn subject(app: &App, head: &Head) -> Option<(Subject, NonZeroU32)> {
    let Rates { instance, account, anonymous } = app.settings.rates;
    if let Some(id) = instance_of(app, head.path()) {
        return Some((Subject::Instance(id), instance?));
    }
    if head.path() == UNCOUNTED || (account.is_none() && anonymous.is_none()) {
        return None;
    }
    match auth::caller(app, head) {
        Ok(Some(Caller::Manager(Manager::Account(found)))) => Some((Subject::Account(found.id), account?)),
        Ok(Some(Caller::Manager(Manager::Token(id)))) => Some((Subject::Instance(id), instance?)),
        Ok(Some(Caller::ApiKey(api_key))) => Some((Subject::Instance(api_key.instance), instance?)),
        Ok(None) | Err(_) => Some((Subject::Address(network(head.peer.ip())), anonymous?)),
    }
}

/// The instance whose folder a path is in.
fn instance_of(app: &App, path: &str) -> Option<i64> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let (_version, folder, name) = (segments.next()?, segments.next()?, segments.next()?);
    if folder != "instances" || name.is_empty() {
        return None;
    }
    let name = percent_decode_str(name).decode_utf8().ok()?;
    app.catalog.instance(&name).map(|instance| instance.id)
}

/// One caller has as many addresses as he likes where there are many.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

    #[test]
    fn every_subject_has_its_own_count_in_every_second() {
        let throttle = Throttle::new();
        let (one, other) = (Subject::Instance(1), Subject::Account(1));
        let admitted = |subject, second| throttle.admit(subject, TWO, second);
        assert_eq!([admitted(one, 0), admitted(one, 0), admitted(one, 0)], [true, true, false]);
        assert!(admitted(other, 0) && !admitted(one, 0));
        assert_eq!([admitted(one, 1), admitted(one, 1), admitted(one, 1)], [true, true, false]);
        // A request that took its time to be counted.
        assert!(!admitted(one, 0));
        assert_eq!(throttle.current.lock().unwrap().counts.len(), 1);
        assert!(admitted(one, 7));
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
