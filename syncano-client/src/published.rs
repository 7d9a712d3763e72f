//! Sockets on the server: reading, checking, deleting, installing from an address.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value, json};
use syncano_core::{Map, Socket, SocketStatus, Violations, normalize, route};

use crate::patience::Patience;
use crate::{Error, Instance, Pages};

/// How long to wait for a socket that is being checked: the server waits 15 s for what it has to fetch.
const CHECKED_WITHIN: Duration = Duration::from_secs(120);

/// A socket on the server, as it was when last read.
///
/// Its `Debug` names it and its endpoints; [`definition`](Published::definition) has the rest.
#[derive(Clone)]
pub struct Published {
    instance: Instance,
    data: Data,
    pub(crate) change: Change,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Published");
        shown.field("name", &self.name()).field("status", &self.status());
        if !self.status_info().is_empty() {
            shown.field("status_info", &self.status_info());
        }
        shown.field("revision", &self.revision()).field("change", &self.change);
        shown.field("endpoints", &self.definition().endpoints.keys()).finish_non_exhaustive()
    }
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

/// What the server answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Data {
    definition: Socket,
    state: State,
}

/// What the server says about a socket beside its definition.
#[derive(Debug, Clone, Deserialize)]
struct State {
    status: SocketStatus,
    #[serde(default)]
    status_info: String,
    #[serde(default)]
    warnings: Vec<String>,
    revision: u64,
    #[serde(default)]
    install_url: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

impl TryFrom<Value> for Data {
    type Error = serde_json::Error;

    fn try_from(answer: Value) -> Result<Data, serde_json::Error> {
        let definition = Socket::from_json(&answer)
            .map_err(|violations| serde_json::Error::custom(Violations(violations)))?;
        Ok(Data { definition, state: serde_json::from_value(answer)? })
    }
}

impl Instance {
    /// The sockets of the instance.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// for socket in instance.sockets().await? {
    ///     println!("{}: {} {}", socket.name(), socket.status(), socket.status_info());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn sockets(&self) -> Pages<Published> {
        let instance = self.clone();
        let make = move |data| Published::new(&instance, data, Change::Unchanged);
        Pages::new(self.client(), route::sockets(self.name()), make)
    }

    /// The socket of that name, with its status; `None` when there is none.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn socket(&self, name: &str) -> Result<Option<Published>, Error> {
        let data = self.client().find(&route::socket(self.name(), name)).await?;
        Ok(data.map(|data| Published::new(self, data, Change::Unchanged)))
    }

    /// Installs the socket that the file at `url`, a `socket.yml`, describes. `config` is what its scripts see in
    /// `CONFIG`.
    ///
    /// The server fetches the file after it has answered, so the socket's status is `checking` at first;
    /// [`installed`](Published::installed) waits for the end of that.
    ///
    /// The URL leads to a `socket.yml`; scripts are inline (`source`) or files beside it (`file`), and what stands in
    /// `config` gives way to the `config` of this call:
    ///
    /// ```yaml
    /// description: tells the weather
    /// endpoints:
    ///   today: {script: weather}
    ///   days:
    ///     GET: {script: weather}
    ///     POST: {script: report}
    /// dependencies:
    ///   scripts:
    ///     weather: {runtime_name: python3, file: scripts/weather.py}
    ///     report: {runtime_name: nodejs, source: "export default ({ text }) => text.length"}
    /// config:
    ///   unit: {value: celsius}
    /// ```
    ///
    /// # Errors
    /// [`Error::Api`] when the name breaks the rules or is taken, or the address can't be one.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// use syncano_client::Map;
    ///
    /// let url = "https://example.com/weather/socket.yml";
    /// let weather = instance.install_from_url("weather", url, Map::new()).await?.installed().await?;
    /// println!("{:?}", weather.definition().endpoints.keys());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn install_from_url(&self, name: &str, url: &str, config: Map) -> Result<Published, Error> {
        let body = json!({ "name": name, "install_url": url, "config": config });
        let data = self.client().post(&route::socket_install(self.name()), body).await?;
        Ok(Published::new(self, data, Change::Created))
    }
}

impl Published {
    pub(crate) fn new(instance: &Instance, data: Data, change: Change) -> Published {
        Published { instance: instance.clone(), data, change }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The socket's name.
    pub fn name(&self) -> &str {
        &self.data.definition.name
    }

    /// The definition as the server has it. A copy of it can be changed and given to [`update`](Published::update).
    pub fn definition(&self) -> &Socket {
        &self.data.definition
    }

    /// Whether it can be used.
    pub fn status(&self) -> SocketStatus {
        self.data.state.status
    }

    /// Why it can't be used; empty when it can.
    pub fn status_info(&self) -> &str {
        &self.data.state.status_info
    }

    /// Returns what the server noted about the definition and installed all the same: keys that nothing reads, for
    /// example. A server of an older version notes nothing.
    pub fn warnings(&self) -> &[String] {
        &self.data.state.warnings
    }

    /// The number of its last change.
    pub fn revision(&self) -> u64 {
        self.data.state.revision
    }

    /// Where it was [installed from](Instance::install_from_url).
    pub fn install_url(&self) -> Option<&str> {
        self.data.state.install_url.as_deref()
    }

    /// When it was made, UTC.
    pub fn created_at(&self) -> Option<&str> {
        self.data.state.created_at.as_deref()
    }

    /// When it was changed, UTC.
    pub fn updated_at(&self) -> Option<&str> {
        self.data.state.updated_at.as_deref()
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
        self.data = self.instance.client().get(&self.path()).await?;
        Ok(())
    }

    /// Lets the server check it again: endpoints and scripts that are missing are made again, and a name that was taken
    /// may be free by now. Returns the status that comes of it; [`status_info`](Published::status_info) says more. One that
    /// is fetched again is `checking` first: [`installed`](Published::installed) waits.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    ///
    /// ```no_run
    /// # async fn run(mut socket: syncano_client::Published) -> Result<(), syncano_client::Error> {
    /// use syncano_client::SocketStatus;
    ///
    /// if socket.recheck().await? == SocketStatus::Error {
    ///     eprintln!("{}", socket.status_info());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recheck(&mut self) -> Result<SocketStatus, Error> {
        let path = route::socket_recheck(self.instance.name(), self.name());
        self.data = self.instance.client().post(&path, json!({})).await?;
        Ok(self.status())
    }

    /// Waits while the server is checking the socket, for two minutes at most.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] when it can't be installed, [`Error::Unfinished`] when it is still being checked after that
    /// time; and as [`reload`](Published::reload).
    pub async fn installed(mut self) -> Result<Published, Error> {
        self.checked().await?;
        Ok(self)
    }

    pub(crate) async fn checked(&mut self) -> Result<(), Error> {
        let mut patience = Patience::new(CHECKED_WITHIN);
        while self.status() == SocketStatus::Checking {
            if !patience.wait().await {
                let (what, status) = (format!("the socket `{}`", self.name()), self.status().to_string());
                return Err(Error::Unfinished { what, status, waited: CHECKED_WITHIN });
            }
            self.reload().await?;
        }
        match self.status() {
            SocketStatus::Error => {
                let (socket, status_info) = (self.name().to_owned(), self.status_info().to_owned());
                Err(Error::NotInstalled { socket, status_info })
            }
            _ => Ok(()),
        }
    }

    /// Deletes the socket with the scripts it owns.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn delete(self) -> Result<(), Error> {
        self.instance.client().delete(&self.path()).await
    }

    /// Whether publishing `socket` would change nothing.
    pub(crate) fn is(&self, socket: &Socket) -> bool {
        let mut wanted = socket.clone();
        wanted.name = normalize(&wanted.name);
        wanted.inherit(self.definition());
        let mut found = self.definition().clone();
        found.name = normalize(&found.name);
        wanted == found
    }

    pub(crate) fn path(&self) -> String {
        route::socket(self.instance.name(), self.name())
    }
}
