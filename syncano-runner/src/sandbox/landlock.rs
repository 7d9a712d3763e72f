//! Which files a worker may touch.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};

use crate::network::PORT;

/// The newest interface that this file was written for; an older kernel enforces the part that it knows.
const NEWEST: ABI = ABI::V7;

/// Programs and libraries.
pub(super) const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"];

/// What an interpreter and its libraries look up. No users, no hosts, no keys: a root of its own has made-up ones.
pub(super) const SETTINGS: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/pki/tls/certs",
];

/// The last one may be written to as well.
pub(super) const DEVICES: [&str; 4] = ["/dev/urandom", "/dev/random", "/dev/zero", NULL];

const NULL: &str = "/dev/null";

/// What every worker of an interpreter may read: programs and libraries (the system's, and the interpreter's own), a few
/// settings and devices. Open, so that the rules of the next worker need not look them up again.
#[derive(Debug)]
pub(super) struct Readable(Vec<(PathFd, BitFlags<AccessFs>)>);

impl Readable {
    /// Opens what is there. `files` are the interpreter's own files and folders.
    pub(super) fn open(files: &[PathBuf]) -> Readable {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let run = read | AccessFs::Execute;
        let programs = SYSTEM.iter().map(Path::new).chain(files.iter().map(PathBuf::as_path));
        let others = SETTINGS.iter().chain(&DEVICES).map(Path::new);
        let mut readable = Readable(Vec::new());
        programs.for_each(|path| readable.add(path, run));
        others.for_each(|path| readable.add(path, read));
        readable.add(Path::new(NULL), read | AccessFs::WriteFile);
        readable
    }

    /// Adds `path`, if there is such a path.
    fn add(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        let Ok(descriptor) = PathFd::new(path) else { return };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
        self.0.push((descriptor, access));
    }
}

/// The rules for one worker: what is `readable`, `home` is its own, everything else is closed. A folder that is only made in
/// the child gets its rule there, see [`own_folder`]. With a network the proxy's port can be connected to, and no other.
pub(super) fn ruleset(readable: &Readable, home: Option<&Path>, has_network: bool) -> io::Result<OwnedFd> {
    build(readable, home, has_network)
        .map_err(io::Error::other)
        .and_then(|ruleset| Option::from(ruleset).ok_or_else(|| io::ErrorKind::Unsupported.into()))
}

/// What a worker may do in its own folder, in the kernel's numbers, where Landlock is of version `abi`.
pub(super) fn own_folder(abi: i32) -> u64 {
    let mut access = own();
    if abi < 2 {
        access &= !BitFlags::from(AccessFs::Refer);
    }
    if abi < 3 {
        access &= !BitFlags::from(AccessFs::Truncate);
    }
    access.bits()
}

/// The same for the settings that a root of its own has.
pub(super) fn settings() -> u64 {
    (AccessFs::ReadFile | AccessFs::ReadDir).bits()
}

/// No devices, sockets or pipes to be made, and no programs of its own: a script brings no executables.
fn own() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSym
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

fn build(
    readable: &Readable,
    home: Option<&Path>,
    has_network: bool,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for (path, access) in &readable.0 {
        rules = rules.add_rule(PathBeneath::new(path, *access))?;
    }
    if has_network {
        rules = rules.add_rule(NetPort::new(PORT, AccessNet::ConnectTcp))?;
    }
    match home.map(PathFd::new) {
        Some(Ok(home)) => rules.add_rule(PathBeneath::new(home, own())),
        // Then it is closed like everything else.
        Some(Err(_)) | None => Ok(rules),
    }
}
