//! Two files are checked without asking anybody: what root does before it installs anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::not_taken;
use crate::config::Config;
use crate::licence::{LONGEST_SIGNED, Release, VendorKey};
use crate::operations::{Error, licence};

/// Whether the vendor signed this manifest, and the package is the one it is about and newer than this program. `key` is
/// the vendor's, instead of the configured one. Nothing of the two files is trusted. Blocks.
///
/// Errors: `Refused` without a key and with what is wrong.
pub fn verify(
    config: &Config,
    key: Option<&str>,
    package: &Path,
    manifest: &Path,
) -> Result<Release, Error> {
    let key = match (key, &config.licence.vendor) {
        (Some(key), _) => {
            VendorKey::parse(key).map_err(|problem| Error::Refused(problem.to_string()))?
        }
        (None, Some(vendor)) => vendor.key,
        (None, None) => {
            let none = "no vendor is configured, and no --key is given";
            return Err(Error::Refused(none.to_owned()));
        }
    };
    let longest = u64::try_from(LONGEST_SIGNED).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    File::open(manifest)?
        .take(longest.saturating_add(2))
        .read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let release = Release::open(&key, &text).map_err(not_taken)?;
    release.check_fits(licence::VERSION).map_err(not_taken)?;
    release
        .check_package(File::open(package)?)
        .map_err(not_taken)?;
    Ok(release)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::config::Overrides;
    use crate::crypto::{self, Key};
    use crate::licence::testing::signing_key;
    use crate::licence::{ARCHITECTURE, SigningKey};

    /// A manifest of these octets, signed by the vendor.
    fn signed(version: &str, architecture: &str, content: &[u8]) -> String {
        let release = Release {
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            octets: u64::try_from(content.len()).unwrap(),
            sha256: crypto::sha256(content).into(),
            notes: String::new(),
            published_at: 0,
        };
        release.sign(&signing_key())
    }

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("test"), &Overrides::default()).unwrap()
    }

    #[test]
    fn root_takes_only_a_newer_package_that_the_vendor_signed() {
        let folder = tempfile::tempdir().unwrap();
        let (package, manifest) = (folder.path().join("p"), folder.path().join("m"));
        let key = signing_key().public().to_text();
        let other = SigningKey::from_seed(&Key::from_bytes([8; 32])).unwrap();
        let other = other.public().to_text();
        let (good, here) = (signed("9.0.0", ARCHITECTURE, b"it"), licence::VERSION);
        for (key, manifest_text, content, refusal) in [
            (&key, good.clone(), &b"it"[..], ""),
            (&key, format!("{good}\n"), b"it", ""),
            (&key, good.clone(), b"at", "SHA-256"),
            (&key, good.clone(), b"it ", "octets"),
            (&key, good.clone(), b"", "octets"),
            (&other, good.clone(), b"it", "did not sign"),
            (&"odd".to_owned(), good.clone(), b"it", "43 letters"),
            (&key, String::new(), b"it", "not a signed text"),
            (
                &key,
                "A".repeat(LONGEST_SIGNED + 9),
                b"it",
                "not a signed text",
            ),
            // Whoever has the daemon keeps old packages with what was signed of them.
            (&key, signed(here, ARCHITECTURE, b"it"), b"it", "not newer"),
            (
                &key,
                signed("0.0.1", ARCHITECTURE, b"it"),
                b"it",
                "not newer",
            ),
            (&key, signed("9.0.0", "riscv64", b"it"), b"it", "riscv64"),
        ] {
            fs::write(&package, content).unwrap();
            fs::write(&manifest, manifest_text).unwrap();
            let verified = verify(&config(""), Some(key), &package, &manifest);
            let said = verified.err().map(|error| error.to_string());
            let said = said.unwrap_or_default();
            assert_eq!(said.is_empty(), refusal.is_empty(), "{said}");
            assert!(said.contains(refusal), "{said} is not: {refusal}");
        }
    }

    #[test]
    fn the_key_is_the_given_one_or_the_configured_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| -> PathBuf { folder.path().join(name) };
        fs::write(place("p"), b"it").unwrap();
        fs::write(place("m"), signed("9.0.0", ARCHITECTURE, b"it")).unwrap();
        let with = |config: &Config| verify(config, None, &place("p"), &place("m")).map(|_| ());
        let vendor = |key: &str| {
            let url = "vendor_url = \"https://vendor.example\"";
            config(&format!("[licence]\n{url}\nvendor_key = \"{key}\""))
        };
        assert!(with(&vendor(&signing_key().public().to_text())).is_ok());
        let other = SigningKey::from_seed(&Key::from_bytes([8; 32])).unwrap();
        let refused = with(&vendor(&other.public().to_text())).unwrap_err();
        assert!(refused.to_string().contains("did not sign"), "{refused}");
        let none = with(&config("")).unwrap_err();
        assert!(none.to_string().contains("no vendor"), "{none}");
    }
}
