//! Publishing: create, update or nothing, and never over somebody else's change.

use http::StatusCode;
use serde_json::json;
use syncano_core::{Severity, Socket, SocketStatus, Violations, normalize, route};

use crate::{Change, Error, Instance, Published};

/// The key under which an update names the revision that it was made from.
const EXPECTED_REVISION: &str = "expected_revision";

impl Instance {
    /// Publishes a socket: creates it, updates it, or does nothing when the server has it just so.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that breaks rules (nothing is sent), [`Error::Conflict`] when
    /// somebody else changed the socket meanwhile (nothing is written), [`Error::NotInstalled`] when the server
    /// stored the socket but could not install it, an endpoint's name being taken for example.
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
    pub async fn publish(&self, socket: &Socket) -> Result<Published, Error> {
        check(socket)?;
        let (written, refusal) = match self.socket(&socket.name).await? {
            None => (create(self, socket).await, "name"),
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
            Err(error) if refuses(&error, refusal) => match self.socket(&socket.name).await? {
                Some(found) if found.is(socket) => found.installed().await,
                // The name was refused, and not because of a socket that has it.
                None if refusal == "name" => Err(error),
                _ => Err(Error::Conflict { socket: socket.name.clone() }),
            },
            other => other?.installed().await,
        }
    }
}

impl Published {
    /// Writes a changed definition over the one that was read: a copy of [`definition`](Published::definition), with
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
fn check(socket: &Socket) -> Result<(), Error> {
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
