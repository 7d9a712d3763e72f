//! `syncano doctor`: what this machine can do to isolate scripts.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use syncano_server::{Doctor as Report, Isolation, Server};

use crate::outcome::Outcome;
use crate::output;
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
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut builder = Server::builder().isolation_minimum(Isolation::None);
        if let Some(python) = self.python {
            builder = builder.python(python);
        }
        if let Some(node) = self.node {
            builder = builder.node(node);
        }
        let report = builder.examine();
        output::print(&match self.json {
            true => serde_json::to_string_pretty(&report)? + "\n",
            false => shown(&report)?,
        })?;
        let enough = report.level >= self.isolation_minimum;
        if !enough {
            output::note(format_args!("the level `{}` isn't reached", self.isolation_minimum));
        }
        Ok(if enough { Outcome::Ok } else { Outcome::Trouble })
    }
}

fn shown(report: &Report) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "isolation: {}", report.level)?;
    if !report.controls.is_empty() {
        writeln!(text, "\nscripts are kept from")?;
    }
    for control in &report.controls {
        let word = if control.present { "yes" } else { "no" };
        writeln!(text, "  {word:3}  {:40} {:9}  {}", control.name, control.level, control.found)?;
    }
    if let Some(reason) = &report.not_copied {
        writeln!(text, "\nprocesses of Python are started, which takes longer than copying one: {reason}")?;
    }
    for missing in &report.missing {
        writeln!(text, "\n`{}` is missing: {missing}", missing.level)?;
    }
    Ok(text)
}
