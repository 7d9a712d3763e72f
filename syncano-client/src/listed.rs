//! Several sockets together: what `sockets!` expands to.

use crate::{Error, Instance, Plan, PublishAll, Socket};

/// A socket as `sockets!` sees it.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// Its endpoints' names; one for each function.
    pub endpoints: &'static [&'static str],
    /// Its definition.
    pub definition: fn() -> Socket,
}

/// The definitions of all sockets.
pub fn definitions(sockets: &[Listed]) -> Vec<Socket> {
    sockets.iter().map(|socket| (socket.definition)()).collect()
}

/// What publishing all sockets would change.
///
/// # Errors
/// As [`Instance::plan`].
pub async fn plan(instance: &Instance, sockets: &[Listed]) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    for socket in sockets {
        plans.push(instance.plan(&(socket.definition)()).await?);
    }
    Ok(plans)
}

/// Publishes all sockets when awaited.
pub fn publish(instance: &Instance, sockets: &[Listed]) -> PublishAll {
    PublishAll::new(instance, definitions(sockets))
}

/// What to say if the socket at `index` has the name of an earlier one, or an endpoint of its name.
pub const fn clash(sockets: &[Listed], index: usize) -> Option<Told> {
    let socket = &sockets[index];
    let mut other = 0;
    while other < index {
        let earlier = &sockets[other];
        if same(socket.name, earlier.name) {
            return Some(Told::new("two sockets are named `").and(socket.name).and("`: rename one of them"));
        }
        let mut own = 0;
        while own < socket.endpoints.len() {
            let endpoint = socket.endpoints[own];
            let mut theirs = 0;
            while theirs < earlier.endpoints.len() {
                if same(endpoint, earlier.endpoints[theirs]) {
                    let told = Told::new("the sockets `").and(earlier.name).and("` and `").and(socket.name);
                    let told = told.and("` both have an endpoint `").and(endpoint);
                    return Some(told.and("`: rename one of them"));
                }
                theirs += 1;
            }
            own += 1;
        }
        other += 1;
    }
    None
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// A text put together while the program is compiled.
#[derive(Debug)]
pub struct Told {
    /// Names are at most 64 characters of one byte each.
    bytes: [u8; 512],
    length: usize,
}

impl Told {
    const fn new(text: &str) -> Told {
        Told { bytes: [0; 512], length: 0 }.and(text)
    }

    const fn and(mut self, text: &str) -> Told {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = text[index];
            self.length += 1;
            index += 1;
        }
        self
    }

    /// The text.
    pub const fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            // Cut in the middle of a character.
            Err(_) => "two sockets share a name",
        }
    }
}
