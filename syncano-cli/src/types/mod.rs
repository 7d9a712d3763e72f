//! `syncano types`: types of arguments and results for the authors of scripts, made from a definition's schemas.

mod javascript;
mod model;
mod python;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use syncano_core::{Language, ScriptSource, Socket};

use crate::{definition, published};
use model::Model;

/// Write types for scripts, so that pyright and tsc check what they do
///
/// Writes into the scripts' folder, for those in Python `__builtins__.pyi` and `syncano_check.pyi`, for those in JavaScript
/// `syncano.d.ts`. They declare what the server gives to scripts (`ARGS`, `HttpResponse`, `AppError`, …), and for each function
/// `NAMEArgs` and `NAMEResult`, which a script names where it wants its body checked.
#[derive(Args)]
#[command(after_help = "In a script:
  def main(text: str, top: int = 5) -> \"StatisticsResult\":
  args: \"StatisticsArgs\" = ARGS
  /** @type {Syncano.StatisticsMain} */
  export default function statistics({ text, top = 5 }) {

Then, in the folder:
  npx pyright .
  npx -p typescript tsc --noEmit --checkJs --strict --noImplicitAny false --moduleDetection force *.d.ts *.js

Environment:
  SYNCANO_KEY  the account key, for --instance")]
pub(crate) struct Types {
    /// The file with the definition, in the raw JSON format, of one socket or of a list; `-` is standard input
    #[arg(required_unless_present = "instance", conflicts_with = "instance")]
    definition: Option<PathBuf>,

    /// What is published in this instance, instead of a file
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,

    /// The server
    #[arg(long, value_name = "URL", default_value = published::URL, requires = "instance")]
    url: String,

    /// The folder with the scripts
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    scripts: PathBuf,
}

/// What the first line of each file says.
fn is_made(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.contains("Made by `syncano types`"))
}

impl Types {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let sockets = match (&self.definition, &self.instance) {
            (Some(file), _) => definition::read(file)?,
            (None, Some(instance)) => published::sockets(&self.url, instance)?,
            (None, None) => Vec::new(),
        };
        let mut files = Vec::new();
        let python = of_language(&sockets, Language::Python);
        if !python.functions.is_empty() {
            files.push(("__builtins__.pyi", python::types(&python)));
            files.push(("syncano_check.pyi", python::check(&python, &texts(&self.scripts)?)));
        }
        let javascript = of_language(&sockets, Language::JavaScript);
        if !javascript.functions.is_empty() {
            files.push(("syncano.d.ts", javascript::types(&javascript)));
        }
        let mut stdout = std::io::stdout().lock();
        for (name, text) in files {
            let path = self.scripts.join(name);
            if fs::symlink_metadata(&path).is_ok()
                && !fs::read_to_string(&path).is_ok_and(|old| is_made(&old))
            {
                bail!("`{}` is there already and was not made by this command: move it away", path.display());
            }
            fs::write(&path, text).with_context(|| format!("`{}` can't be written", path.display()))?;
            writeln!(stdout, "{}", path.display())?;
        }
        Ok(())
    }
}

/// The functions whose scripts are in the language, and stand in the definition.
fn of_language(sockets: &[Socket], language: Language) -> Model {
    Model::of(sockets, |socket, call| match socket.script(&call.name).map(|script| &script.script) {
        Some(ScriptSource::New { runtime_name, source }) if runtime_name.language() == language => {
            Some(source.clone())
        }
        _ => None,
    })
}

/// A script file: its name without the extension, and its text.
type Text = (String, String);

/// The texts of a folder's scripts in Python.
fn texts(folder: &Path) -> anyhow::Result<Vec<Text>> {
    let what = || format!("the folder `{}` can't be read", folder.display());
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(what)? {
        let path = entry.with_context(what)?.path();
        let is_script = path.extension().is_some_and(|extension| extension == "py");
        if let (true, Some(stem)) = (is_script, path.file_stem().and_then(|stem| stem.to_str())) {
            // One that is no text is no script of a definition.
            texts.extend(fs::read_to_string(&path).ok().map(|text| (stem.to_owned(), text)));
        }
    }
    texts.sort();
    Ok(texts)
}
