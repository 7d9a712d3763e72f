//! `syncano check`: what the macro would say, where no Rust program is compiled.

mod definition;
mod files;
mod finding;
mod script;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use syncano_syntax::python::Version;

use self::files::Kind;
use self::finding::{Finding, Severity};

/// Check scripts and definitions without running or sending anything
///
/// Reads Python and JavaScript (`.py`, `.js`, `.mjs`), definitions (`.json`, the body that creates a socket) and
/// `socket.yml` files, with the scripts in them. Of a folder, all scripts and each socket.json and socket.yml below it.
///
/// Exits with 1 if there is an error, with 2 if something can't be read.
#[derive(Args)]
pub(crate) struct Check {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Answer as JSON: {"findings": […], "files", "errors", "warnings"}, each finding with file, script, line, column,
    /// end_line, end_column, severity, code, message and help
    #[arg(long)]
    json: bool,

    /// The version of Python that the scripts are for
    #[arg(long, value_name = "VERSION", default_value_t = Version::default())]
    python: Version,
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
    pub(crate) fn run(self) -> ExitCode {
        match self.check() {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
        }
    }

    /// The number of errors.
    fn check(&self) -> anyhow::Result<usize> {
        let files = files::collect(&self.paths)?;
        let mut findings = Vec::new();
        for (path, kind) in &files {
            let shown = path.display().to_string();
            let text = std::fs::read(path).with_context(|| format!("`{shown}` can't be read"))?;
            let text = String::from_utf8(text).map_err(|_| anyhow::anyhow!("`{shown}` is not UTF-8"))?;
            match kind {
                Kind::Script(runtime) => findings.extend(script::check(&shown, *runtime, &text, self.python)),
                Kind::Json => findings.extend(definition::json(&shown, &text, self.python)),
                Kind::Yaml => findings.extend(definition::yaml(path, &text, self.python)?),
            }
        }
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        if self.json {
            let report = Report { findings: &findings, files: files.len(), errors, warnings };
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            findings.iter().for_each(|finding| println!("{}", finding.shown()));
            println!(
                "{}, {} in {}",
                counted(errors, "error"),
                counted(warnings, "warning"),
                counted(files.len(), "file")
            );
        }
        Ok(errors)
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
