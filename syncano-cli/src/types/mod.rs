//! `syncano types`: types of arguments and results for the authors of scripts, made from a definition's schemas.

mod equal;
mod inline;
mod javascript;
mod model;
mod python;
mod reader;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use syncano_core::{Dependency, Language, Runtime, ScriptDependency, ScriptSource, Socket};

use crate::outcome::Outcome;
use crate::{definition, output, published};
use model::Model;

/// Write types for scripts, so that pyright and tsc check what they do
///
/// Writes into the scripts' folder, for those in Python `__builtins__.pyi` and `syncano_check.pyi`, for those in JavaScript
/// `syncano.d.ts`. They declare what the server gives to scripts (`ARGS`, `HttpResponse`, `AppError`, …), and for each function
/// `NAMEArgs` and `NAMEResult`, which a script names where it wants its body checked. `AppError` takes the errors that the functions
/// declare; other names too, unless each function of the language declares its errors.
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
    /// The files with the definitions, in the raw JSON format, each of one socket or of a list; `-` is standard input
    #[arg(required_unless_present = "instance", conflicts_with = "instance", value_name = "DEFINITION")]
    definitions: Vec<PathBuf>,

    /// What is published in this instance, instead of files
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,

    /// The server
    #[arg(long, value_name = "URL", default_value = published::URL, requires = "instance")]
    url: String,

    /// The folder with the scripts
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    scripts: PathBuf,

    /// A Rust file or a folder of them, whose inline scripts are written into the scripts' folder
    ///
    /// As `inline_NAME.py` and `inline_NAME.js`, whose lines have the numbers that they have in the Rust file. Only those of the
    /// definitions are written; files of this kind that no script stands for any more are removed.
    #[arg(long, value_name = "PATH")]
    rust: Option<PathBuf>,
}

/// What each file says that this command writes.
const MADE: &str = "Made by `syncano types`";

/// In its first line, or in its last one where the first is a script's.
fn is_made(text: &str) -> bool {
    let mut lines = text.lines();
    let (first, last) = (lines.next(), lines.next_back());
    first.into_iter().chain(last).any(|line| line.contains(MADE))
}

/// A script in a file: the file's name, and the script's text.
type Text = (String, String);

impl Types {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let sockets = match &self.instance {
            Some(instance) => published::sockets(&self.url, instance)?,
            None => {
                let files = self.definitions.iter().map(|file| definition::read(file));
                files.collect::<anyhow::Result<Vec<_>>>()?.concat()
            }
        };
        let mut texts = texts(&self.scripts)?;
        let mut files = self.inline(&sockets, &mut texts)?;
        let python = of_language(&sockets, Language::Python);
        if !python.functions.is_empty() {
            files.insert("__builtins__.pyi".to_owned(), python::types(&python));
            files.insert("syncano_check.pyi".to_owned(), python::check(&python, &texts));
        }
        let javascript = of_language(&sockets, Language::JavaScript);
        if !javascript.functions.is_empty() {
            files.insert("syncano.d.ts".to_owned(), javascript::types(&javascript));
        }
        // All of them before anything is said: nobody may be reading.
        let mut written = String::new();
        for (name, text) in &files {
            let path = self.scripts.join(name);
            let shown = path.display();
            if fs::symlink_metadata(&path).is_ok()
                && !fs::read_to_string(&path).is_ok_and(|old| is_made(&old))
            {
                bail!("`{shown}` is there already and was not made by this command: move it away");
            }
            fs::write(&path, text).with_context(|| format!("`{shown}` can't be written"))?;
            written.push_str(&format!("{shown}\n"));
        }
        if self.rust.is_some() {
            remove_old(&self.scripts, |name| files.contains_key(name))?;
        }
        output::print(&written)?;
        Ok(Outcome::Ok)
    }

    /// The files for scripts that stand in Rust files, by name; their texts are added to `texts`. Scripts that no checker will see
    /// are told.
    fn inline(&self, sockets: &[Socket], texts: &mut Vec<Text>) -> anyhow::Result<BTreeMap<String, String>> {
        let literals = self.rust.as_deref().map(inline::literals).transpose()?;
        let mut files = BTreeMap::new();
        for (socket, name, language, source) in sockets.iter().flat_map(scripts) {
            let extension = if language == Language::Python { "py" } else { "js" };
            if texts.iter().any(|(file, text)| text == source && language_of(file) == Some(language)) {
                continue;
            }
            let Some(literal) = literals.iter().flatten().find(|literal| literal.text == source) else {
                let rust = match &self.rust {
                    Some(rust) => format!(", nor in a Rust file of `{}`", rust.display()),
                    None => {
                        ": `--rust src` writes scripts there that stand in Rust files of `src`".to_owned()
                    }
                };
                let folder = self.scripts.display();
                output::note(format_args!(
                    "the script `{name}` of the socket `{socket}` isn't checked: it is in no file of `{folder}`{rust}"
                ));
                continue;
            };
            let file = inline::name(socket, name, extension, |file| files.contains_key(file));
            texts.push((file.clone(), source.to_owned()));
            files.insert(file, inline::file(literal, language));
        }
        Ok(files)
    }
}

/// Socket, name, language and text of each script that a definition holds, if the checkers know the language.
fn scripts(socket: &Socket) -> impl Iterator<Item = (&str, &str, Language, &str)> {
    socket.dependencies.iter().filter_map(|dependency| {
        let Dependency::Script(ScriptDependency { name, script, .. }) = dependency else { return None };
        let ScriptSource::New { runtime_name, source } = script else { return None };
        let language = runtime_name.language();
        let is_known = matches!(language, Language::Python | Language::JavaScript);
        is_known.then_some((socket.name.as_str(), name.as_str(), language, source.as_str()))
    })
}

fn language_of(file: &str) -> Option<Language> {
    let extension = Path::new(file).extension()?.to_str()?;
    Some(Runtime::from_extension(extension)?.language())
}

/// Removes files of scripts that were inline once.
fn remove_old(folder: &Path, is_new: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for (name, text) in texts(folder)? {
        if name.starts_with(inline::PREFIX) && is_made(&text) && !is_new(&name) {
            let path = folder.join(name);
            fs::remove_file(&path).with_context(|| format!("`{}` can't be removed", path.display()))?;
        }
    }
    Ok(())
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

/// The texts of a folder's scripts.
fn texts(folder: &Path) -> anyhow::Result<Vec<Text>> {
    let what = || format!("the folder `{}` can't be read", folder.display());
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(what)? {
        let path = entry.with_context(what)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| language_of(name).is_some()) {
            // One that is no text is no script of a definition.
            texts.extend(fs::read_to_string(&path).ok().map(|text| (name.to_owned(), text)));
        }
    }
    texts.sort();
    Ok(texts)
}
