//! The `syncano` command.

mod account;
mod columns;
mod database;
mod environment;
mod key;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Custom Sockets: name an endpoint, say which script answers which HTTP method, publish, call.
#[derive(Parser)]
#[command(name = "syncano", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Account(account::Account),
    Key(key::Key),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Account(account) => account.run(),
        Command::Key(key) => key.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
