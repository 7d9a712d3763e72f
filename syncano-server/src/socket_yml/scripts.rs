//! The scripts of a `socket.yml`: which dependency each becomes, and in which files its source is looked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use syncano_core::{Language, NameKind, Runtime, limits, normalize};

/// Where the command-line tools of 2016 to 2018 kept scripts, seen from the `socket.yml`.
const FOLDERS: [&str; 6] = ["", "scripts/", "src/", ".dist/src/", "dist/", "bin/"];

/// A script whose source is in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptFile {
    /// The index of its dependency in the body.
    pub dependency: usize,
    /// Paths beside the `socket.yml`, in the order in which they are tried.
    pub paths: Vec<String>,
}

/// What an entry of the file says about its script.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) source: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) runtime: Option<Runtime>,
    pub(super) config: Option<Map<String, Value>>,
    /// The path, without its extension, of a source that is in no file that is named; the script's name otherwise.
    pub(super) place: Option<&'a str>,
}

/// The scripts found so far.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) dependencies: Vec<Value>,
    pub(super) files: Vec<ScriptFile>,
    /// The dependency of a file that an endpoint names, by path and runtime.
    by_file: BTreeMap<(String, Runtime), String>,
    /// What every script runs on that doesn't say otherwise.
    pub(super) runtime: Option<Runtime>,
}

impl Scripts {
    /// Adds a script under its own name.
    pub(super) fn named(&mut self, name: &str, entry: Entry<'_>) {
        let runtime = self.runtime_of(&entry);
        if entry.source.is_none() {
            let implicit =
                || everywhere(&format!("{}.{}", entry.place.unwrap_or(name), extension(runtime.language())));
            let paths = entry.file.map_or_else(implicit, paths);
            self.files.push(ScriptFile { dependency: self.dependencies.len(), paths });
        }
        let mut dependency = json!({
            "type": "script",
            "name": name,
            "runtime_name": runtime,
            "source": entry.source.unwrap_or_default(),
        });
        if let Some(config) = entry.config {
            dependency["config"] = config.into();
        }
        self.dependencies.push(dependency);
    }

    /// Adds the script of an endpoint, or of one of its methods: `place` is `endpoint` or `endpoint/METHOD`. Returns the
    /// name of its dependency. One file is one dependency, however often it is named.
    pub(super) fn of_endpoint(&mut self, place: &str, entry: Entry<'_>) -> String {
        let runtime = self.runtime_of(&entry);
        let Some(file) = entry.file.filter(|_| entry.source.is_none() && entry.config.is_none()) else {
            let name = self.free_name(place);
            self.named(&name, Entry { place: Some(place), runtime: Some(runtime), ..entry });
            return name;
        };
        let key = (file.trim_start_matches("./").to_owned(), runtime);
        if let Some(name) = self.by_file.get(&key) {
            return name.clone();
        }
        let last = file.rsplit('/').next().unwrap_or(file);
        let name = self.free_name(last.rsplit_once('.').map_or(last, |(stem, _)| stem));
        self.by_file.insert(key, name.clone());
        self.named(&name, Entry { runtime: Some(runtime), ..entry });
        name
    }

    /// Whether a script has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let name = normalize(name);
        self.dependencies
            .iter()
            .any(|other| other["name"].as_str().is_some_and(|other| normalize(other) == name))
    }

    /// What the entry says comes first, then the extension of its file, unless that fits what the whole file says.
    fn runtime_of(&self, entry: &Entry<'_>) -> Runtime {
        let by_extension = entry
            .file
            .and_then(|file| file.rsplit_once('.'))
            .and_then(|(_, extension)| Runtime::from_extension(extension));
        let fits = |runtime: &Runtime| {
            by_extension.is_none_or(|by_extension| by_extension.language() == runtime.language())
        };
        entry.runtime.or(self.runtime.filter(fits)).or(by_extension).unwrap_or(Runtime::NodeJsV8)
    }

    /// A name for a dependency that is as close to `wanted` as the rules allow, and that no other has.
    fn free_name(&self, wanted: &str) -> String {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let name: String = wanted
            .chars()
            .map(|letter| if allowed(letter) { letter.to_ascii_lowercase() } else { '-' })
            .collect();
        let name = name.trim_matches(['-', '_']);
        let name = if name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            name.to_owned()
        } else {
            format!("script-{name}")
        };
        let name: String = name.chars().take(limits::NAME - 8).collect();
        let name = name.trim_end_matches(['-', '_']);
        let numbered = (2..).map(|number: usize| format!("{name}-{number}"));
        let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
        let is_free = |name: &String| NameKind::Script.check(name).is_ok() && !self.has(name);
        // There are more numbers than scripts in any file.
        candidates.find(is_free).unwrap_or_default()
    }
}

/// Whether a text that should name a script names a file.
pub(super) fn is_file(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| Runtime::from_extension(extension).is_some()) && !text.contains('\n')
}

/// Where a file may be. One in a folder is looked for there only.
fn paths(file: &str) -> Vec<String> {
    let file = file.trim_start_matches("./");
    match file.contains('/') {
        true => vec![file.to_owned()],
        false => everywhere(file),
    }
}

fn everywhere(file: &str) -> Vec<String> {
    FOLDERS.iter().map(|folder| format!("{folder}{file}")).collect()
}

/// The extension of scripts in a language.
fn extension(language: Language) -> &'static str {
    match language {
        Language::Python => "py",
        Language::JavaScript => "js",
        Language::Ruby => "rb",
        Language::Go => "go",
        Language::Swift => "swift",
        Language::Php => "php",
    }
}
