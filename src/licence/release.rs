//! What the vendor signs of a release, and which of two versions is the newer one.
//!
//! Invariant: whoever holds a signed release and the vendor's key knows without asking anybody whether a file is that release.

use std::cmp::Ordering;
use std::fmt;
use std::io::{self, Read};

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::signature::{Purpose, SigningKey, VendorKey};
use super::token::TokenError;
use crate::crypto;

/// Octets of a package: ours have 6 MB, and a vendor may pack more into its own.
pub const LARGEST_PACKAGE: u64 = 256 << 20;
/// Characters of a version.
const LONGEST_VERSION: usize = 40;
/// Octets of the notes; with them a manifest is well below [`super::LONGEST_SIGNED`].
pub const LONGEST_NOTES: usize = 16 << 10;
/// Octets that are read at once.
const PIECE: usize = 64 << 10;

/// The architecture of this program, as Debian names it.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};
/// Those that there are packages for.
pub const ARCHITECTURES: &[&str] = &["amd64", "arm64"];

/// A version such as `0.3.0` or `0.3.0~rc1`, in the order of Debian (deb-version(7)). No epoch and no revision: our own
/// number has neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// `None` for what does not begin with a digit, or has other than ASCII letters, digits, `.`, `+` and `~`.
    pub fn parse(text: &str) -> Option<Version> {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b".+~".contains(&octet);
        let begins_well = text.bytes().next().is_some_and(|c| c.is_ascii_digit());
        (begins_well && text.len() <= LONGEST_VERSION && text.bytes().all(is_plain))
            .then(|| Version(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    /// Text and numbers in turn. A tilde is before everything, even the end; letters are before other characters.
    fn cmp(&self, other: &Version) -> Ordering {
        let (mut left, mut right) = (self.0.as_str(), other.0.as_str());
        while !left.is_empty() || !right.is_empty() {
            let is_digit = |c: char| c.is_ascii_digit();
            let (left_text, left_rest) = split(left, |c| !is_digit(c));
            let (right_text, right_rest) = split(right, |c| !is_digit(c));
            let (left_number, left_rest) = split(left_rest, is_digit);
            let (right_number, right_rest) = split(right_rest, is_digit);
            let order =
                by_text(left_text, right_text).then_with(|| by_number(left_number, right_number));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (left_rest, right_rest);
        }
        Ordering::Equal
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn by_text(left: &str, right: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => (0, '~'),
        None => (1, ' '),
        Some(c) if c.is_ascii_alphabetic() => (2, c),
        Some(c) => (3, c),
    };
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        let (one, two) = (left.next(), right.next());
        match weight(one).cmp(&weight(two)) {
            Ordering::Equal if one.is_none() => return Ordering::Equal,
            Ordering::Equal => {}
            order => return order,
        }
    }
}

/// Numbers of any length.
fn by_number(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// A release as it is signed. Never renumber; new fields are optional.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Release {
    #[n(0)]
    pub version: String,
    /// One of [`ARCHITECTURES`].
    #[n(1)]
    pub architecture: String,
    /// Of the package.
    #[n(2)]
    pub octets: u64,
    #[n(3)]
    pub sha256: ByteArray<32>,
    /// What is new, in the vendor's words: plain text of several lines.
    #[n(4)]
    pub notes: String,
    /// Milliseconds since 1970.
    #[n(5)]
    pub published_at: i64,
}

/// Why a package is not installed.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("the release is not believed: {0}")]
    Token(#[from] TokenError),
    #[error("the release has the version {0:?}, which is none")]
    Version(String),
    #[error("the release is for {0}, and this machine is {ARCHITECTURE}")]
    Architecture(String),
    #[error("version {offered} is not newer than {here}, which is installed")]
    NotNewer { offered: String, here: String },
    #[error("the package would have {octets} octets; at most {LARGEST_PACKAGE} are taken")]
    Size { octets: u64 },
    #[error("the package has {got} octets and not {said}")]
    OtherSize { said: u64, got: u64 },
    #[error(
        "the package is not the one that the vendor signed: its SHA-256 is {got} and not {said}"
    )]
    OtherDigest { said: String, got: String },
    #[error("the package cannot be read: {0}")]
    Read(#[from] io::Error),
}

impl Release {
    pub fn sign(&self, key: &SigningKey) -> String {
        // A derived encoder refuses nothing.
        let payload = minicbor::to_vec(self).unwrap_or_default();
        key.sign(Purpose::Release, &payload)
    }

    /// Reads a manifest that this key signed. Errors: `Token`, and `Size` for what nobody would fetch.
    pub fn open(key: &VendorKey, manifest: &str) -> Result<Release, ReleaseError> {
        let payload = key
            .open(Purpose::Release, manifest.trim())
            .map_err(TokenError::from)?;
        let release: Release = minicbor::decode(&payload).map_err(|_| TokenError::Unreadable)?;
        match release.octets {
            1..=LARGEST_PACKAGE => Ok(release),
            octets => Err(ReleaseError::Size { octets }),
        }
    }

    /// Whether this machine, where the program of version `here` runs, can go over to it. Errors: `Version`,
    /// `Architecture`, `NotNewer`.
    pub fn check_fits(&self, here: &str) -> Result<Version, ReleaseError> {
        let version =
            |text: &str| Version::parse(text).ok_or_else(|| ReleaseError::Version(text.to_owned()));
        let (offered, here) = (version(&self.version)?, version(here)?);
        if self.architecture != ARCHITECTURE {
            return Err(ReleaseError::Architecture(self.architecture.clone()));
        }
        match offered > here {
            true => Ok(offered),
            false => Err(ReleaseError::NotNewer {
                offered: offered.0,
                here: here.0,
            }),
        }
    }

    /// Whether a file is the package of this release. Reads no more of it than the release says and one octet. Blocks.
    /// Errors: `OtherSize`, `OtherDigest`, `Read`.
    pub fn check_package(&self, file: impl Read) -> Result<(), ReleaseError> {
        let mut file = file.take(self.octets.saturating_add(1));
        let mut digest = Sha256::new();
        let mut octets = 0_u64;
        let mut piece = vec![0; PIECE];
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            digest.update(piece.get(..read).unwrap_or_default());
            octets = octets.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        if octets != self.octets {
            return Err(ReleaseError::OtherSize {
                said: self.octets,
                got: octets,
            });
        }
        self.check_digest(&digest.finalize().into())
    }

    /// Errors: `OtherDigest`.
    pub fn check_digest(&self, got: &[u8; 32]) -> Result<(), ReleaseError> {
        match *got == *self.sha256 {
            true => Ok(()),
            false => Err(ReleaseError::OtherDigest {
                said: crypto::hex(&*self.sha256),
                got: crypto::hex(got),
            }),
        }
    }
}

/// The name of the package of a version, as `dpkg-deb` makes it.
pub fn package_name(version: &Version, architecture: &str) -> String {
    format!("proxpanel_{version}_{architecture}.deb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Key;
    use crate::licence::testing::signing_key;

    fn release() -> Release {
        Release {
            version: "0.3.0".into(),
            architecture: ARCHITECTURE.into(),
            octets: 7,
            sha256: crypto::sha256(b"package").into(),
            notes: "Better".into(),
            published_at: 1_780_000_000_000,
        }
    }

    #[test]
    fn versions_are_in_the_order_of_debian() {
        let ordered = [
            "0.1.0~~",
            "0.1.0~~a",
            "0.1.0~",
            "0.1.0~rc1",
            "0.1.0~rc2",
            "0.1.0~rc10",
            "0.1.0",
            "0.1.0a",
            "0.1.0+1",
            "0.1.1",
            "0.1.9",
            "0.1.10",
            "0.1.99999999999999999999",
            "0.2",
            "0.2.0",
            "0.10.0",
            "1",
            "1.0.0",
        ];
        let parse = |text: &str| Version::parse(text).unwrap();
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                let order = parse(left).cmp(&parse(right));
                assert_eq!(order, at.cmp(&other), "{left} and {right}");
            }
        }
        assert_eq!(parse("0.01.0").cmp(&parse("0.1.00")), Ordering::Equal);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for wrong in ["", "v1", "1-1", "1:1", "1 ", "1/2", "ä", &"1".repeat(41)] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
        assert!(Version::parse(&"1".repeat(40)).is_some());
    }

    #[test]
    fn a_release_holds_under_its_key_and_for_its_purpose_only() {
        let key = signing_key();
        let manifest = release().sign(&key);
        let opened = Release::open(&key.public(), &format!("{manifest}\n"));
        assert_eq!(opened.unwrap(), release());
        let other = SigningKey::from_seed(&Key::from_bytes([8; 32])).unwrap();
        let payload = minicbor::to_vec(release()).unwrap();
        for (key, text) in [
            (other.public(), manifest.clone()),
            (key.public(), key.sign(Purpose::Licence, &payload)),
            (key.public(), key.sign(Purpose::Answer, &payload)),
            (key.public(), key.sign(Purpose::Release, b"odd")),
            (key.public(), String::new()),
        ] {
            let opened = Release::open(&key, &text);
            assert!(matches!(opened, Err(ReleaseError::Token(_))), "{text}");
        }
    }

    #[test]
    fn nobody_fetches_nothing_or_too_much() {
        let key = signing_key();
        for (octets, is_good) in [
            (0, false),
            (1, true),
            (LARGEST_PACKAGE, true),
            (LARGEST_PACKAGE + 1, false),
        ] {
            let manifest = Release {
                octets,
                ..release()
            }
            .sign(&key);
            assert_eq!(Release::open(&key.public(), &manifest).is_ok(), is_good);
        }
    }

    #[test]
    fn only_a_newer_version_for_this_machine_fits() {
        let fits = |version: &str, architecture: &str| {
            let release = Release {
                version: version.into(),
                architecture: architecture.into(),
                ..release()
            };
            release.check_fits("0.2.0")
        };
        assert_eq!(fits("0.2.1", ARCHITECTURE).unwrap().as_str(), "0.2.1");
        for old in ["0.2.0", "0.1.9", "0.2.0~rc1"] {
            let refused = fits(old, ARCHITECTURE);
            assert!(matches!(refused, Err(ReleaseError::NotNewer { .. })));
        }
        let other = fits("0.3.0", "riscv64");
        assert!(matches!(other, Err(ReleaseError::Architecture(_))));
        let odd = fits("new", ARCHITECTURE);
        assert!(matches!(odd, Err(ReleaseError::Version(_))));
    }

    #[test]
    fn a_package_is_known_by_its_size_and_its_digest() {
        let check = |octets: &[u8]| release().check_package(octets);
        assert!(check(b"package").is_ok());
        for size in [&b"packag"[..], b"package!", b"", &[0; 200_000]] {
            assert!(matches!(check(size), Err(ReleaseError::OtherSize { .. })));
        }
        let other = check(b"Package");
        assert!(matches!(other, Err(ReleaseError::OtherDigest { .. })));
    }
}
