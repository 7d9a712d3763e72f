//! The temporary folders: one per runner, one per worker inside it.
//!
//! What a script has left may take longer to remove than it took to make, on some disks many times as long. So a thread of
//! its own does that, and neither calls that end nor seats that come back wait for it.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::find::closed_to_others;

/// A folder that is removed with everything in it when this is dropped: a worker's by and by, a runner's before the drop
/// returns, unless that takes too long.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    of: Of,
}

#[derive(Debug)]
enum Of {
    Runner {
        /// Held for as long as the runner lives: a folder that nobody holds was left by a server that has been killed.
        _lock: OwnedFd,
        /// There is one as soon as a worker has a folder.
        remover: OnceLock<Remover>,
    },
    /// To whom it is left.
    Worker(Option<Sender<Message>>),
}

/// How long a runner that ends removes what is left. The rest is for the next one that starts.
const PATIENCE: Duration = Duration::from_secs(8);

/// When to stop removing, once that is known.
type Deadline = Arc<OnceLock<Instant>>;

enum Message {
    Remove(PathBuf),
    /// Nobody leaves anything any more.
    End,
}

/// The thread that removes what workers leave.
#[derive(Debug)]
struct Remover {
    sender: Sender<Message>,
    deadline: Deadline,
    thread: JoinHandle<()>,
}

impl Remover {
    fn start() -> io::Result<Remover> {
        let (sender, receiver) = channel();
        let deadline = Deadline::default();
        let thread = {
            let deadline = Arc::clone(&deadline);
            std::thread::Builder::new().name("syncano-remove".to_owned()).spawn(move || {
                while let Ok(Message::Remove(path)) = receiver.recv() {
                    remove(&path, &deadline);
                }
            })?
        };
        Ok(Remover { sender, deadline, thread })
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

/// How the folders of runners are called.
const PREFIX: &str = "syncano-runner-";

impl Directory {
    /// The runner's folder, under `parent` or the system's folder for temporary files. Where workers are other users
    /// (`shared`), they must be able to pass through it.
    pub(crate) fn for_runner(parent: Option<&Path>, shared: bool) -> io::Result<Directory> {
        let parents = match parent {
            Some(parent) => vec![parent.to_owned()],
            None => vec![std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()],
        };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for parent in parents {
            // A relative or linked TMPDIR would not be the path that the rules of the sandbox are made for.
            let parent = match parent.canonicalize() {
                Ok(parent) => parent,
                Err(error) => {
                    last = at(&parent, &error);
                    continue;
                }
            };
            let random = RandomState::new().hash_one(std::process::id());
            let path = parent.join(format!("{PREFIX}{random:016x}"));
            if shared && let Some(closed) = closed_to_others(&path) {
                last = io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("`{}` can't be entered by the users that scripts run as", closed.display()),
                );
                continue;
            }
            remove_abandoned(&parent);
            match make_locked(&path, if shared { 0o711 } else { 0o700 }) {
                Ok(directory) => return Ok(directory),
                Err(error) => last = at(&parent, &error),
            }
        }
        Err(last)
    }

    /// A worker's folder inside this one, its own and nobody else's.
    pub(crate) fn for_worker(&self, name: &str, owner: Option<(u32, u32)>) -> io::Result<Directory> {
        let path = self.path.join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let directory = Directory { path, of: Of::Worker(self.remover()) };
        std::fs::set_permissions(&directory.path, PermissionsExt::from_mode(0o700))?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&directory.path, Some(uid), Some(gid))?;
        }
        Ok(directory)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Who removes what is in this one; nobody, if there can't be another thread.
    fn remover(&self) -> Option<Sender<Message>> {
        let Of::Runner { remover, .. } = &self.of else { return None };
        if remover.get().is_none()
            && let Ok(new) = Remover::start()
            && let Err(surplus) = remover.set(new)
        {
            let _ = surplus.sender.send(Message::End);
        }
        remover.get().map(|remover| remover.sender.clone())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        let deadline = Deadline::default();
        match &mut self.of {
            Of::Worker(Some(sender)) => {
                // Whoever gets the user next can't enter it, whatever else would keep them from it.
                let _ = std::os::unix::fs::chown(&path, Some(rustix::process::geteuid().as_raw()), None);
                if let Err(unsent) = sender.send(Message::Remove(path))
                    && let Message::Remove(path) = unsent.0
                {
                    remove(&path, &deadline);
                }
            }
            Of::Worker(None) => remove(&path, &deadline),
            Of::Runner { remover, .. } => {
                let end = *deadline.get_or_init(|| Instant::now() + PATIENCE);
                if let Some(Remover { sender, deadline, thread }) = remover.take() {
                    deadline.get_or_init(|| end);
                    let _ = sender.send(Message::End);
                    // It doesn't panic; if it did, what it has left would be found below.
                    let _ = thread.join();
                }
                remove(&path, &deadline);
            }
        }
    }
}

fn remove(path: &Path, deadline: &Deadline) {
    match remove_tree(path, deadline) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            tracing::info!(path = %path.display(), "what scripts have left is removed by the next server that starts");
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a temporary folder of scripts can't be removed");
        }
    }
}

fn make_locked(path: &Path, mode: u32) -> io::Result<Directory> {
    std::fs::DirBuilder::new().mode(0o700).create(path)?;
    let lock = open_folder(path)?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    let directory =
        Directory { path: path.to_owned(), of: Of::Runner { _lock: lock, remover: OnceLock::new() } };
    // The mode above is cut by the umask; this one isn't.
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    Ok(directory)
}

/// Removes the folders that runners of this user have left behind because they were killed, by and by.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let user = rustix::process::geteuid().as_raw();
    let mut abandoned = Vec::new();
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        // A runner that starts this very moment has not locked its folder yet.
        let is_old = |metadata: std::fs::Metadata| {
            metadata.uid() == user
                && metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() > 60))
        };
        if entry.metadata().is_ok_and(is_old)
            && let Ok(lock) = open_folder(&entry.path())
            && rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            abandoned.push((entry.path(), lock));
        }
    }
    if abandoned.is_empty() {
        return;
    }
    // Where there can't be another thread they stay until there can.
    let _ = std::thread::Builder::new().name("syncano-remove".to_owned()).spawn(move || {
        for (path, _lock) in abandoned {
            remove(&path, &Deadline::default());
        }
    });
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

/// Removes a folder that a script had to itself, unless the time is up before. Folders may be nested by the ten thousand, so each one is moved to the
/// top before it is looked into: neither the stack nor the number of open files grows with the depth.
fn remove_tree(path: &Path, deadline: &Deadline) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::open(path, flags, Mode::empty())?;
    // A name that a script can't have taken.
    let random = RandomState::new().hash_one(path);
    let mut moved = 0u64;
    let in_time = || match deadline.get() {
        Some(deadline) if Instant::now() >= *deadline => Err(io::Error::from(io::ErrorKind::TimedOut)),
        _ => Ok(()),
    };
    loop {
        let mut found = false;
        for entry in Dir::read_from(&top)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            found = true;
            in_time()?;
            if entry.file_type() != FileType::Directory {
                match rustix::fs::unlinkat(&top, name, AtFlags::empty()) {
                    Err(Errno::ISDIR) => {}
                    result => {
                        result?;
                        continue;
                    }
                }
            }
            // A script may have taken its own rights away; without a user of its own that binds us too.
            rustix::fs::chmodat(&top, name, Mode::RWXU, AtFlags::empty())?;
            let folder = rustix::fs::openat(&top, name, flags, Mode::empty())?;
            for inner in Dir::read_from(&folder)? {
                let inner = inner?;
                let inner_name = inner.file_name();
                in_time()?;
                if inner_name == c"." || inner_name == c".." {
                    continue;
                }
                match rustix::fs::unlinkat(&folder, inner_name, AtFlags::empty()) {
                    Err(Errno::ISDIR) => {
                        moved += 1;
                        rustix::fs::chmodat(&folder, inner_name, Mode::RWXU, AtFlags::empty())?;
                        rustix::fs::renameat(&folder, inner_name, &top, format!("{random:016x}-{moved}"))?;
                    }
                    result => result?,
                }
            }
            rustix::fs::unlinkat(&top, name, AtFlags::REMOVEDIR)?;
        }
        if !found {
            break;
        }
    }
    std::fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_folders_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let living = Directory::for_runner(Some(parent.path()), false).unwrap();
        let abandoned = parent.path().join(format!("{PREFIX}0"));
        std::fs::create_dir(&abandoned).unwrap();
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        for path in [abandoned.as_path(), living.path()] {
            std::fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let other = Directory::for_runner(Some(parent.path()), false).unwrap();
        eventually(|| !abandoned.exists());
        assert!(living.path().exists() && other.path().exists());
    }

    fn eventually(what: impl Fn() -> bool) {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(20), "not in 20 s");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_a_worker_leaves_is_removed_by_and_by() {
        let parent = tempfile::tempdir().unwrap();
        let runner = Directory::for_runner(Some(parent.path()), false).unwrap();
        for name in ["0", "1"] {
            let worker = runner.for_worker(name, None).unwrap();
            let path = worker.path().to_owned();
            std::fs::create_dir_all(path.join("a/b")).unwrap();
            drop(worker);
            eventually(|| !path.exists());
        }
        // What is still to be done when the runner ends is done before it has ended.
        let worker = runner.for_worker("2", None).unwrap();
        std::fs::create_dir_all(worker.path().join("a/b")).unwrap();
        drop(worker);
        drop(runner);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_takes_too_long_is_left_to_the_next_runner() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("left");
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        let deadline = Deadline::default();
        deadline.set(Instant::now()).unwrap();
        let error = remove_tree(&folder, &deadline).unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && folder.exists());
        remove_tree(&folder, &Deadline::default()).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_deep_tree_goes() {
        let parent = tempfile::tempdir().unwrap();
        let runner = Directory::for_runner(Some(parent.path()), false).unwrap();
        let worker = runner.for_worker("0", None).unwrap();
        let mut folder = rustix::fs::open(worker.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&folder, "deep", Mode::RWXU).unwrap();
            rustix::fs::mkdirat(&folder, "beside", Mode::empty()).unwrap();
            folder = rustix::fs::openat(&folder, "deep", OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        drop(folder);
        std::fs::write(worker.path().join("file"), "x").unwrap();
        std::os::unix::fs::symlink("/etc", worker.path().join("link")).unwrap();
        remove_tree(worker.path(), &Deadline::default()).unwrap();
        assert!(!worker.path().exists() && Path::new("/etc/passwd").exists());
    }
}
