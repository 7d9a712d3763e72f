//! Endpoints of sockets: reading them, and running them without generated functions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncano_core::{Call as ScriptCall, Map, Method, route};

use crate::call::Destination;
use crate::called::Name;
use crate::run::run;
use crate::{Call, Error, FromAnswer, Instance, Pages, Published, RecordedTrace, recorded};

/// An endpoint of a socket, as it was when last read.
#[derive(Debug, Clone)]
pub struct SocketEndpoint {
    instance: Instance,
    socket: String,
    name: String,
    data: Data,
}

#[derive(Debug, Clone, Deserialize)]
struct Data {
    /// The name alone in the list of a socket, `socket/endpoint` in the list of the instance.
    name: String,
    allowed_methods: Vec<Method>,
    #[serde(default)]
    calls: Vec<ScriptCall>,
    #[serde(default)]
    metadata: Map,
    #[serde(default)]
    acl: Map,
}

impl Instance {
    /// All endpoints of all sockets of the instance.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// for endpoint in instance.socket_endpoints().await? {
    ///     println!("{} {:?}", endpoint.full_name(), endpoint.allowed_methods());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn socket_endpoints(&self) -> Pages<SocketEndpoint> {
        let instance = self.clone();
        let make = move |data: Data| {
            let (socket, name) = data.name.split_once('/').unwrap_or(("", &data.name));
            SocketEndpoint {
                instance: instance.clone(),
                socket: socket.to_owned(),
                name: name.to_owned(),
                data,
            }
        };
        Pages::new(self.client(), route::endpoints(self.name()), make)
    }

    /// Runs the endpoint of that name: `endpoint`, or `socket/endpoint`. Nothing is read before; no key is needed unless
    /// the call is private.
    ///
    /// The rest is as with [`SocketEndpoint::run`].
    ///
    /// ```no_run
    /// # async fn run() -> anyhow::Result<()> {
    /// use syncano_client::{Client, Method};
    ///
    /// let instance = Client::connect("http://127.0.0.1:8080")?.instance("my-app");
    /// println!("{}", instance.run(Method::Get, "my_endpoint", ()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn run(&self, method: Method, endpoint: &str, data: impl Serialize) -> Call<Value, Value> {
        self.run_as(method, endpoint, data)
    }

    /// As [`run`](Instance::run), with an answer of another type than JSON.
    #[track_caller]
    pub fn run_as<T: FromAnswer>(
        &self,
        method: Method,
        endpoint: &str,
        data: impl Serialize,
    ) -> Call<T, Value> {
        let path = match endpoint.split_once('/') {
            Some((socket, endpoint)) => route::run(self.name(), socket, endpoint),
            None => route::run_flat(self.name(), endpoint),
        };
        let to = Destination {
            name: Name::Text(endpoint.to_owned()),
            path,
            methods: Cow::Borrowed(&Method::ALL),
            script: None,
            contract: None,
        };
        run(self.client(), to, method, data)
    }
}

impl Published {
    /// The endpoints that are installed.
    pub fn endpoints(&self) -> Pages<SocketEndpoint> {
        let (instance, socket) = (self.instance().clone(), self.name().to_owned());
        let make = move |data: Data| SocketEndpoint::of_socket(&instance, &socket, data);
        let path = route::socket_endpoints(self.instance().name(), self.name());
        Pages::new(self.instance().client(), path, make)
    }

    /// Details of the endpoint of that name; `None` when none is installed.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn endpoint(&self, name: &str) -> Result<Option<SocketEndpoint>, Error> {
        let instance = self.instance();
        let path = route::socket_endpoint(instance.name(), self.name(), name);
        let data: Option<Data> = instance.client().find(&path).await?;
        Ok(data.map(|data| SocketEndpoint::of_socket(instance, self.name(), data)))
    }

    /// Runs the socket's endpoint of that name.
    ///
    /// The rest is as with [`SocketEndpoint::run`].
    #[track_caller]
    pub fn run(&self, method: Method, endpoint: &str, data: impl Serialize) -> Call<Value, Value> {
        self.run_as(method, endpoint, data)
    }

    /// As [`run`](Published::run), with an answer of another type than JSON.
    #[track_caller]
    pub fn run_as<T: FromAnswer>(
        &self,
        method: Method,
        endpoint: &str,
        data: impl Serialize,
    ) -> Call<T, Value> {
        self.instance().run_as(method, &format!("{}/{endpoint}", self.name()), data)
    }
}

impl SocketEndpoint {
    fn of_socket(instance: &Instance, socket: &str, data: Data) -> SocketEndpoint {
        let name = data.name.clone();
        SocketEndpoint { instance: instance.clone(), socket: socket.to_owned(), name, data }
    }

    /// The name within its socket.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its socket.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// `socket/endpoint`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.socket, self.name)
    }

    /// The methods that it answers.
    pub fn allowed_methods(&self) -> &[Method] {
        &self.data.allowed_methods
    }

    /// Which script answers which methods.
    pub fn calls(&self) -> &[ScriptCall] {
        &self.data.calls
    }

    /// Free data, and under the name of a method (or `*`) its schemas.
    pub fn metadata(&self) -> &Map {
        &self.data.metadata
    }

    /// Who may call.
    pub fn acl(&self) -> &Map {
        &self.data.acl
    }

    /// Runs it: the script that answers `method` runs with the data, and what it answers is read as JSON.
    ///
    /// With GET and DELETE the data is an object and travels in the query, otherwise it is the body; `()` is none. It
    /// runs when awaited, and can be given a [`timeout`](Call::timeout) before.
    ///
    /// The errors are those of every call: [`CallError`](crate::CallError). The script's own, raised as `AppError`, is
    /// JSON here.
    ///
    /// ```no_run
    /// # async fn run(endpoint: syncano_client::SocketEndpoint) -> anyhow::Result<()> {
    /// use syncano_client::{Method, Trace};
    ///
    /// let answer = endpoint.run(Method::Get, ()).await?;
    /// let answer = endpoint.run(Method::Post, serde_json::json!({"name": "test_name"})).await?;
    /// let number = endpoint.run_as::<u32>(Method::Get, ()).await?;
    /// let whole_run = endpoint.run_as::<Trace>(Method::Get, ()).await?;
    /// # let _ = (answer, number, whole_run); Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn run(&self, method: Method, data: impl Serialize) -> Call<Value, Value> {
        self.run_as(method, data)
    }

    /// As [`run`](SocketEndpoint::run), with an answer of another type: [`String`] for text as it is,
    /// [`Trace`](crate::Trace) for the record of the run, failed runs included, or any type that deserialises.
    #[track_caller]
    pub fn run_as<T: FromAnswer>(&self, method: Method, data: impl Serialize) -> Call<T, Value> {
        let to = Destination {
            name: Name::Text(self.full_name()),
            path: route::run(self.instance.name(), &self.socket, &self.name),
            methods: Cow::Owned(self.data.allowed_methods.clone()),
            script: None,
            contract: None,
        };
        run(self.instance.client(), to, method, data)
    }

    /// What was recorded of its runs, newest first.
    pub fn traces(&self) -> Pages<RecordedTrace> {
        recorded::list(self.instance.client(), self.traces_path())
    }

    /// One recorded run; `None` when there is none of that number, or no longer.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn trace(&self, id: i64) -> Result<Option<RecordedTrace>, Error> {
        recorded::one(self.instance.client(), &self.traces_path(), id).await
    }

    /// Drops the answers that were kept to be repeated, so that the next call runs.
    ///
    /// # Errors
    /// When it is gone, the server is not reached or refuses the key.
    pub async fn invalidate(&self) -> Result<(), Error> {
        let path = route::invalidate(self.instance.name(), &self.socket, &self.name);
        self.instance.client().post(&path, json!({})).await
    }

    fn traces_path(&self) -> String {
        route::traces(self.instance.name(), &self.socket, &self.name)
    }
}
