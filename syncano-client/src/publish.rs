//! Publishing: create, update or nothing, and never over somebody else's change.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use http::StatusCode;
use serde_json::json;
use syncano_core::{Severity, Socket, SocketStatus, Violations, normalize, route};

use crate::{Change, Error, Instance, Plan, Published};

/// The key under which an update names the revision that it was made from.
const EXPECTED_REVISION: &str = "expected_revision";

/// Publishes a socket when awaited.
///
/// What would break those who call it today is refused, unless [`allow_breaking`](Publish::allow_breaking) says otherwise.
#[must_use = "a socket is published only when it is awaited"]
#[derive(Clone)]
pub struct Publish {
    instance: Instance,
    socket: Socket,
    allow_breaking: bool,
}

impl Publish {
    /// Whether to publish what breaks callers: a removed endpoint or method, arguments that are refused from now on,
    /// results that today's callers don't expect, a key that is needed from now on.
    ///
    /// While an application is developed nobody else calls it: `.allow_breaking(cfg!(debug_assertions))`.
    pub fn allow_breaking(mut self, allow: bool) -> Self {
        self.allow_breaking = allow;
        self
    }

    async fn run(self) -> Result<Published, Error> {
        let plan = self.instance.plan(&self.socket).await?;
        if plan.is_breaking() && !self.allow_breaking {
            return Err(Error::Breaking { plans: vec![plan] });
        }
        plan.apply().await
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Publish { instance, socket, allow_breaking } = self;
        let mut shown = f.debug_struct("Publish");
        shown.field("instance", &instance.name()).field("socket", &socket.name);
        shown.field("allow_breaking", allow_breaking).finish_non_exhaustive()
    }
}

impl IntoFuture for Publish {
    type Output = Result<Published, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Publishes several sockets when awaited, one after the other; none if one of them would break its callers.
#[must_use = "sockets are published only when they are awaited"]
#[derive(Clone)]
pub struct PublishAll {
    instance: Instance,
    sockets: Vec<Socket>,
    allow_breaking: bool,
}

impl PublishAll {
    pub(crate) fn new(instance: &Instance, sockets: Vec<Socket>) -> PublishAll {
        PublishAll { instance: instance.clone(), sockets, allow_breaking: false }
    }

    /// As [`Publish::allow_breaking`].
    pub fn allow_breaking(mut self, allow: bool) -> Self {
        self.allow_breaking = allow;
        self
    }

    async fn run(self) -> Result<Vec<Published>, Error> {
        let mut plans = Vec::new();
        for socket in &self.sockets {
            plans.push(self.instance.plan(socket).await?);
        }
        if !self.allow_breaking && plans.iter().any(Plan::is_breaking) {
            return Err(Error::Breaking { plans });
        }
        let mut published = Vec::new();
        for plan in plans {
            published.push(plan.apply().await?);
        }
        Ok(published)
    }
}

impl fmt::Debug for PublishAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PublishAll { instance, sockets, allow_breaking } = self;
        let names: Vec<&str> = sockets.iter().map(|socket| socket.name.as_str()).collect();
        let mut shown = f.debug_struct("PublishAll");
        shown.field("instance", &instance.name()).field("sockets", &names);
        shown.field("allow_breaking", allow_breaking).finish_non_exhaustive()
    }
}

impl IntoFuture for PublishAll {
    type Output = Result<Vec<Published>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Instance {
    /// Publishes a socket when awaited: creates it, updates it, or does nothing when the server has it just so.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that breaks rules (nothing is sent), [`Error::Breaking`] when it would break
    /// those who call it today (nothing is written, unless [allowed](Publish::allow_breaking)), [`Error::Conflict`] when
    /// somebody else changed the socket meanwhile (nothing is written), [`Error::NotInstalled`] when the server stored the
    /// socket but could not install it, an endpoint's name being taken for example.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> anyhow::Result<()> {
    /// use syncano_client::{Method, Runtime, Socket};
    ///
    /// let socket = Socket::builder("my_custom_socket")
    ///     .script("custom_script", Runtime::Python3, "print('custom_script')")
    ///     .call("my_endpoint", "custom_script", [Method::Get])
    ///     .build()?;
    /// let published = instance.publish(&socket).await?;
    /// println!("{}", published.run_as::<String>(Method::Get, "my_endpoint", ()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self, socket: &Socket) -> Publish {
        Publish { instance: self.clone(), socket: socket.clone(), allow_breaking: false }
    }
}

/// Writes a definition over what was found, and only over that.
pub(crate) async fn write(
    instance: &Instance,
    found: Option<Published>,
    socket: &Socket,
) -> Result<Published, Error> {
    let (written, refusal) = match found {
        None => (create(instance, socket).await, "name"),
        Some(found) if !found.is(socket) => (update(found, socket).await, EXPECTED_REVISION),
        // What kept it from being installed may be gone by now.
        Some(mut found) if found.status() == SocketStatus::Error => {
            found.recheck().await?;
            found.change = Change::Updated;
            return found.installed().await;
        }
        Some(found) => return found.installed().await,
    };
    match written {
        // Somebody was faster. If they published the very same, all is well.
        Err(error) if refuses(&error, refusal) => match instance.socket(&socket.name).await? {
            Some(found) if found.is(socket) => found.installed().await,
            // The name was refused, and not because of a socket that has it.
            None if refusal == "name" => Err(error),
            _ => Err(Error::Conflict { socket: socket.name.clone() }),
        },
        other => other?.installed().await,
    }
}

impl Published {
    /// Writes a changed definition over the one that was read, breaking or not (see [`Instance::plan`]): a copy of [`definition`](Published::definition), with
    /// endpoints and dependencies added and removed. Options of a call that the new one leaves open stay as they are.
    ///
    /// # Errors
    /// [`Error::Definition`] and [`Error::Renamed`] (nothing is sent), [`Error::Conflict`] when somebody else changed the
    /// socket since it was read (nothing is written: [`reload`](Published::reload) it), [`Error::NotInstalled`] when the
    /// server stored the definition but could not install it; what was installed before keeps running.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> anyhow::Result<()> {
    /// use syncano_client::{Method, Runtime, ScriptCall, ScriptDependency};
    ///
    /// if let Some(mut socket) = instance.socket("my_custom_socket").await? {
    ///     let mut definition = socket.definition().clone();
    ///     definition.remove_endpoint("my_endpoint");
    ///     definition.remove_dependency("custom_script");
    ///     definition.add_endpoint("new_endpoint", [ScriptCall::new("new_script", [Method::Post]).private(true)]);
    ///     definition.add_dependency(ScriptDependency::new("new_script", Runtime::Python3, "print('new')"));
    ///     socket.update(&definition).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&mut self, definition: &Socket) -> Result<(), Error> {
        check(definition)?;
        if normalize(&definition.name) != normalize(self.name()) {
            let (socket, name) = (self.name().to_owned(), definition.name.clone());
            return Err(Error::Renamed { socket, name });
        }
        match update(self.clone(), definition).await {
            Ok(updated) => *self = updated,
            Err(error) if refuses(&error, EXPECTED_REVISION) => {
                return Err(Error::Conflict { socket: self.name().to_owned() });
            }
            Err(error) => return Err(error),
        }
        self.checked().await
    }
}

/// Refuses what the server would refuse for its shape.
pub(crate) fn check(socket: &Socket) -> Result<(), Error> {
    let broken: Vec<_> =
        socket.validate().into_iter().filter(|v| v.kind.severity() == Severity::Shape).collect();
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Error::Definition { socket: socket.name.clone(), violations: Violations(broken) }),
    }
}

/// Whether the server refused a request because of this field.
fn refuses(error: &Error, field: &str) -> bool {
    matches!(error, Error::Api(error)
        if error.status == StatusCode::BAD_REQUEST && error.fields.contains_key(field))
}

async fn create(instance: &Instance, socket: &Socket) -> Result<Published, Error> {
    let data = instance.client().post(&route::sockets(instance.name()), socket).await?;
    Ok(Published::new(instance, data, Change::Created))
}

async fn update(found: Published, socket: &Socket) -> Result<Published, Error> {
    let mut body = json!(socket);
    body[EXPECTED_REVISION] = found.revision().into();
    let data = found.instance().client().put(&found.path(), body).await?;
    Ok(Published::new(found.instance(), data, Change::Updated))
}
