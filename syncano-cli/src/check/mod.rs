//! `syncano check`: what the macro would say, where no Rust program is compiled.

mod contract;
mod definition;
mod files;
mod finding;
mod script;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use syncano_syntax::{javascript, python};

use self::contract::Contract;
use self::files::Kind;
use self::finding::{Finding, Severity};
use self::script::Versions;
use crate::outcome::Outcome;
use crate::output;

/// Check scripts and definitions without running or sending anything
///
/// Reads Python and JavaScript (`.py`, `.js`, `.mjs`), definitions (`.json`, the body that creates a socket, or a list of them) and
/// `socket.yml` files, with the scripts in them. Of a folder, all scripts and each socket.json and socket.yml below it.
///
/// In colour on a terminal, unless NO_COLOR is set.
#[derive(Args)]
#[command(
    after_help = "Exit status: 0 without an error, 3 with one, 1 if a path can't be read or holds nothing to check, 2 if the command line \
is wrong."
)]
pub(crate) struct Check {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Answer as JSON
    ///
    /// An object of `findings`, and the numbers of `files`, `errors` and `warnings`. A finding has `file`; `script`, the name of
    /// the script in that file which the lines are counted in, or null; `line`, `column`, `end_line`, `end_column`, from 1,
    /// columns in characters, the end excluded, or null where the place isn't known; `severity`, "error" or "warning"; `code`,
    /// which names the rule and stays; `message`; `help`, or null.
    #[arg(long)]
    json: bool,

    /// Exit with 3 if there is a warning, too
    #[arg(long)]
    deny_warnings: bool,

    /// The version of Python that the scripts are for
    #[arg(long, value_name = "VERSION", default_value_t = python::Version::default())]
    python: python::Version,

    /// The version of Node that the scripts are for
    #[arg(long, value_name = "VERSION", default_value_t = javascript::Version::default())]
    node: javascript::Version,
}

/// What `--json` answers.
#[derive(Serialize)]
struct Report<'a> {
    findings: &'a [Finding],
    /// How many files were read.
    files: usize,
    errors: usize,
    warnings: usize,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let files = files::collect(&self.paths)?;
        let versions = Versions { python: self.python, node: self.node };
        let mut findings = Vec::new();
        for (path, kind) in &files {
            let shown = path.display().to_string();
            let text = std::fs::read(path).with_context(|| format!("`{shown}` can't be read"))?;
            let Ok(text) = String::from_utf8(text) else {
                let message = "the file is not UTF-8: save it as such".to_owned();
                findings.push(Finding::new(&shown, "", None, Severity::Error, "utf-8", message));
                continue;
            };
            match kind {
                Kind::Script(runtime) => {
                    let contract = Contract::unknown();
                    findings.extend(script::check(&shown, *runtime, &text, versions, &contract));
                }
                Kind::Json => findings.extend(definition::json(&shown, &text, versions)),
                Kind::Yaml => findings.extend(definition::yaml(path, &text, versions)),
            }
        }
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let report = if self.json {
            serde_json::to_string_pretty(&Report {
                findings: &findings,
                files: files.len(),
                errors,
                warnings,
            })? + "\n"
        } else {
            let mut text: String = findings.iter().map(|finding| finding.shown() + "\n").collect();
            let (errors, warnings) = (counted(errors, "error"), counted(warnings, "warning"));
            text.push_str(&format!("{errors}, {warnings} in {}\n", counted(files.len(), "file")));
            text
        };
        output::print(&report)?;
        let failed = errors > 0 || (self.deny_warnings && warnings > 0);
        Ok(if failed { Outcome::Findings } else { Outcome::Ok })
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
