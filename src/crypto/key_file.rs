//! The file that keeps the machine's key beside the store.
//!
//! Invariant: an existing file is never written, and a new one appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::{CryptoError, KEY_LENGTH, Key};

/// The file that holds the machine's key: 32 raw octets, mode 0600.
#[derive(Debug)]
pub struct KeyFile;

impl KeyFile {
    /// Reads the key, or makes one when neither key nor store exists yet.
    ///
    /// Errors: `KeyMissing` when a store exists without its key; `KeyLength`, `KeyExposed`, `KeyFile` when the file is
    /// there but not usable. An existing file is never written.
    pub fn load_or_create(path: &Path, store_exists: bool) -> Result<Key, CryptoError> {
        match fs::symlink_metadata(path) {
            Ok(_) => Self::load(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound && store_exists => {
                Err(CryptoError::KeyMissing {
                    path: path.to_owned(),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(CryptoError::KeyFile {
                path: path.to_owned(),
                source,
            }),
        }
    }

    fn load(path: &Path) -> Result<Key, CryptoError> {
        let fault = |source| CryptoError::KeyFile {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if metadata.mode() & 0o077 != 0 {
            return Err(CryptoError::KeyExposed {
                path: path.to_owned(),
                mode: metadata.mode() & 0o7777,
            });
        }
        let wrong_length = || CryptoError::KeyLength {
            path: path.to_owned(),
            length: metadata.len(),
        };
        if u64::try_from(KEY_LENGTH).ok() != Some(metadata.len()) {
            return Err(wrong_length());
        }
        let mut bytes = [0; KEY_LENGTH];
        file.read_exact(&mut bytes).map_err(|_| wrong_length())?;
        Ok(Key::from_bytes(bytes))
    }

    /// Writes a new key under a second name first, so that a crash leaves either no key or a whole one.
    fn create(path: &Path) -> Result<Key, CryptoError> {
        let fault = |source| CryptoError::KeyFile {
            path: path.to_owned(),
            source,
        };
        let key = Key::generate()?;
        let draft = path.with_extension("key.new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(fault)?;
        file.write_all(key.0.expose()).map_err(fault)?;
        file.sync_all().map_err(fault)?;
        // A link, unlike a rename, refuses to replace a key that appeared meanwhile.
        fs::hard_link(&draft, path).map_err(fault)?;
        fs::remove_file(&draft).map_err(fault)?;
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(fault)?;
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let made = KeyFile::load_or_create(&path, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        for store_exists in [false, true] {
            let read = KeyFile::load_or_create(&path, store_exists).unwrap();
            assert_eq!(read.0.expose(), made.0.expose());
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left behind"
        );
    }

    #[test]
    fn a_store_without_its_key_gets_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert!(matches!(
            KeyFile::load_or_create(&path, true),
            Err(CryptoError::KeyMissing { .. })
        ));
        assert!(!path.exists());
    }

    #[test]
    fn a_key_of_the_wrong_length_or_open_to_others_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        for (length, mode, wanted) in [
            (0, 0o600, "holds 0 octets"),
            (31, 0o600, "holds 31 octets"),
            (33, 0o600, "holds 33 octets"),
            (32, 0o640, "mode 0640"),
            (32, 0o604, "mode 0604"),
        ] {
            fs::write(&path, vec![5; length]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            for store_exists in [false, true] {
                let error = KeyFile::load_or_create(&path, store_exists)
                    .unwrap_err()
                    .to_string();
                assert!(error.contains(wanted), "{error}");
            }
            assert_eq!(fs::read(&path).unwrap(), vec![5; length]);
        }
    }
}
