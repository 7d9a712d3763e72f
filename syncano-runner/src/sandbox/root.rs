//! The files that a worker sees at the level `namespace`: a root of its own with the interpreter's files, read-only, a few
//! devices, and a small folder in memory that is the worker's own. What is called shared memory lies in that folder, too: so it is
//! limited with it, and empty for each call. Users and hosts are made up, so that libraries find names for what there is.
//!
//! There is no `/proc`: interpreters do without, Landlock would close it anyway, and a container whose own `/proc` has parts
//! masked can't mount another.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::{c_uint, c_ulong};

use super::landlock::{DEVICES, SETTINGS, SYSTEM};
use super::plan::{Argument, Plan};

/// The worker's own folder in its root.
pub(super) const FOLDER: &str = "/tmp";

/// What the machine calls itself.
pub(super) const MACHINE: &str = "syncano-script";

/// What a worker's user is called.
pub(super) const USER: &str = "script";

/// Where the settings are that are made for a root.
pub(super) const MADE_SETTINGS: &CStr = c"/etc";

/// Where the C library looks names up: nowhere but in these files.
const SERVICES: &str = "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n";

/// Numbers of well-known ports.
const PORTS: &str = "ftp 21/tcp\nssh 22/tcp\nsmtp 25/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp\npop3 110/tcp\n\
                     imap2 143/tcp\nhttps 443/tcp\nsubmissions 465/tcp\nsubmission 587/tcp\nimaps 993/tcp\npop3s 995/tcp\n";

/// What makes up a root, in this order. Targets are relative to it.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Directory(CString),
    File(CString),
    Text { text: String, at: CString },
    Link { text: CString, at: CString },
    Bind { source: CString, target: CString, attributes: u64 },
}

/// A root to be made in the child.
#[derive(Debug)]
pub(super) struct Root {
    /// Where it is mounted until it takes the place of the old one: any folder will do.
    base: CString,
    steps: Vec<Step>,
    /// The files that are made for it, in KiB.
    texts: usize,
}

impl Root {
    /// Prepares a root that has `files` and folders beside the system's, for workers that are one of `users` each.
    pub(super) fn new(
        base: &Path,
        files: &[PathBuf],
        users: impl IntoIterator<Item = (u32, u32)>,
    ) -> io::Result<Root> {
        if let Some(hidden) = files.iter().find(|file| file.starts_with(FOLDER)) {
            return Err(io::Error::other(format!(
                "`{}` can't be shown to scripts, which have `{FOLDER}` for themselves: install the interpreter elsewhere",
                hidden.display()
            )));
        }
        let mut layout = Layout::default();
        let system = SYSTEM.iter().map(Path::new).chain(files.iter().map(PathBuf::as_path));
        for path in system.chain(SETTINGS.iter().map(Path::new)) {
            layout.add(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)?;
        }
        for device in DEVICES {
            layout.add(Path::new(device), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)?;
        }
        layout.folder(Path::new(FOLDER))?;
        layout.link(Path::new(FOLDER), Path::new("/dev/shm"))?;
        let mut texts = 0;
        for (path, text) in settings(users) {
            texts += text.len() / 1024 + 4;
            layout.text(text, Path::new(path))?;
        }
        Ok(Root { base: text(base)?, steps: layout.steps, texts })
    }

    /// Makes this the root of the process, which is alone in its mount namespace.
    pub(super) fn enter(&self, plan: &mut Plan) {
        let private = (libc::MS_REC | libc::MS_PRIVATE).into();
        plan.call(
            "make mounts private",
            libc::SYS_mount,
            [0.into(), c"/".into(), 0.into(), private, 0.into()],
        );
        let options = format!("size={}k,nr_inodes=1k,mode=755", 64 + self.texts);
        mount_memory(plan, &self.base, &CString::new(options).unwrap_or_default(), 0);
        plan.call("chdir", libc::SYS_chdir, [self.base.as_c_str().into()]);
        for step in &self.steps {
            step.add_to(plan);
        }
        set_attributes(plan, libc::AT_FDCWD.into(), c".", 0, MOUNT_ATTR_RDONLY);
        // The old root ends up on top of the new one, and goes from there.
        let here = c".".into();
        plan.call("pivot_root", libc::SYS_pivot_root, [here, here]);
        plan.call("umount", libc::SYS_umount2, [here, libc::MNT_DETACH.into()]);
        plan.call("chdir", libc::SYS_chdir, [c"/".into()]);
    }
}

/// The settings that are made for a root: where they are, and what they say.
fn settings(users: impl IntoIterator<Item = (u32, u32)>) -> [(&'static str, String); 5] {
    let (mut passwords, mut groups) = (String::new(), String::new());
    let nobody = [("root", (0, 0)), ("nobody", (65534, 65534))];
    // The first entry of a number counts.
    for (name, (uid, gid)) in users.into_iter().map(|user| (USER, user)).chain(nobody) {
        passwords += &format!("{name}:x:{uid}:{gid}:{name}:{FOLDER}:/bin/false\n");
        groups += &format!("{name}:x:{gid}:\n");
    }
    [
        ("/etc/passwd", passwords),
        ("/etc/group", groups),
        ("/etc/hosts", format!("127.0.0.1 localhost {MACHINE}\n")),
        ("/etc/nsswitch.conf", SERVICES.to_owned()),
        ("/etc/services", PORTS.to_owned()),
    ]
}

/// Makes [`FOLDER`] a folder in memory and the working directory. It belongs to `owner` and holds up to `bytes` in up to
/// `inodes` files and folders.
pub(super) fn own_folder(
    plan: &mut Plan,
    (uid, gid): (u32, u32),
    (bytes, inodes): (u64, u64),
) -> io::Result<()> {
    let folder = text(Path::new(FOLDER))?;
    let options = format!("size={bytes},nr_inodes={inodes},mode=700,uid={uid},gid={gid}");
    mount_memory(plan, &folder, &CString::new(options)?, libc::MS_NOEXEC);
    plan.call("chdir", libc::SYS_chdir, [folder.as_c_str().into()]);
    Ok(())
}

impl Step {
    fn add_to(&self, plan: &mut Plan) {
        let here = libc::AT_FDCWD.into();
        match self {
            Step::Directory(at) => {
                plan.call("mkdir", libc::SYS_mkdirat, [here, at.as_c_str().into(), 0o755.into()]);
            }
            Step::File(at) => {
                // No device: the last argument isn't looked at.
                let mode = libc::S_IFREG | 0o644;
                plan.call("mknod", libc::SYS_mknodat, [here, at.as_c_str().into(), mode.into(), 0.into()]);
            }
            Step::Text { text, at } => {
                let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC;
                let arguments = [here, at.as_c_str().into(), flags.into(), 0o644.into()];
                let file = plan.call("open", libc::SYS_openat, arguments).into();
                let bytes = plan.bytes(text.as_bytes()).into();
                let written = plan.call("write", libc::SYS_write, [file, bytes, text.len().into()]);
                plan.at_least(written, text.len() as libc::c_long);
                plan.call("close", libc::SYS_close, [file]);
            }
            Step::Link { text, at } => {
                let (text, at) = (text.as_c_str().into(), at.as_c_str().into());
                plan.call("symlink", libc::SYS_symlinkat, [text, here, at]);
            }
            Step::Bind { source, target, attributes } => {
                let recursive = libc::AT_RECURSIVE as c_uint;
                let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as c_uint | recursive;
                let (source, target) = (source.as_c_str().into(), target.as_c_str().into());
                let tree = plan.call("open_tree", libc::SYS_open_tree, [here, source, flags.into()]).into();
                set_attributes(plan, tree, c"", libc::AT_EMPTY_PATH as c_uint | recursive, *attributes);
                plan.call(
                    "move_mount",
                    libc::SYS_move_mount,
                    [tree, c"".into(), here, target, MOVE_MOUNT_F_EMPTY_PATH.into()],
                );
                plan.call("close", libc::SYS_close, [tree]);
            }
        }
    }
}

// From linux/mount.h.
const OPEN_TREE_CLONE: c_uint = 1;
const MOVE_MOUNT_F_EMPTY_PATH: c_uint = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;
const MOUNT_ATTR_NODEV: u64 = 4;
const MOUNT_ATTR_NOEXEC: u64 = 8;

fn mount_memory(plan: &mut Plan, at: &CStr, options: &CStr, flags: c_ulong) {
    let kind = c"tmpfs".into();
    let flags = flags | libc::MS_NOSUID | libc::MS_NODEV;
    plan.call("mount tmpfs", libc::SYS_mount, [kind, at.into(), kind, flags.into(), options.into()]);
}

fn set_attributes(plan: &mut Plan, folder: Argument<'_>, path: &CStr, flags: c_uint, set: u64) {
    // The kernel's `struct mount_attr`: what to set, what to clear, propagation, user namespace.
    let attributes = [set, 0, 0, 0];
    plan.call(
        "mount_setattr",
        libc::SYS_mount_setattr,
        [folder, path.into(), flags.into(), attributes.as_slice().into(), size_of_val(&attributes).into()],
    );
}

/// What has been laid out so far.
#[derive(Default)]
struct Layout {
    steps: Vec<Step>,
    /// Folders that are there, without what is bound.
    folders: BTreeSet<PathBuf>,
    /// What is bound, or a link: nothing is to be made at or below it.
    taken: BTreeSet<PathBuf>,
}

impl Layout {
    /// Makes `path` visible, if there is such a path, under the same name: where it really is, and by a link where it is
    /// a link.
    fn add(&mut self, path: &Path, attributes: u64) -> io::Result<()> {
        let Ok(real) = path.canonicalize() else { return Ok(()) };
        if !self.is_taken(&real) {
            self.parents(&real)?;
            if real.is_dir() {
                self.folder(&real)?;
            } else {
                self.steps.push(Step::File(inside(&real)?));
            }
            self.steps.push(Step::Bind { source: text(&real)?, target: inside(&real)?, attributes });
            self.taken.insert(real.clone());
        }
        // Not where the link is inside of something that is there already.
        if real != path && !self.is_taken(path) && !self.folders.contains(path) {
            self.link(&real, path)?;
        }
        Ok(())
    }

    /// Makes `path` a link to `real`.
    fn link(&mut self, real: &Path, path: &Path) -> io::Result<()> {
        self.parents(path)?;
        self.steps.push(Step::Link { text: text(real)?, at: inside(path)? });
        self.taken.insert(path.to_owned());
        Ok(())
    }

    /// Makes `path` a file that says `text`.
    fn text(&mut self, text: String, path: &Path) -> io::Result<()> {
        // One of the interpreter's own files would be shown there.
        if !self.is_taken(path) {
            self.parents(path)?;
            self.steps.push(Step::Text { text, at: inside(path)? });
            self.taken.insert(path.to_owned());
        }
        Ok(())
    }

    fn is_taken(&self, path: &Path) -> bool {
        path.ancestors().any(|ancestor| self.taken.contains(ancestor))
    }

    fn parents(&mut self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.folder(parent))
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        if path.parent().is_none() || self.folders.contains(path) {
            return Ok(());
        }
        self.parents(path)?;
        self.steps.push(Step::Directory(inside(path)?));
        self.folders.insert(path.to_owned());
        Ok(())
    }
}

/// A path as the kernel wants it.
pub(super) fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// An absolute path as one below the new root.
fn inside(path: &Path) -> io::Result<CString> {
    text(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_out(paths: &[&Path]) -> Vec<String> {
        let mut layout = Layout::default();
        paths.iter().for_each(|path| layout.add(path, 0).unwrap());
        let text = |string: &CString| string.to_str().unwrap().to_owned();
        let lines = layout.steps.iter().map(|step| match step {
            Step::Directory(at) => format!("folder {}", text(at)),
            Step::File(at) | Step::Text { at, .. } => format!("file {}", text(at)),
            Step::Link { text: to, at } => format!("link {} {}", text(at), text(to)),
            Step::Bind { source, target, .. } => format!("bind {} {}", text(target), text(source)),
        });
        lines.collect()
    }

    #[test]
    fn everything_has_its_own_name_and_nothing_is_made_twice() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("lib/inner")).unwrap();
        std::fs::write(real.join("settings"), "").unwrap();
        std::os::unix::fs::symlink("lib", real.join("lib64")).unwrap();
        std::os::unix::fs::symlink("../settings", real.join("lib/settings")).unwrap();
        let at = |name: &str| real.join(name);
        let lines = lay_out(&[
            &at("lib"),
            &at("lib/inner"),
            &at("lib64"),
            &at("lib64/inner"),
            &at("lib/settings"),
            &at("settings"),
            &at("missing"),
        ]);
        let root = real.display().to_string();
        let inner = root.trim_start_matches('/').to_owned();
        let own: Vec<&String> = lines.iter().filter(|line| line.contains(&format!("{inner}/"))).collect();
        assert_eq!(
            own,
            [
                &format!("folder {inner}/lib"),
                &format!("bind {inner}/lib {root}/lib"),
                &format!("link {inner}/lib64 {root}/lib"),
                &format!("file {inner}/settings"),
                &format!("bind {inner}/settings {root}/settings"),
            ]
        );
        // And the folders above, once each.
        assert_eq!(lines.len() - own.len(), real.components().count() - 1);
    }

    #[test]
    fn an_interpreter_under_the_scripts_own_folder_is_refused() {
        let files = [PathBuf::from("/tmp/python")];
        let error = Root::new(Path::new("/"), &files, []).unwrap_err().to_string();
        assert!(error.contains("install the interpreter elsewhere"), "{error}");
    }
}
