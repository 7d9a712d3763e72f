//! The instance that commands look into.

use anyhow::{Context as _, bail};
use syncano_client::{Client, Instance};
use syncano_core::Socket;

use crate::environment::{KEY, variable};

/// Where a server listens unless it is told otherwise.
pub(crate) const URL: &str = "http://127.0.0.1:8080";

/// The instance, if the key in the environment opens it.
pub(crate) async fn instance(url: &str, name: &str) -> anyhow::Result<Instance> {
    let key = variable(KEY)?.with_context(|| format!("set {KEY} to the account key"))?;
    let instance = Client::connect(url)?.account_key(key).instance(name);
    if !instance.exists().await? {
        bail!("there is no instance `{name}` that this key opens");
    }
    Ok(instance)
}

/// The definitions of all sockets of the instance.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn sockets(url: &str, name: &str) -> anyhow::Result<Vec<Socket>> {
    let published = instance(url, name).await?.sockets().await?;
    Ok(published.iter().map(|socket| socket.definition().clone()).collect())
}
