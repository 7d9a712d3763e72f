//! The `syncano` command.

// Both panic where nobody reads any more: `output` doesn't.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod account;
mod check;
mod columns;
mod database;
mod definition;
mod doctor;
mod environment;
mod key;
mod outcome;
mod output;
mod plan;
mod published;
mod serve;
mod types;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use outcome::Outcome;
use output::ReaderGone;

/// Custom Sockets: name an endpoint, say which script answers which HTTP method, publish, call.
#[derive(Parser)]
#[command(name = "syncano", version, max_term_width = 100, after_help = outcome::TABLE)]
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

impl Command {
    fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Command::Serve(serve) => serve.run(),
            Command::Check(check) => check.run(),
            Command::Doctor(doctor) => doctor.run(),
            Command::Account(account) => account.run(),
            Command::Key(key) => key.run(),
            Command::Plan(plan) => plan.run(),
            Command::Types(types) => types.run(),
        }
    }
}

fn main() -> ExitCode {
    let done = match Arguments::try_parse() {
        Ok(arguments) => arguments.command.run(),
        Err(answer) => output::answer(&answer),
    };
    let outcome = done.unwrap_or_else(|error| {
        if error.is::<ReaderGone>() {
            return Outcome::ReaderGone;
        }
        output::note(format_args!("error: {error:#}"));
        Outcome::Trouble
    });
    outcome.into()
}
