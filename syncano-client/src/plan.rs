//! What publishing would change, before anything is written.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::json;
use syncano_core::{Change as PlannedChange, Difference, Endpoint, Socket, SocketStatus};

use crate::publish::{check, write};
use crate::{Error, Instance, Published};

/// What publishing a definition would change on the server.
///
/// It is bound to what it was made from: [`apply`](Plan::apply) writes only if nobody has changed the socket since.
/// Displayed, each change is a line, with `!` before those that break callers; serialised, it is for programs.
///
/// ```no_run
/// # async fn run(instance: syncano_client::Instance, socket: syncano_client::Socket) -> anyhow::Result<()> {
/// let plan = instance.plan(&socket).await?;
/// print!("{plan}");
/// if !plan.is_breaking() {
///     plan.apply().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a plan changes nothing before it is applied"]
pub struct Plan {
    instance: Instance,
    definition: Socket,
    found: Option<Published>,
    difference: Difference,
}

impl Instance {
    /// What publishing a socket would change; nothing is written.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that breaks rules; when the server is not reached, refuses the key, or has no such
    /// instance.
    pub async fn plan(&self, socket: &Socket) -> Result<Plan, Error> {
        check(socket)?;
        let found = self.socket(&socket.name).await?;
        let difference = match &found {
            // Whatever the order of things: what is just so is written no more.
            Some(found) if found.is(socket) => {
                Difference::between(Some(found.definition()), found.definition())
            }
            Some(found) => Difference::between(Some(&in_force(found).await?), socket),
            None => {
                // Without the instance nothing is there either.
                self.details().await?;
                Difference::between(None, socket)
            }
        };
        Ok(Plan { instance: self.clone(), definition: socket.clone(), found, difference })
    }
}

/// The definition that callers meet. Of one that couldn't be installed they meet what was installed before.
async fn in_force(found: &Published) -> Result<Socket, Error> {
    let mut socket = found.definition().clone();
    if found.status() != SocketStatus::Ok {
        let installed = found.endpoints().await?.into_iter().map(|endpoint| {
            let mut installed = Endpoint::new();
            installed.calls = endpoint.calls().to_vec();
            installed.metadata = endpoint.metadata().clone();
            installed.acl = endpoint.acl().clone();
            (endpoint.name().to_owned(), installed)
        });
        socket.endpoints = installed.collect::<BTreeMap<_, _>>();
    }
    Ok(socket)
}

impl Plan {
    /// The socket's name.
    pub fn socket(&self) -> &str {
        &self.difference.socket
    }

    /// What would be published.
    pub fn definition(&self) -> &Socket {
        &self.definition
    }

    /// Everything that would change.
    pub fn difference(&self) -> &Difference {
        &self.difference
    }

    /// The changes after which somebody who calls today may fail.
    pub fn breaking(&self) -> impl Iterator<Item = &PlannedChange> {
        self.difference.breaking()
    }

    /// Whether there are such changes.
    pub fn is_breaking(&self) -> bool {
        self.difference.is_breaking()
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.difference.is_empty()
    }

    /// The revision of the socket that the plan was made from; `None` when there was no socket.
    pub fn revision(&self) -> Option<u64> {
        self.found.as_ref().map(Published::revision)
    }

    /// Publishes what was planned, breaking changes included: whoever applies a plan has seen it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else has changed the socket since the plan was made (nothing is written);
    /// [`Error::NotInstalled`] when the server stored the socket but could not install it.
    pub async fn apply(self) -> Result<Published, Error> {
        write(&self.instance, self.found, &self.definition).await
    }
}

// Not the definitions, which hold whole scripts: an error that has a plan is shown like this.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("revision", &self.revision())
            .field("difference", &self.difference)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.difference.fmt(f)
    }
}

/// The difference, and the `revision` that it was made from.
impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut plan = json!(self.difference);
        plan["revision"] = self.revision().into();
        plan.serialize(serializer)
    }
}

/// What a refused publish says: the lines that break, and the way out.
pub(crate) struct Broken<'a>(pub(crate) &'a [Plan]);

impl fmt::Display for Broken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plan in self.0.iter().filter(|plan| plan.is_breaking()) {
            writeln!(f, "publishing the socket `{}` would break those who call it today:", plan.socket())?;
            for change in plan.breaking() {
                writeln!(f, "  {change}")?;
            }
        }
        f.write_str(
            "nothing was written: keep what they rely on (a new endpoint beside the old one, an `Option` for a new argument), \
             or publish all the same with `.allow_breaking(true)`",
        )
    }
}
