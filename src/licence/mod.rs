//! A licence that the vendor signed: what it says, and whether it holds here and now.
//!
//! A leaf: nothing is asked, read or written here but the marks of the machine. Who asks the vendor is
//! `operations::licence`; what the vendor does is `vendor`. Invariants: whatever the state, RADIUS, sign-in and backups are
//! not concerned; without a vendor there are no limits at all; a clock that was turned back gives no time back.

pub mod base64url;
mod hardware;
mod key_text;
mod release;
mod signature;
mod standing;
#[cfg(test)]
pub mod testing;
mod token;
pub mod wire;

pub use hardware::{Hardware, Likeness};
pub use key_text::{BadKey, LicenceKey};
pub use release::{
    ARCHITECTURE, ARCHITECTURES, LARGEST_PACKAGE, LONGEST_NOTES, Release, ReleaseError, Version,
    package_name,
};
pub use signature::{LONGEST_SIGNED, NotAKey, Purpose, SignatureError, SigningKey, VendorKey};
pub use standing::{Facts, GRACE_BEFORE_ACTIVATION, Standing, State, Why};
pub use token::{Answer, Licence, NONCE_OCTETS, Nonce, TokenError, Verdict};
