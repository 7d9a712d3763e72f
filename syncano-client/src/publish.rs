//! Publishing: create, update or nothing, and never over somebody else's change.

use http::StatusCode;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use syncano_core::{Severity, Socket, SocketStatus, Violations, normalize, route};

use crate::{Error, Instance};

/// The key under which a publish names the revision that it was made from.
const EXPECTED_REVISION: &str = "expected_revision";

/// A socket on the server, as it was when last read.
#[derive(Debug, Clone)]
pub struct Published {
    instance: Instance,
    definition: Socket,
    state: State,
    change: Change,
}

/// What publishing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The socket is new.
    Created,
    /// The socket was there and differed.
    Updated,
    /// The socket was there, just so; nothing was written.
    Unchanged,
}

/// What the server says about a socket beside its definition.
#[derive(Debug, Clone, Deserialize)]
struct State {
    status: SocketStatus,
    #[serde(default)]
    status_info: String,
    revision: u64,
}

impl Published {
    fn read(instance: &Instance, request: &str, answer: Value, change: Change) -> Result<Published, Error> {
        let unreadable = |source: serde_json::Error, answer: &Value| Error::Decode {
            request: request.to_owned(),
            source,
            body: answer.to_string().into(),
        };
        let state = State::deserialize(&answer).map_err(|source| unreadable(source, &answer))?;
        let definition = Socket::from_json(&answer)
            .map_err(|violations| unreadable(serde::de::Error::custom(Violations(violations)), &answer))?;
        Ok(Published { instance: instance.clone(), definition, state, change })
    }

    /// The socket's name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The definition as the server has it.
    pub fn definition(&self) -> &Socket {
        &self.definition
    }

    /// Whether it can be used.
    pub fn status(&self) -> SocketStatus {
        self.state.status
    }

    /// Why it can't be used; empty when it can.
    pub fn status_info(&self) -> &str {
        &self.state.status_info
    }

    /// The number of its last change.
    pub fn revision(&self) -> u64 {
        self.state.revision
    }

    /// What publishing did; [`Change::Unchanged`] for a socket that was only read.
    pub fn change(&self) -> Change {
        self.change
    }

    /// Reads the socket again.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn reload(&mut self) -> Result<(), Error> {
        let path = route::socket(self.instance.name(), self.name());
        let answer = self.instance.client().manage(Method::GET, &path, None).await?;
        *self = Published::read(&self.instance, &format!("GET {path}"), answer, self.change)?;
        Ok(())
    }

    /// Deletes the socket with the scripts it owns.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn delete(self) -> Result<(), Error> {
        let path = route::socket(self.instance.name(), self.name());
        self.instance.client().manage(Method::DELETE, &path, None).await
    }

    /// Whether publishing `socket` would change nothing.
    fn is(&self, socket: &Socket) -> bool {
        let mut wanted = socket.clone();
        wanted.name = normalize(&wanted.name);
        wanted.inherit(&self.definition);
        let mut found = self.definition.clone();
        found.name = normalize(&found.name);
        wanted == found
    }

    fn installed(self) -> Result<Published, Error> {
        match self.state.status {
            SocketStatus::Error => {
                Err(Error::NotInstalled { socket: self.definition.name, status_info: self.state.status_info })
            }
            _ => Ok(self),
        }
    }
}

impl Instance {
    /// A socket that is on the server, with its status; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn socket(&self, name: &str) -> Result<Option<Published>, Error> {
        let path = route::socket(self.name(), name);
        let answer = self.client().find(&path).await?;
        answer
            .map(|answer| Published::read(self, &format!("GET {path}"), answer, Change::Unchanged))
            .transpose()
    }

    /// Publishes a socket: creates it, updates it, or does nothing when the server has it just so.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that breaks rules (nothing is sent), [`Error::Conflict`] when
    /// somebody else changed the socket meanwhile (nothing is written), [`Error::NotInstalled`] when the server
    /// stored the socket but could not install it, an endpoint's name being taken for example.
    pub async fn publish(&self, socket: &Socket) -> Result<Published, Error> {
        let broken: Vec<_> =
            socket.validate().into_iter().filter(|v| v.kind.severity() == Severity::Shape).collect();
        if !broken.is_empty() {
            let violations = Violations(broken);
            return Err(Error::Definition { socket: socket.name.clone(), violations });
        }
        let (written, refusal) = match self.socket(&socket.name).await? {
            None => (create(self, socket).await, "name"),
            Some(found) if !found.is(socket) => (update(self, socket, &found).await, EXPECTED_REVISION),
            // What kept it from being installed may be gone by now.
            Some(found) if found.status() == SocketStatus::Error => {
                return recheck(self, &found).await?.installed();
            }
            Some(found) => return found.installed(),
        };
        match written {
            // Somebody was faster. If they published the very same, all is well.
            Err(Error::Api(error))
                if error.status == StatusCode::BAD_REQUEST && error.fields.contains_key(refusal) =>
            {
                match self.socket(&socket.name).await? {
                    Some(found) if found.is(socket) => found.installed(),
                    // The name was refused, and not because of a socket that has it.
                    None if refusal == "name" => Err(error.into()),
                    _ => Err(Error::Conflict { socket: socket.name.clone() }),
                }
            }
            other => other?.installed(),
        }
    }
}

async fn create(instance: &Instance, socket: &Socket) -> Result<Published, Error> {
    let path = route::sockets(instance.name());
    write(instance, Method::POST, &path, Some(&json!(socket)), Change::Created).await
}

async fn update(instance: &Instance, socket: &Socket, found: &Published) -> Result<Published, Error> {
    let path = route::socket(instance.name(), &socket.name);
    let mut body = json!(socket);
    body[EXPECTED_REVISION] = found.revision().into();
    write(instance, Method::PUT, &path, Some(&body), Change::Updated).await
}

async fn recheck(instance: &Instance, found: &Published) -> Result<Published, Error> {
    let path = route::socket_recheck(instance.name(), found.name());
    write(instance, Method::POST, &path, None, Change::Updated).await
}

async fn write(
    instance: &Instance,
    method: Method,
    path: &str,
    body: Option<&Value>,
    change: Change,
) -> Result<Published, Error> {
    let request = format!("{method} {path}");
    let answer = instance.client().manage(method, path, body).await?;
    Published::read(instance, &request, answer, change)
}
