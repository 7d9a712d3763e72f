//! Instances: the name spaces in which sockets and scripts live.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use syncano_core::{Map, route};

use crate::{Account, Client, Error, Pages};

/// An instance of a server. Cheap to clone.
#[derive(Clone)]
pub struct Instance {
    client: Client,
    name: Arc<str>,
}

// The name says it all; every handle holds one.
impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instance").field(&self.name).finish()
    }
}

/// What the server knows of an instance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct InstanceDetails {
    /// The name: [`Client::instance`] gives what it names.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Whose it is.
    #[serde(default)]
    pub owner: Option<Account>,
    /// When it was made, UTC.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it was changed, UTC.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// What the caller may do with it.
    #[serde(default)]
    pub role: Option<String>,
    /// Where it lies.
    #[serde(default)]
    pub location: Option<String>,
    /// Free data.
    #[serde(default)]
    pub metadata: Map,
}

/// What to change of an instance; what is not set stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct InstanceUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map>,
}

impl InstanceUpdate {
    /// Changes nothing yet.
    pub fn new() -> InstanceUpdate {
        InstanceUpdate::default()
    }

    /// Sets the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Replaces the free data.
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

/// What all scripts of an instance see in `CONFIG`, as it travels.
#[derive(Serialize, Deserialize)]
struct Config {
    config: Map,
}

impl Client {
    /// The instance of that name. Nothing is sent; a wrong name shows at the first use.
    pub fn instance(&self, name: impl Into<String>) -> Instance {
        Instance { client: self.clone(), name: name.into().into() }
    }

    /// The instances of the account.
    ///
    /// ```no_run
    /// # async fn run(client: syncano_client::Client) -> Result<(), syncano_client::Error> {
    /// for details in client.instances().await? {
    ///     println!("{}: {}", details.name, details.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn instances(&self) -> Pages<InstanceDetails> {
        Pages::new(self, route::instances(), |details| details)
    }

    /// Creates an instance.
    ///
    /// # Errors
    /// [`Error::Api`] when the name breaks the rules or is taken, or the key is wrong.
    pub async fn create_instance(&self, name: impl Into<String>) -> Result<Instance, Error> {
        let made: InstanceDetails = self.post(&route::instances(), json!({ "name": name.into() })).await?;
        Ok(self.instance(made.name))
    }

    /// The instance of that name, made unless this account has it already.
    ///
    /// # Errors
    /// As [`create_instance`](Client::create_instance).
    pub async fn create_or_open_instance(&self, name: impl Into<String>) -> Result<Instance, Error> {
        let instance = self.instance(name);
        if instance.exists().await? {
            return Ok(instance);
        }
        match self.create_instance(instance.name()).await {
            // Somebody with the same account was faster.
            Err(Error::Api(error)) if error.status == StatusCode::BAD_REQUEST => {
                if instance.exists().await? {
                    Ok(instance)
                } else {
                    Err(error.into())
                }
            }
            other => other,
        }
    }
}

impl Instance {
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
        let found: Option<InstanceDetails> = self.client.find(&route::instance(&self.name)).await?;
        Ok(found.is_some())
    }

    /// What the server knows of it.
    ///
    /// # Errors
    /// [`Error::Api`] with status 404 when the account can't see an instance of this name.
    pub async fn details(&self) -> Result<InstanceDetails, Error> {
        self.client.get(&route::instance(&self.name)).await
    }

    /// Changes it, and returns it as it is then.
    ///
    /// # Errors
    /// When it doesn't exist, or the new description is too long.
    ///
    /// ```no_run
    /// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
    /// use syncano_client::InstanceUpdate;
    ///
    /// instance.update(InstanceUpdate::new().description("the shop")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&self, update: InstanceUpdate) -> Result<InstanceDetails, Error> {
        self.client.patch(&route::instance(&self.name), update).await
    }

    /// Gives it another name. What was addressed by the old one is found under the new one only.
    ///
    /// # Errors
    /// [`Error::Api`] when the name breaks the rules or is taken, or the account doesn't own the instance.
    pub async fn rename(&self, name: &str) -> Result<Instance, Error> {
        let path = route::instance_rename(&self.name);
        let renamed: InstanceDetails = self.client.post(&path, json!({ "new_name": name })).await?;
        Ok(self.client.instance(renamed.name))
    }

    /// What all its scripts see in `CONFIG`, beside what their sockets and they themselves set.
    ///
    /// # Errors
    /// When it doesn't exist, the server is not reached or refuses the key.
    pub async fn config(&self) -> Result<Map, Error> {
        let Config { config } = self.client.get(&route::instance_config(&self.name)).await?;
        Ok(config)
    }

    /// Replaces what all its scripts see in `CONFIG`.
    ///
    /// # Errors
    /// When it doesn't exist, or the configuration is too large.
    pub async fn set_config(&self, config: Map) -> Result<(), Error> {
        let _: Config = self.client.put(&route::instance_config(&self.name), Config { config }).await?;
        Ok(())
    }

    /// Deletes the instance with everything in it.
    ///
    /// # Errors
    /// When it doesn't exist or the account doesn't own it.
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.delete(&route::instance(&self.name)).await
    }
}
