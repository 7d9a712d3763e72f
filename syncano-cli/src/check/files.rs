//! Which files are checked.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use syncano_core::Runtime;

/// What a file holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Script(Runtime),
    Json,
    Yaml,
}

/// Folders in which others' scripts are, or what tools have made.
const SKIPPED: [&str; 3] = ["node_modules", "__pycache__", "target"];

/// The files that are meant, in the order of their names; each once.
pub(crate) fn collect(paths: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
    let mut files: Vec<(PathBuf, Kind)> = Vec::new();
    for path in paths {
        let metadata = path.metadata().with_context(|| format!("`{}` can't be read", path.display()))?;
        if metadata.is_dir() {
            let before = files.len();
            folder(path, &mut files)?;
            if files.len() == before {
                bail!(
                    "`{}` holds nothing to check: no `.py`, `.js` or `.mjs` file, no socket.json or socket.yml",
                    path.display()
                );
            }
        } else {
            let Some(kind) = kind(path) else {
                bail!(
                    "`{}` is neither a script (`.py`, `.js`, `.mjs`) nor a definition (`.json`, `.yml`)",
                    path.display()
                );
            };
            files.push((path.clone(), kind));
        }
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    let mut seen = HashSet::new();
    // `.` and `socket.json` may lead to the same file. What can't be resolved is told when it is read.
    files.retain(|(path, _)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(files)
}

fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()? {
        extension @ ("py" | "js" | "mjs") => Runtime::from_extension(extension).map(Kind::Script),
        "json" => Some(Kind::Json),
        "yml" | "yaml" => Some(Kind::Yaml),
        _ => None,
    }
}

/// Links aren't followed: they may lead back.
fn folder(path: &Path, files: &mut Vec<(PathBuf, Kind)>) -> anyhow::Result<()> {
    let unreadable = || format!("`{}` can't be read", path.display());
    for entry in path.read_dir().with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let (kind_of_entry, name) = (entry.file_type().with_context(unreadable)?, entry.file_name());
        let name = name.to_string_lossy();
        if kind_of_entry.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                folder(&entry.path(), files)?;
            }
            continue;
        }
        let is_definition = name == "socket.json" || name == "socket.yml";
        match kind(&entry.path()) {
            Some(kind) if kind_of_entry.is_file() && (is_definition || matches!(kind, Kind::Script(_))) => {
                files.push((entry.path(), kind));
            }
            _ => {}
        }
    }
    Ok(())
}
