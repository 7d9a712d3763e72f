//! `syncano doctor`: what this machine can do to isolate scripts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use syncano_server::{Doctor as Report, Isolation, Server};

use crate::serve::MINIMUM;

/// Try how well scripts can be isolated on this machine, as the user who asks
///
/// Runs hostile scripts in the way that the server runs every script. Fails if the level isn't reached that the server
/// asks for.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Answer as JSON
    #[arg(long)]
    json: bool,

    /// The level that must be reached: none, process or namespace
    #[arg(long, value_name = "LEVEL", default_value = MINIMUM)]
    isolation_minimum: Isolation,

    /// The Python interpreter [default: /usr/bin/python3, else the first that works on PATH]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// The Node interpreter, for JavaScript [default: /usr/bin/node, else the first that works on PATH]
    #[arg(long, value_name = "PATH")]
    node: Option<PathBuf>,
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut builder = Server::builder().isolation_minimum(Isolation::None);
        if let Some(python) = self.python {
            builder = builder.python(python);
        }
        if let Some(node) = self.node {
            builder = builder.node(node);
        }
        let report = builder.examine();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        let enough = report.level >= self.isolation_minimum;
        if !enough {
            eprintln!("the level `{}` isn't reached", self.isolation_minimum);
        }
        Ok(if enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(report: &Report) {
    println!("isolation: {}", report.level);
    if !report.controls.is_empty() {
        println!("\nscripts are kept from");
    }
    for control in &report.controls {
        let word = if control.present { "yes" } else { "no" };
        println!("  {word:3}  {:40} {:9}  {}", control.name, control.level, control.found);
    }
    if let Some(reason) = &report.not_copied {
        println!("\nprocesses of Python are started, which takes longer than copying one: {reason}");
    }
    for missing in &report.missing {
        println!("\n`{}` is missing: {missing}", missing.level);
    }
}
