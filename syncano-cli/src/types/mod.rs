//! `syncano types`: types of arguments and results for the authors of scripts, made from a definition's schemas.

mod javascript;
mod model;
mod python;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use syncano_core::{Language, ScriptSource, Socket};

use crate::definition;
use model::{Function, Model};

/// Write types for scripts, so that pyright and tsc check them
///
/// For each socket a file with the types of arguments and results, `NAME_types.pyi` and `NAME_types.d.ts`; for what the
/// server gives to scripts `__builtins__.pyi` and `syncano.d.ts`; and for each function style script in the folder a file
/// that holds its function against the types, `SCRIPT_check.py` and `SCRIPT_check.ts`. A script is found by its text.
#[derive(Args)]
#[command(after_help = "Then, in the folder (which must be pyright's project root):
  npx pyright .
  npx tsc --noEmit --allowJs --checkJs --strict --noImplicitAny false *.ts *.js")]
pub(crate) struct Types {
    /// The file with the definition, in the raw JSON format, of one socket or of a list; `-` is standard input
    definition: PathBuf,

    /// The folder with the scripts, where the types are written
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    scripts: PathBuf,
}

impl Types {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let sockets = definition::read(&self.definition)?;
        let scripts = texts(&self.scripts)?;
        let mut files: Vec<(String, String)> = Vec::new();
        for language in [Language::Python, Language::JavaScript] {
            let before = files.len();
            for socket in &sockets {
                files.extend(of_socket(socket, language, &scripts));
            }
            if files.len() > before {
                files.push(match language {
                    Language::JavaScript => ("syncano.d.ts".to_owned(), javascript::GLOBALS.to_owned()),
                    _ => ("__builtins__.pyi".to_owned(), python::GLOBALS.to_owned()),
                });
            }
        }
        let mut stdout = std::io::stdout().lock();
        for (name, text) in files {
            let path = self.scripts.join(name);
            fs::write(&path, text).with_context(|| format!("`{}` can't be written", path.display()))?;
            writeln!(stdout, "{}", path.display())?;
        }
        Ok(())
    }
}

/// A script file: its name without the extension, and its text.
type Text = (String, String);

/// The texts of a folder's scripts.
fn texts(folder: &Path) -> anyhow::Result<Vec<Text>> {
    let what = || format!("the folder `{}` can't be read", folder.display());
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(what)? {
        let path = entry.with_context(what)?.path();
        let is_script = path.extension().is_some_and(|extension| extension == "py" || extension == "js");
        if let (true, Some(stem)) = (is_script, path.file_stem().and_then(|stem| stem.to_str())) {
            // One that is no text is no script of a definition.
            texts.extend(fs::read_to_string(&path).ok().map(|text| (stem.to_owned(), text)));
        }
    }
    texts.sort();
    Ok(texts)
}

/// The files for one socket's scripts in one language.
fn of_socket(socket: &Socket, language: Language, scripts: &[Text]) -> Vec<(String, String)> {
    let source = |function: &Function| match socket.script(&function.script).map(|script| &script.script) {
        Some(ScriptSource::New { runtime_name, source }) if runtime_name.language() == language => {
            Some(source)
        }
        _ => None,
    };
    let model = Model::of(socket, |function| source(function).is_some());
    if model.functions.is_empty() {
        return Vec::new();
    }
    let module = format!("{}_types", socket.name.replace('-', "_"));
    let mut files = vec![match language {
        Language::JavaScript => (format!("{module}.d.ts"), javascript::types(&model)),
        _ => (format!("{module}.pyi"), python::types(&model)),
    }];
    for (stem, text) in scripts {
        let here = |function: &&Function| {
            source(function).is_some_and(|source| source == text) && is_function_style(text, language)
        };
        let functions: Vec<&Function> = model.functions.iter().filter(here).collect();
        if functions.is_empty() {
            continue;
        }
        if language == Language::Python && !python::is_name(stem) {
            eprintln!("`{stem}.py` can't be imported, and isn't checked: give it a name without `-` and `.`");
        } else {
            files.push(match language {
                Language::JavaScript => {
                    (format!("{stem}_check.ts"), javascript::check(&module, stem, &functions))
                }
                _ => (format!("{stem}_check.py"), python::check(&module, stem, &functions)),
            });
        }
    }
    files
}

/// Whether there is a function to hold against a type.
fn is_function_style(text: &str, language: Language) -> bool {
    let starts: &[&str] = match language {
        Language::JavaScript => &["export default "],
        _ => &["def main(", "async def main("],
    };
    text.lines().any(|line| starts.iter().any(|start| line.starts_with(start)))
}
