//! The server's secret: given, or in a file beside the database that only its owner can read.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::keys::hex;
use crate::private_file;
use crate::store::Location;

/// Characters that a secret must have which is given. Those that are made have 64.
pub(crate) const LEAST: usize = 16;

/// Finds the secret for a database; the first use makes one.
pub(crate) fn find(location: &Location) -> io::Result<SecretString> {
    match location.path() {
        None => fresh().map(SecretString::from),
        Some(database) => at(&path(database)),
    }
}

/// Finds the secret of a database that has been used already: none is made.
pub(crate) fn existing(location: &Location) -> io::Result<SecretString> {
    match location.path() {
        Some(database) if !path(database).exists() => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the file is gone, and every key follows from it: put it back, give the secret, or accept a new one, \
             which changes every key",
        )),
        _ => find(location),
    }
}

/// Where the secret of this database lies: beside it, with `.secret` added to its name.
pub(crate) fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    name.into()
}

fn at(path: &Path) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(secret) => {
            if private_file::is_open_to_others(&fs::metadata(path)?) {
                let text = "others can read it, and every key follows from it: set its mode to 0600";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
            let secret = secret.trim();
            if secret.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
            }
            Ok(secret.to_owned().into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error),
    }
}

/// Writes a new secret: whole or not at all, and never over one that another process has just made.
fn make(path: &Path) -> io::Result<SecretString> {
    let secret = fresh()?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let mut file = private_file::create(&unfinished)?;
    let written = file.write_all(secret.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    match linked {
        Ok(()) => Ok(secret.into()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => at(path),
        Err(error) => Err(error),
    }
}

/// 256 random bits.
fn fresh() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_secret_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("syncano.db"));
        let first = find(&location).unwrap();
        assert_eq!(find(&location).unwrap().expose_secret(), first.expose_secret());
        let file = folder.path().join("syncano.db.secret");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(find(&location).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn memory_has_a_secret_of_its_own_each_time() {
        let one = find(&Location::Memory).unwrap();
        assert_ne!(one.expose_secret(), find(&Location::Memory).unwrap().expose_secret());
    }
}
