//! What a machine can do to isolate scripts, and what it lacks.

use std::fmt;

use serde::Serialize;

use crate::isolation::Isolation;
use crate::probes::Lack;

/// What was found out about a machine by trying; see [`RunnerBuilder::examine`](crate::RunnerBuilder::examine).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Doctor {
    /// The best level that the machine gives.
    pub level: Isolation,
    /// What holds at that level, and what doesn't.
    pub controls: Vec<Control>,
    /// Why it isn't a better one.
    pub missing: Vec<Missing>,
    /// Why processes of Python are started at the level `namespace`, and not copied from one that has loaded the interpreter.
    pub not_copied: Option<String>,
}

/// One thing that a script must not be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Control {
    /// What it is that scripts are kept from.
    pub name: &'static str,
    /// The level that promises it.
    pub level: Isolation,
    /// Whether they are.
    pub present: bool,
    /// What came of trying.
    pub found: String,
}

/// A level that the machine doesn't give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// Which one.
    pub level: Isolation,
    /// What failed, or what a script could do.
    pub reason: String,
    /// What to enable, for several kinds of machines.
    pub enable: Vec<&'static str>,
}

impl Missing {
    pub(crate) fn new(level: Isolation, lack: Lack) -> Missing {
        let enable = match lack.level {
            Isolation::Namespace => ENABLE_NAMESPACES,
            _ => ENABLE_PROCESS,
        };
        Missing { level, reason: lack.reason, enable: enable.to_vec() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        self.enable.iter().try_for_each(|line| write!(f, "\n  * {line}"))
    }
}

const ENABLE_NAMESPACES: &[&str] = &[
    "Debian and others, server not run as root: `sysctl user.max_user_namespaces=10000`, and where it exists \
     `sysctl kernel.unprivileged_userns_clone=1`",
    "Ubuntu 24.04 and later, server not run as root: an AppArmor profile for the server's program that has `userns,`, or \
     `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
    "Docker: `--security-opt seccomp=PROFILE` with a profile that permits clone, mount, open_tree, move_mount, \
     mount_setattr, pivot_root, umount2 and sethostname (`unconfined` does), `--security-opt apparmor=unconfined`, and a \
     user other than root, or root with `--cap-add SYS_ADMIN --cap-add NET_ADMIN`",
    "Kubernetes: the same by `securityContext`: `seccompProfile` of type `Localhost` (or `Unconfined`), `appArmorProfile` of \
     type `Unconfined`, `runAsUser` other than 0, or the capabilities `SYS_ADMIN` and `NET_ADMIN`",
];

const ENABLE_PROCESS: &[&str] = &[
    "any machine: Linux 5.13 or later with Landlock (`CONFIG_SECURITY_LANDLOCK`, and `landlock` in the kernel's `lsm=` list) \
     and seccomp filters (`CONFIG_SECCOMP_FILTER`)",
    "Docker and Kubernetes: a runtime whose seccomp profile permits the landlock calls and prctl(PR_SET_SECCOMP), which the \
     default profiles of Docker 20.10.8 and containerd 1.5.5 and later do",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_level_lacks_is_not_enabled_by_namespaces() {
        let lack = |level| Lack { reason: "no Landlock".to_owned(), level };
        let told = Missing::new(Isolation::Namespace, lack(Isolation::Process)).to_string();
        assert!(told.contains("CONFIG_SECURITY_LANDLOCK") && !told.contains("userns"), "{told}");
        let told = Missing::new(Isolation::Namespace, lack(Isolation::Namespace)).to_string();
        assert!(told.contains("userns") && !told.contains("CONFIG_SECURITY_LANDLOCK"), "{told}");
    }
}
