//! A definition: the rules of `syncano-core`, at the places in the file that break them, and the scripts in it.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path as FilePath;

use jsonc_parser::ast::{ObjectProp, Value as Tree};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Value};
use syncano_core::{
    NameKind, Path, Runtime, Segment, Socket, Violation, ViolationKind, ignored_keys, limits,
};
use syncano_server::socket_yml::{self, ScriptFile, SocketYml, without_bom};

use super::contract::Contract;
use super::finding::{Finding, Severity};
use super::script::{self, Versions};

/// Checks the body that creates a socket, or a list of them.
pub(crate) fn json(file: &str, text: &str, versions: Versions) -> Vec<Finding> {
    let text = without_bom(text);
    let body: Value = match serde_json::from_str(text) {
        Ok(body) => body,
        Err(error) => {
            let at = offset(text, error.line(), error.column());
            let message = format!("the file is not JSON: {error}");
            return vec![Finding::new(file, text, Some(at..at), Severity::Error, "json", message)];
        }
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let tree = parsed.ok().and_then(|parsed| parsed.value);
    // What serde_json has read, the other parser reads as well.
    let bodies: Vec<(&Value, Option<&Tree>)> = match (&body, &tree) {
        (Value::Array(bodies), Some(Tree::Array(trees))) => {
            bodies.iter().zip(trees.elements.iter().map(Some)).collect()
        }
        (body, tree) => vec![(body, tree.as_ref())],
    };
    let mut findings = Vec::new();
    for (body, tree) in bodies {
        findings.extend(rules(file, body, Origin::Json, |path| (text, tree.map(|tree| place(tree, path)))));
        findings.extend(scripts(file, body, versions));
    }
    findings
}

/// Checks a `socket.yml`, with the scripts in files beside it.
pub(crate) fn yaml(path: &FilePath, text: &str, versions: Versions) -> Vec<Finding> {
    let (file, text) = (path.display().to_string(), without_bom(text));
    let wrong = |code, message| vec![Finding::new(&file, text, None, Severity::Error, code, message)];
    let yaml = match socket_yml::parse(text) {
        Ok(yaml) => yaml,
        Err(problem) => return wrong("yaml", format!("the file is no YAML: {problem}")),
    };
    // A file that names no socket is installed under the name that the installer chooses.
    let name = yaml.get("name").and_then(Value::as_str).filter(|name| NameKind::Socket.check(name).is_ok());
    let name = name.unwrap_or("socket");
    let SocketYml { mut body, files, warnings } = match socket_yml::read(&yaml, name, Map::new()) {
        Ok(read) => read,
        Err(problem) => return wrong("socket-yml", problem),
    };
    let folder = path.parent().unwrap_or(FilePath::new(""));
    let mut found: Vec<(usize, &str)> = Vec::new();
    for ScriptFile { dependency, paths } in &files {
        match first_file(folder, paths) {
            Ok((path, text)) => {
                found.push((*dependency, path));
                body["dependencies"][dependency]["source"] = without_bom(&text).into();
            }
            Err(problem) => return wrong("script-file", problem),
        }
    }
    let mut findings = rules(&file, &body, Origin::Yaml, |_| (text, None));
    findings.extend(
        warnings
            .into_iter()
            .map(|warning| Finding::new(&file, text, None, Severity::Warning, "socket-yml", warning)),
    );
    let dependencies: Vec<_> = body["dependencies"].as_array().into_iter().flatten().enumerate().collect();
    for (index, dependency) in dependencies {
        let Some((name, runtime, source)) = new_script(dependency) else { continue };
        let contract = Contract::of(&body, dependency);
        match found.iter().find(|(of, _)| *of == index) {
            // In a file, which is what its author wants to hear of.
            Some((_, source_file)) => {
                let shown = folder.join(source_file).display().to_string();
                findings.extend(script::check(&shown, runtime, source, versions, &contract));
            }
            None => {
                let found = script::check(&file, runtime, source, versions, &contract);
                findings.extend(found.into_iter().map(|finding| finding.in_script(name)));
            }
        }
    }
    findings
}

/// The first of these files that is there, with its text.
fn first_file<'a>(folder: &FilePath, paths: &'a [String]) -> Result<(&'a str, String), String> {
    let mut problem = String::new();
    for path in paths {
        match script_file(folder, path) {
            Ok(text) => return Ok((path, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if problem.is_empty() {
                    problem = format!("the script file `{path}` can't be read: {error}");
                }
            }
            Err(error) => return Err(format!("the script file `{path}` can't be read: {error}")),
        }
    }
    match paths.get(1..).unwrap_or_default() {
        [] => Err(problem),
        others => Err(format!("{problem}; nor is there `{}`", others.join("`, `"))),
    }
}

/// The text of a script in the folder of its definition or below. Others' definitions don't show what lies elsewhere.
fn script_file(folder: &FilePath, source: &str) -> io::Result<String> {
    let path = folder.join(source).canonicalize()?;
    // A name alone is in the current folder.
    if !path.starts_with(folder.join(".").canonicalize()?) {
        return Err(io::Error::other("it is not in the folder of the definition"));
    }
    let file = path.metadata()?;
    if !file.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if file.len() > limits::SOURCE_BYTES as u64 {
        return Err(io::Error::other(format!("a script has at most {} bytes", limits::SOURCE_BYTES)));
    }
    fs::read_to_string(path)
}

/// The kind of file that a definition comes from.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    /// The body itself, whose keys are all there.
    Json,
    /// A `socket.yml`, often somebody else's: what the server installs all the same isn't wrong.
    Yaml,
}

/// The broken rules; `place` finds what they are about.
fn rules<'a>(
    file: &str,
    body: &Value,
    origin: Origin,
    place: impl Fn(&Path) -> (&'a str, Option<Range<usize>>),
) -> Vec<Finding> {
    let mut broken: Vec<Violation> = match Socket::from_json(body) {
        Ok(socket) => socket.validate(),
        Err(broken) => broken,
    };
    if origin == Origin::Json {
        broken.extend(ignored_keys(body));
    }
    let finding = |Violation { path, kind }: Violation| {
        let (text, span) = place(&path);
        let message = match span {
            Some(_) => kind.to_string(),
            None => format!("at {path}: {kind}"),
        };
        // As in the macro every other rule is an error, whatever the server makes of it.
        let (severity, help) = match &kind {
            ViolationKind::UnresolvedCall { .. } => {
                (Severity::Warning, Some("a script endpoint of that name on the server will do"))
            }
            ViolationKind::IgnoredKey { .. } | ViolationKind::TransportKey { .. } => {
                (Severity::Warning, None)
            }
            kind if origin == Origin::Yaml && kind.severity() == syncano_core::Severity::Tolerated => {
                (Severity::Warning, None)
            }
            _ => (Severity::Error, None),
        };
        let finding = Finding::new(file, text, span, severity, kind.code(), message);
        match help {
            Some(help) => finding.with_help(help),
            None => finding,
        }
    };
    broken.into_iter().map(finding).collect()
}

fn scripts(file: &str, body: &Value, versions: Versions) -> Vec<Finding> {
    let dependencies = body.get("dependencies").and_then(Value::as_array);
    let mut findings = Vec::new();
    for dependency in dependencies.into_iter().flatten() {
        let Some((name, runtime, source)) = new_script(dependency) else { continue };
        let found = script::check(file, runtime, source, versions, &Contract::of(body, dependency));
        findings.extend(found.into_iter().map(|finding| finding.in_script(name)));
    }
    findings
}

/// Name, runtime and source of a dependency that has them.
fn new_script(dependency: &Value) -> Option<(&str, Runtime, &str)> {
    let text = |key| dependency.get(key).and_then(Value::as_str);
    Some((text("name")?, text("runtime_name")?.parse().ok()?, text("source")?))
}

/// Where the value at a path stands: a large one is shown by its key, and one that is missing by what it is missing in.
fn place(tree: &Tree<'_>, path: &Path) -> Range<usize> {
    let (mut value, mut key) = (tree, None::<&ObjectProp<'_>>);
    for segment in &path.0 {
        let inner = match (segment, value) {
            (Segment::Key(name), Tree::Object(object)) => {
                let property = object.properties.iter().find(|property| property.name.as_str() == name);
                property.map(|property| (&property.value, Some(property)))
            }
            (Segment::Index(index), Tree::Array(array)) => {
                array.elements.get(*index).map(|inner| (inner, None))
            }
            _ => None,
        };
        let Some((inner, property)) = inner else { break };
        (value, key) = (inner, property);
    }
    let is_large = matches!(value, Tree::Object(_) | Tree::Array(_));
    match key {
        Some(property) if is_large => property.name.range().start..property.name.range().end,
        _ if is_large => value.range().start..value.range().start + 1,
        _ => value.range().start..value.range().end,
    }
}

/// The byte at a line and column as serde_json counts them: both from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}
