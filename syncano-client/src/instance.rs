//! An instance: the name space in which sockets live.

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use syncano_core::route;

use crate::{Client, Error};

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
        self.client.find::<Value>(&route::instance(&self.name)).await.map(|found| found.is_some())
    }

    /// Deletes the instance with everything in it.
    ///
    /// # Errors
    /// When it doesn't exist or the account doesn't own it.
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.manage(Method::DELETE, &route::instance(&self.name), None).await
    }
}
