//! Node's own verdict, for many scripts at once.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use syncano_syntax::javascript::Version;

/// Reads scripts, with a null between two, and prints of each whether it is a program, a module, or why it is neither: as the server's
/// worker decides it.
const JUDGE: &str = r#"
process.emitWarning = () => {};
const vm = require('vm');
const MODULE = [
  'await is only valid in async functions and the top level bodies of modules',
  'Unexpected reserved word',
  'Cannot use import statement outside a module',
  "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module",
];
const judge = source => {
  let problem;
  try { new vm.Script(source); return 'program'; } catch (error) { problem = error; }
  try {
    const module = new vm.SourceTextModule(source);
    const imports = (module.dependencySpecifiers ?? module.moduleRequests).length > 0;
    if (MODULE.includes(problem.message) || imports || /^\s*export\b/m.test(source)) return 'module';
  } catch (error) { if (MODULE.includes(problem.message)) problem = error; }
  return `error ${problem.message}`;
};
const sources = require('fs').readFileSync(0, 'utf8').split('\0');
console.log(sources.map(source => judge(source).split('\n')[0]).join('\n'));
"#;

/// `program`, `module` or `error …` for each; nothing if there is no Node.
pub(crate) fn verdicts(sources: &[String]) -> Option<Vec<String>> {
    let mut node = Command::new("node")
        .args(["--experimental-vm-modules", "-e", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let text = sources.join("\0");
    let mut stdin = node.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = node.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    let verdicts: Vec<String> = String::from_utf8(output.stdout).ok()?.lines().map(str::to_owned).collect();
    assert_eq!(verdicts.len(), sources.len(), "Node answers for each");
    Some(verdicts)
}

/// Name and text of the scripts that are on this machine: Node's own library and the folders of npm's packages, or all below another
/// folder with `SYNCANO_TEST_SCRIPTS`.
pub(crate) fn scripts() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let other = env::var_os("SYNCANO_TEST_SCRIPTS").map(PathBuf::from);
    let folders = match &other {
        Some(folder) => vec![folder.clone()],
        None => {
            let global = Command::new("npm").args(["root", "-g"]).output().ok();
            let global = global.and_then(|output| String::from_utf8(output.stdout).ok());
            let mut folders =
                vec![PathBuf::from("/usr/share/nodejs"), PathBuf::from("/usr/lib/node_modules")];
            folders.extend(global.map(|path| PathBuf::from(path.trim())));
            folders
        }
    };
    folders.iter().for_each(|folder| collect(folder, &mut files));
    files.sort();
    files.dedup();
    let read = |path: PathBuf| Some((path.display().to_string(), fs::read_to_string(path).ok()?));
    let mut scripts: Vec<(String, String)> = files.into_iter().filter_map(read).collect();
    if other.is_none() {
        scripts.extend(own_library());
    }
    // Nulls separate scripts.
    scripts.retain(|(_, source)| !source.contains('\0'));
    assert!(other.is_none() || !scripts.is_empty(), "no scripts there");
    scripts
}

/// The modules that are built into Node.
fn own_library() -> Vec<(String, String)> {
    const PRINT: &str = "process.emitWarning = () => {};
        const texts = Object.entries(process.binding('natives')).filter(([, text]) => !text.includes('\\0'));
        process.stdout.write(texts.map(([name, text]) => `${name}\\0${text}`).join('\\0'));";
    let Ok(output) = Command::new("node").args(["-e", PRINT]).output() else { return Vec::new() };
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    let parts: Vec<&str> = text.split('\0').collect();
    parts.chunks_exact(2).map(|part| (format!("node:{}", part[0]), part[1].to_owned())).collect()
}

fn collect(folder: &std::path::Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|extension| ["js", "mjs", "cjs"].iter().any(|name| extension == *name))
        {
            files.push(path);
        }
    }
}

/// Where Node is missing: said on a machine, refused where everything must be there.
pub(crate) fn skipped() {
    assert!(env::var_os("CI").is_none(), "node doesn't answer");
    println!("skipped: node doesn't answer");
}

/// What Node answers to a program, without the last line end.
pub(crate) fn answer(program: &str) -> Option<String> {
    let output = Command::new("node").args(["-p", program]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Its major version, if that is one whose syntax is known here.
pub(crate) fn major() -> Option<String> {
    answer("process.versions.node.split('.')[0]").filter(|major| major.parse::<Version>().is_ok())
}
