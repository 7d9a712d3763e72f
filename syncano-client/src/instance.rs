//! An instance: the name space in which sockets live.

use std::sync::Arc;

use http::StatusCode;
use reqwest::Method;
use serde_json::Value;
use syncano_core::{Socket, route};

use crate::{Client, Error, Published, publish};

/// An instance of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Instance {
    client: Client,
    name: Arc<str>,
}

impl Instance {
    pub(crate) fn new(client: Client, name: String) -> Instance {
        Instance { client, name: name.into() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the account can see an instance of this name.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn exists(&self) -> Result<bool, Error> {
        absent_is_none(self.client.manage::<Value>(Method::GET, &route::instance(&self.name), None).await)
            .map(|found| found.is_some())
    }

    /// Deletes the instance with everything in it.
    ///
    /// # Errors
    /// When it doesn't exist or the account doesn't own it.
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.manage(Method::DELETE, &route::instance(&self.name), None).await
    }

    /// Publishes a socket: creates it, updates it, or does nothing when the server has it just so.
    ///
    /// # Errors
    /// [`Error::Definition`] for a definition that breaks rules (nothing is sent), [`Error::Conflict`] when
    /// somebody else changed the socket meanwhile (nothing is written), [`Error::NotInstalled`] when the server
    /// stored the socket but could not install it, an endpoint's name being taken for example.
    pub async fn publish(&self, socket: &Socket) -> Result<Published, Error> {
        publish::publish(self, socket).await
    }

    /// A socket that is on the server, with its status; `None` when there is none of that name.
    ///
    /// # Errors
    /// When the server is not reached or refuses the key.
    pub async fn socket(&self, name: &str) -> Result<Option<Published>, Error> {
        publish::read(self, name).await
    }
}

/// An answer of 404 as `None`.
pub(crate) fn absent_is_none<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Error::Api(error)) if error.status == StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}
