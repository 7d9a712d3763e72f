//! Finds out which level of isolation holds, by running scripts that try to break it, in the way that every script is run.

use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use syncano_core::{Language, RunStatus, Runtime};

use crate::builder::{RunnerBuilder, StartError};
use crate::call::{Arguments, Call};
use crate::directory::Directory;
use crate::doctor::Control;
use crate::isolation::Isolation;
use crate::limits::Limits;
use crate::outcome::Answer;
use crate::runner::{Interpreters, Runner};
use crate::script::Script;

/// What is tried, in both languages.
const PROBES: &[Probe] = &[
    ("read_files", "reading the server's files", Isolation::Process),
    ("read_passwords", "reading the system's passwords", Isolation::Process),
    ("list_folders", "listing the machine's folders", Isolation::Process),
    ("other_folder", "reading another script's folder", Isolation::Process),
    ("write_files", "writing outside its own folder", Isolation::Process),
    ("read_processes", "reading other processes", Isolation::Process),
    ("list_processes", "listing processes", Isolation::Process),
    ("signal_processes", "sending signals to other processes", Isolation::Process),
    ("trace_processes", "tracing other processes", Isolation::Process),
    ("connect", "connecting over the network", Isolation::Process),
    ("send_datagrams", "sending datagrams", Isolation::Process),
    ("listen", "listening for connections", Isolation::Process),
    ("connect_locally", "connecting to the machine's services", Isolation::Process),
    ("mount", "mounting", Isolation::Process),
    ("make_namespaces", "making namespaces", Isolation::Process),
    ("start_processes", "starting processes", Isolation::Process),
    ("execute", "executing other programs", Isolation::Process),
    ("see_files", "seeing which files the machine has", Isolation::Namespace),
    ("see_processes", "seeing which processes the machine has", Isolation::Namespace),
    ("see_the_machine", "seeing the machine's name", Isolation::Namespace),
    ("fill_folder", "filling the machine's disk", Isolation::Namespace),
    ("many_files", "making any number of files", Isolation::Namespace),
];

/// What a probe may write: more than a block, less than takes time.
const FOLDER: u64 = 1 << 20;
const FOLDER_ENTRIES: u64 = 100;

/// The name of a function, what it does, and the level that promises that it fails.
type Probe = (&'static str, &'static str, Isolation);

/// For one probe, the interpreter's start included.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found so far in this process: machines don't change under a running server.
static FOUND: Mutex<Vec<(Key, Found)>> = Mutex::new(Vec::new());

/// What came of trying a level that holds.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) controls: Vec<Control>,
    /// Why processes must not be copies, where they could be.
    pub(crate) not_copied: Option<String>,
}

/// Why a level doesn't hold.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(crate) reason: String,
    /// The lowest level that lacks it.
    pub(crate) level: Isolation,
}

#[derive(PartialEq, Eq)]
struct Key {
    level: Isolation,
    zygotes: bool,
    interpreter: Option<PathBuf>,
    directory: Option<PathBuf>,
}

/// Makes sure that everything holds that `level` promises. The error says what doesn't.
pub(crate) fn check(
    level: Isolation,
    settings: &RunnerBuilder,
    interpreters: &Interpreters,
) -> Result<Found, Lack> {
    let prober = [Language::Python, Language::JavaScript]
        .into_iter()
        .find_map(|language| interpreters.get(language).ok());
    let interpreter = prober.map(|interpreter| interpreter.path().to_owned());
    let key = Key { level, zygotes: settings.zygotes, interpreter, directory: settings.directory.clone() };
    // Held while trying: whoever asks the same at the same time gets the same answer.
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = found.iter().find(|(known, _)| *known == key) {
        return Ok(found.clone());
    }
    let prober = prober.map(|interpreter| interpreter.language());
    let controls = check_one_way(level, settings.clone().zygotes(false), interpreters, prober)?;
    // Workers that are copies are set up by another program, which has to prove itself, too.
    let may_be_copied = level >= Isolation::Namespace && settings.zygotes && prober == Some(Language::Python);
    let not_copied = may_be_copied
        .then(|| check_one_way(level, settings.clone(), interpreters, prober).err())
        .flatten()
        .map(|lack| lack.reason);
    let new = Found { controls, not_copied };
    found.push((key, new.clone()));
    Ok(new)
}

/// The same for processes that are copies (`settings.zygotes`), or that are started.
fn check_one_way(
    level: Isolation,
    settings: RunnerBuilder,
    interpreters: &Interpreters,
    prober: Option<Language>,
) -> Result<Vec<Control>, Lack> {
    let lack = |reason| Lack { reason, level };
    // What the operator asks of scripts is no matter of isolation: the runner itself says what is wrong with it.
    let mut settings = settings.max_workers(2);
    settings.environments.clear();
    settings.max_workers_memory = None;
    settings.limits = Limits { folder: FOLDER, folder_entries: FOLDER_ENTRIES, ..Limits::default() };
    let directory = Directory::for_runner(settings.directory.as_deref(), true)
        .map_err(|error| lack(StartError::Directory(error).to_string()))?;
    let are_copied = settings.zygotes;
    let runner = Runner::start_at(level, settings, interpreters.clone()).map_err(|error| match error {
        // Landlock and filters, on which every level stands.
        StartError::Isolation { reason, .. } => Lack { reason, level: Isolation::Process },
        error => lack(error.to_string()),
    })?;
    let Some(language) = prober else {
        // Nothing can run, so nothing can break out.
        return Ok(Vec::new());
    };
    // A thread of its own: the caller's may be one of a Tokio runtime, which another runtime can't run on.
    let controls = std::thread::scope(|scope| {
        let probing = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                if are_copied && runner.copies(language).await.is_none() {
                    return Err(io::Error::other(
                        "the process to be copied doesn't get ready: the log says why, or the server is root without \
                         CAP_SYS_ADMIN",
                    ));
                }
                let controls = try_all(&runner, language, &directory, PROBES).await?;
                if are_copied && runner.copies(language).await.is_none_or(|copies| copies == 0) {
                    return Err(io::Error::other("processes can't be copied: the log says why"));
                }
                runner.shutdown().await;
                Ok(controls)
            })
        });
        probing.join().unwrap_or_else(|_| Err(io::Error::other("the thread that tries it has panicked")))
    })
    .map_err(|error| lack(format!("what scripts can do can't be tried: {error}")))?;
    let broken: Vec<String> = controls
        .iter()
        .filter(|control| control.level <= level && !control.present)
        .map(|control| format!("{}: {}", control.name, control.found))
        .collect();
    if !broken.is_empty() {
        return Err(lack(format!("scripts aren't kept from {}", broken.join("; "))));
    }
    Ok(controls)
}

async fn try_all(
    runner: &Runner,
    language: Language,
    directory: &Directory,
    probes: &[Probe],
) -> io::Result<Vec<Control>> {
    // What scripts are to reach for: a file that everyone may read, another worker's folder, two services.
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "secret")?;
    let folder = directory.path().join("other");
    std::fs::create_dir(&folder)?;
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    let name = format!("syncano-probe-{}", tcp.local_addr()?.port());
    let _listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    let of = json!({
        "secret": secret,
        "folder": folder,
        "server": std::process::id(),
        "port": tcp.local_addr()?.port(),
        "abstract": name,
        "machine": std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim(),
        "bytes": FOLDER,
        "entries": FOLDER_ENTRIES,
    });
    let script = match language {
        Language::JavaScript => {
            Script::new("", "probes", Runtime::NodeJs, include_str!("node/probes.js"), "{}")
        }
        _ => Script::new("", "probes", Runtime::Python3, include_str!("python/probes.py"), "{}"),
    };
    let mut controls = Vec::new();
    for &(probe, name, level) in probes {
        let call = Call {
            arguments: Arguments::direct(json!({ "probe": probe, "of": of }).to_string()),
            meta: "{}".to_owned(),
            timeout: PATIENCE,
        };
        let outcome = runner.run(&script, call).await;
        let answer = match &outcome.answer {
            Some(Answer::Value(json)) => serde_json::from_slice::<(String, String)>(json).ok(),
            _ => None,
        };
        let (present, found) = match answer {
            Some((word, how)) if word == "refused" => (true, format!("refused: {how}")),
            // The filter that would refuse it is the one that refuses the others.
            Some((word, why)) if word == "untried" => (true, format!("not tried: {why}")),
            Some(_) => (false, "it was possible".to_owned()),
            None if outcome.status == RunStatus::Success => (false, "the script's process ended".to_owned()),
            None if outcome.stderr.contains("can't be started") => {
                return Err(io::Error::other(outcome.stderr));
            }
            None => (false, format!("the script ended otherwise: {}", outcome.stderr)),
        };
        controls.push(Control { name, level, present, found });
    }
    Ok(controls)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A probe that can't succeed where nothing is isolated would prove nothing where something is.
    #[test]
    fn everything_is_possible_without_isolation() {
        let settings = Runner::builder().max_workers(2);
        let interpreters = Interpreters::find(&settings, false);
        // These would change the machine, or depend on its settings.
        let left_out = ["mount", "read_passwords", "trace_processes", "write_files", "make_namespaces"];
        let probes: Vec<Probe> =
            PROBES.iter().filter(|probe| !left_out.contains(&probe.0)).copied().collect();
        for language in [Language::Python, Language::JavaScript] {
            if let Err(missing) = interpreters.get(language) {
                assert!(std::env::var_os("CI").is_none(), "{missing}");
                eprintln!("skipped: {missing}");
                continue;
            }
            let directory = Directory::for_runner(None, true).unwrap();
            let runner = Runner::start_at(Isolation::None, settings.clone(), interpreters.clone()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let controls = runtime.block_on(try_all(&runner, language, &directory, &probes)).unwrap();
            for control in controls {
                assert!(
                    !control.present || control.found.starts_with("not tried"),
                    "{language}: {control:?}"
                );
            }
        }
    }
}
