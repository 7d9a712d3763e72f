//! `syncano key`: keys of accounts and instances, beside a running server.

use anyhow::bail;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;

use crate::columns;
use crate::database::Database;
use crate::outcome::Outcome;
use crate::output;

/// List and reset keys; a running server notices within a second.
#[derive(Args)]
#[command(after_help = "Environment:
  SYNCANO_SECRET  what keys are made with; a file beside the database otherwise")]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List keys: the key, whose it is, what it is, for API keys the instance and the description
    List(List),
    /// Replace a key by another and print that; the old one stops working
    Reset(Reset),
}

#[derive(Args)]
struct List {
    /// Of this account only
    email: Option<String>,
    #[command(flatten)]
    database: Database,
}

#[derive(Args)]
struct Reset {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    database: Database,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The account whose key it is
    email: Option<String>,
    /// The number of an API key, as the list shows it
    #[arg(long, value_name = "ID")]
    api_key: Option<i64>,
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::List(list) => list.run()?,
            Command::Reset(reset) => reset.run()?,
        }
        Ok(Outcome::Ok)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let keys = self.database.with(async |accounts| Ok(accounts.keys(self.email.as_deref()).await?))?;
        let rows: Vec<_> = keys
            .into_iter()
            .map(|key| {
                let (kind, instance, description) = match key.api_key {
                    None => ("account".to_owned(), String::new(), String::new()),
                    Some(api_key) => {
                        (format!("API key {}", api_key.id), api_key.instance, api_key.description)
                    }
                };
                [key.key.expose_secret().to_owned(), key.email, kind, instance, description]
            })
            .collect();
        output::print(&columns::aligned(&rows))
    }
}

impl Reset {
    fn run(self) -> anyhow::Result<()> {
        let key = self.database.with(async |accounts| {
            Ok(match (&self.which.email, self.which.api_key) {
                (Some(email), _) => accounts.reset_key(email).await?,
                (None, Some(id)) => accounts.reset_api_key(id).await?,
                (None, None) => bail!("name an account, or an API key with --api-key"),
            })
        })?;
        output::note("key reset; the new one:");
        output::print(&format!("{}\n", key.expose_secret()))
    }
}
