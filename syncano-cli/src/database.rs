//! The database that a command works on, beside a server that may be running.

use clap::Args;
use secrecy::SecretString;
use syncano_server::Accounts;

use crate::environment::{SECRET, variable};

/// The database of `syncano serve` unless it is told otherwise.
pub(crate) const DEFAULT: &str = "sqlite://syncano.db";

#[derive(Args)]
pub(crate) struct Database {
    /// The database that the server uses
    #[arg(long, value_name = "URL", default_value = DEFAULT)]
    database: String,
}

impl Database {
    /// Does something about the accounts of the database.
    pub(crate) fn with<T>(
        &self,
        work: impl AsyncFnOnce(&Accounts) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let secret = variable(SECRET)?.map(SecretString::from);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            // Its text has its causes in it.
            let open = Accounts::open(&self.database, secret).await;
            let accounts = open.map_err(|error| anyhow::anyhow!("{error}"))?;
            let done = work(&accounts).await;
            accounts.close().await?;
            done
        })
    }
}
