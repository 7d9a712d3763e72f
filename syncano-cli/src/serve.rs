//! `syncano serve`: the platform, until SIGTERM or SIGINT.

use std::env;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use syncano_core::limits::TIMEOUT_SECONDS;
use syncano_server::{Isolation, NetworkPolicy, Server};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::environment::{SECRET, variable};
use crate::outcome::Outcome;
use crate::{database, output};

const ADMIN_EMAIL: &str = "SYNCANO_ADMIN_EMAIL";
const ADMIN_PASSWORD: &str = "SYNCANO_ADMIN_PASSWORD";
/// The level of isolation that a server asks for which strangers may send scripts to.
pub(crate) const MINIMUM: &str = "namespace";
const LOG: &str = "SYNCANO_LOG";
/// The migrations would tell at every start that there is nothing to do.
const DEFAULT_LOG: &str = "info";

/// Serve the platform.
///
/// The first start makes an account and prints its key, once, to standard output; with SYNCANO_ADMIN_EMAIL and
/// SYNCANO_ADMIN_PASSWORD set it makes that account instead, unless it exists.
#[derive(Args)]
#[command(after_help = "Environment:
  SYNCANO_ADMIN_EMAIL     e-mail of an account to make unless it exists
  SYNCANO_ADMIN_PASSWORD  its password
  SYNCANO_SECRET          what keys are made with; a file beside the database otherwise
  SYNCANO_LOG             what to log: error, warn, info, debug, or syncano_server=debug,warn [default: info]")]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,

    /// The database; the file is made unless it exists
    #[arg(long, value_name = "URL", default_value = database::DEFAULT)]
    database: String,

    /// Seconds that a script may take unless it or its call says otherwise; at most 300
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    script_timeout: Duration,

    /// The Python interpreter [default: /usr/bin/python3, else the first that works on PATH]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// The Node interpreter, for JavaScript [default: /usr/bin/node, else the first that works on PATH]
    #[arg(long, value_name = "PATH")]
    node: Option<PathBuf>,

    /// Packages for the scripts that name them: a virtual environment of Python's, or a folder node_modules; can be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = environment)]
    environment: Vec<(String, PathBuf)>,

    /// How far scripts must be kept away from the machine: none, process or namespace; `syncano doctor` says how far they
    /// can be
    #[arg(long, value_name = "LEVEL", default_value = MINIMUM)]
    isolation_minimum: Isolation,

    /// Processes that may run scripts at a time; further calls wait [default: 4 per processor, at least 16]
    #[arg(long, value_name = "N")]
    max_workers: Option<NonZeroU32>,

    /// Memory that all of them together may take, in MiB: there are no more of them than fit if each takes all that it
    /// may [default: no limit but that of each]
    #[arg(long, value_name = "MIB")]
    max_workers_memory: Option<NonZeroU32>,

    /// Memory that one of them may take, in MiB
    #[arg(long, value_name = "MIB", default_value = "200")]
    script_memory: NonZeroU32,

    /// What becomes of an endpoint whose name another socket of the instance has
    #[arg(long, value_name = "POLICY", default_value = "strict")]
    flat_names: FlatNames,

    /// Whom scripts may talk to at most: public, none, or hosts with commas between them; a socket narrows it for its scripts.
    /// They have a network at the level namespace only
    #[arg(long, value_name = "POLICY", default_value = "public")]
    network: NetworkPolicy,

    /// A network that scripts may talk to, and sockets be fetched from, though it isn't public; can be repeated
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    allow_network: Vec<IpNet>,

    /// Let anyone make an account
    #[arg(long)]
    open_registration: bool,

    /// Run endpoints only with a key, private or not
    #[arg(long)]
    require_key: bool,

    /// Requests per second that each instance answers [default: any number]
    #[arg(long, value_name = "N")]
    instance_rate: Option<NonZeroU32>,

    /// Requests per second that each account may make outside instances [default: any number]
    #[arg(long, value_name = "N")]
    account_rate: Option<NonZeroU32>,

    /// Requests per second outside instances from one address without a key [default: any number]
    #[arg(long, value_name = "N")]
    anonymous_rate: Option<NonZeroU32>,

    /// Start though the secret isn't the one that the database was used with: every key changes
    #[arg(long)]
    accept_new_secret: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FlatNames {
    /// The socket isn't installed, and its status says why
    Strict,
    /// The first socket keeps the short URL
    Alias,
}

impl From<FlatNames> for syncano_server::FlatNames {
    fn from(policy: FlatNames) -> Self {
        match policy {
            FlatNames::Strict => syncano_server::FlatNames::Strict,
            FlatNames::Alias => syncano_server::FlatNames::Alias,
        }
    }
}

fn environment(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !path.is_empty() => Ok((name.to_owned(), path.into())),
        _ => Err("write a name and a path, as science=/srv/venvs/science".to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| "write a network, as 10.0.0.0/8 or fd00::/8".to_owned())
}

fn bytes(mebibytes: NonZeroU32) -> u64 {
    u64::from(mebibytes.get()) << 20
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "use an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= TIMEOUT_SECONDS => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("use a number of seconds, more than 0 and at most {TIMEOUT_SECONDS}")),
    }
}

/// What to log. A word that is no level would be the name of a part of the program, and nothing else would be logged.
fn log_filter(log: &str) -> anyhow::Result<Targets> {
    const LEVELS: &str =
        "use error, warn, info, debug, trace or off, for one part of the server syncano_server=debug";
    for part in log.split(',').map(str::trim).filter(|part| !part.contains('=')) {
        if part.parse::<LevelFilter>().is_err() {
            bail!("`{part}` is no level: {LEVELS}");
        }
    }
    log.parse().context(LEVELS)
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let log =
            env::var(LOG).ok().filter(|log| !log.trim().is_empty()).unwrap_or_else(|| DEFAULT_LOG.to_owned());
        let filter = log_filter(&log).with_context(|| format!("{LOG}={log}"))?;
        tracing_subscriber::registry()
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .with(filter)
            .init();
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the asynchronous runtime can't be started")?
            .block_on(self.serve())?;
        Ok(Outcome::Ok)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let mut builder = Server::builder()
            .listen(self.listen)
            .database(self.database)
            .script_timeout(self.script_timeout)
            .isolation_minimum(self.isolation_minimum)
            .network(self.network)
            .flat_names(self.flat_names.into())
            .open_registration(self.open_registration)
            .require_key(self.require_key)
            .accept_new_secret(self.accept_new_secret);
        builder = builder.script_memory(bytes(self.script_memory));
        if let Some(workers) = self.max_workers {
            builder = builder.max_workers(usize::try_from(workers.get()).unwrap_or(usize::MAX));
        }
        if let Some(memory) = self.max_workers_memory {
            builder = builder.max_workers_memory(bytes(memory));
        }
        for (name, path) in self.environment {
            builder = builder.environment(name, path);
        }
        for network in self.allow_network {
            builder = builder.allow_network(network);
        }
        match (variable(ADMIN_EMAIL)?, variable(ADMIN_PASSWORD)?) {
            (Some(email), Some(password)) => builder = builder.admin(email, SecretString::from(password)),
            (None, None) => {}
            (Some(_), None) => bail!("{ADMIN_EMAIL} is set and {ADMIN_PASSWORD} is not: set both or neither"),
            (None, Some(_)) => bail!("{ADMIN_PASSWORD} is set and {ADMIN_EMAIL} is not: set both or neither"),
        }
        if let Some(python) = self.python {
            builder = builder.python(python);
        }
        if let Some(node) = self.node {
            builder = builder.node(node);
        }
        if let Some(rate) = self.instance_rate {
            builder = builder.instance_rate(rate);
        }
        if let Some(rate) = self.account_rate {
            builder = builder.account_rate(rate);
        }
        if let Some(rate) = self.anonymous_rate {
            builder = builder.anonymous_rate(rate);
        }
        if let Some(secret) = variable(SECRET)? {
            builder = builder.secret(SecretString::from(secret));
        }
        // Before the server is ready, so that a signal during the start is not lost.
        let stop = stop_signal()?;

        // Its text has its causes in it.
        let server = builder.start().await.map_err(|error| anyhow::anyhow!("{error}"))?;
        if let Some(key) = server.first_start_key() {
            // Standard output, since standard error is what gets collected as a log.
            let line = format!("account key (shown only now): {}\n", key.expose_secret());
            if let Err(error) = output::print(&line) {
                output::note(format_args!(
                    "the account key isn't shown: {error:#}; `syncano key list` shows it"
                ));
            }
        }
        output::note(format_args!("listening on {}", server.url()));
        server.run_until(stop).await;
        Ok(())
    }
}

/// SIGTERM or SIGINT.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ctrl-C. The server doesn't start on such a system, so nobody waits for it.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
}
