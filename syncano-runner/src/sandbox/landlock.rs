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

/// What an interpreter and its libraries look up. No users, no hosts, no keys.
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

/// The rules for one worker: programs and libraries (the system's, and `files` and folders of the interpreter's own) are
/// readable, `home` is its own, everything else is closed. A folder that is only made in the child gets its rule there,
/// see [`own_folder`]. With a network the proxy's port can be connected to, and no other.
pub(super) fn ruleset(files: &[PathBuf], home: Option<&Path>, has_network: bool) -> io::Result<OwnedFd> {
    build(files, home, has_network)
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
    files: &[PathBuf],
    home: Option<&Path>,
    has_network: bool,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = read | AccessFs::Execute;
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for path in SYSTEM.iter().map(Path::new).chain(files.iter().map(PathBuf::as_path)) {
        rules = allow(rules, path, run)?;
    }
    for path in SETTINGS.iter().chain(&DEVICES) {
        rules = allow(rules, Path::new(path), read)?;
    }
    rules = allow(rules, Path::new(NULL), read | AccessFs::WriteFile)?;
    if has_network {
        rules = rules.add_rule(NetPort::new(PORT, AccessNet::ConnectTcp))?;
    }
    match home {
        Some(home) => allow(rules, home, own()),
        None => Ok(rules),
    }
}

/// Adds a rule for `path`, if there is such a path.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let Ok(descriptor) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    rules.add_rule(PathBeneath::new(descriptor, access))
}
