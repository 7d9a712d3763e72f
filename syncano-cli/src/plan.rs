//! `syncano plan`: what publishing a definition would change on a server.

use std::path::PathBuf;

use clap::Args;
use syncano_client::Plan as Planned;

use crate::outcome::Outcome;
use crate::{definition, output, published};

/// Show what publishing a definition would change, and which of it breaks callers
///
/// Nothing is written. The definition is the raw JSON format, one socket or a list of them: what a program prints with
/// `serde_json::to_string(&my_socket::definition())`.
#[derive(Args)]
#[command(after_help = "Environment:
  SYNCANO_KEY  the account key

Exit status: 0 if nothing breaks callers, 4 if something does, 1 if it can't be told, 2 if the command line is wrong.")]
pub(crate) struct Plan {
    /// The file with the definition; `-` is standard input
    definition: PathBuf,

    /// The instance to publish to
    #[arg(long, value_name = "NAME")]
    instance: String,

    /// The server
    #[arg(long, value_name = "URL", default_value = published::URL)]
    url: String,

    /// Answer as JSON: a list with an object for each socket
    #[arg(long)]
    json: bool,
}

impl Plan {
    #[tokio::main(flavor = "current_thread")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let sockets = definition::read(&self.definition)?;
        let instance = published::instance(&self.url, &self.instance).await?;
        let mut plans = Vec::new();
        for socket in &sockets {
            plans.push(instance.plan(socket).await?);
        }
        output::print(&match self.json {
            true => serde_json::to_string_pretty(&plans)? + "\n",
            false => plans.iter().map(Planned::to_string).collect(),
        })?;
        let breaks: usize = plans.iter().map(|plan| plan.breaking().count()).sum();
        if breaks > 0 && !self.json {
            output::note(format_args!("marked with `!`: {breaks} that would break those who call today"));
        }
        Ok(if plans.iter().any(Planned::is_breaking) { Outcome::BreaksCallers } else { Outcome::Ok })
    }
}
