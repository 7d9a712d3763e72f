//! The `syncano` command.

mod account;
mod check;
mod columns;
mod database;
mod definition;
mod doctor;
mod environment;
mod key;
mod plan;
mod published;
mod serve;
mod types;

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
    Check(check::Check),
    Doctor(doctor::Doctor),
    Account(account::Account),
    Key(key::Key),
    Plan(plan::Plan),
    Types(types::Types),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve.run().map(|()| ExitCode::SUCCESS),
        Command::Check(check) => Ok(check.run()),
        Command::Doctor(doctor) => doctor.run(),
        Command::Account(account) => account.run().map(|()| ExitCode::SUCCESS),
        Command::Key(key) => key.run().map(|()| ExitCode::SUCCESS),
        Command::Plan(plan) => plan.run(),
        Command::Types(types) => types.run().map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
