//! `syncano account`: accounts, beside a running server.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};

use crate::columns;
use crate::database::Database;
use crate::environment::variable;
use crate::outcome::Outcome;
use crate::output;

const PASSWORD: &str = "SYNCANO_PASSWORD";

/// Make accounts and set their passwords; a running server notices within a second.
#[derive(Args)]
#[command(after_help = "Environment:
  SYNCANO_PASSWORD  the password, for add and password
  SYNCANO_SECRET    what keys are made with; a file beside the database otherwise")]
pub(crate) struct Account {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make an account and print its key
    Add(Add),
    /// List the accounts: number, e-mail address, whether it has a password, when it was made
    List(List),
    /// Give an account another password
    Password(Password),
}

#[derive(Args)]
#[command(
    after_help = "Without a password, from standard input or SYNCANO_PASSWORD, the account has a key only."
)]
struct Add {
    /// Its e-mail address
    email: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    database: Database,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    database: Database,
}

#[derive(Args)]
struct Password {
    /// The account's e-mail address
    email: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    database: Database,
}

/// Not an argument: others can see the arguments of a process.
#[derive(Args)]
struct Given {
    /// Read the password from standard input, not from SYNCANO_PASSWORD
    #[arg(long)]
    password_stdin: bool,
}

impl Given {
    fn password(&self) -> anyhow::Result<Option<SecretString>> {
        if !self.password_stdin {
            return Ok(variable(PASSWORD)?.map(SecretString::from));
        }
        let text = std::io::read_to_string(std::io::stdin()).context("standard input")?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.is_empty() {
            bail!("standard input holds no password");
        }
        Ok(Some(password.into()))
    }
}

impl Account {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Add(add) => add.run()?,
            Command::List(list) => list.run()?,
            Command::Password(password) => password.run()?,
        }
        Ok(Outcome::Ok)
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let password = self.given.password()?;
        let key = self.database.with(async |accounts| Ok(accounts.add(&self.email, password).await?))?;
        output::note("account made; its key:");
        output::print(&format!("{}\n", key.expose_secret()))
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let list = self.database.with(async |accounts| Ok(accounts.list().await?))?;
        let rows: Vec<_> = list
            .into_iter()
            .map(|account| {
                let login = if account.has_password { "password" } else { "key only" };
                [account.id.to_string(), account.email, login.to_owned(), account.created_at]
            })
            .collect();
        output::print(&columns::aligned(&rows))
    }
}

impl Password {
    fn run(self) -> anyhow::Result<()> {
        let Some(password) = self.given.password()? else {
            bail!("no password: give it on standard input with --password-stdin, or in {PASSWORD}");
        };
        self.database.with(async |accounts| Ok(accounts.set_password(&self.email, password).await?))?;
        output::note("password set");
        Ok(())
    }
}
