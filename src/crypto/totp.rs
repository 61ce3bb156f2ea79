//! Time-based one-time passwords (RFC 6238) as phones make them: SHA-1, six digits, steps of 30 seconds.
//!
//! Here: making a secret, the address that a phone scans, and which time step a code belongs to. Not here: who needs a code, how
//! often one may be tried, and that none works twice (`operations::operators`).

use totp_rs::{Builder, Totp};
use zeroize::Zeroize;

use super::{CryptoError, Secret, random_bytes};

/// Octets of a secret: as long as the digest (RFC 4226 section 4, R6).
const LENGTH: usize = 20;
/// Steps before and after the present one that count too: clocks differ, and typing takes time (RFC 6238 section 5.2).
const WINDOW: u16 = 1;
/// Seconds of a step.
pub const STEP: u64 = 30;

/// What a phone and this machine both know.
#[derive(Clone)]
pub struct FactorSecret(Secret<Vec<u8>>);

impl FactorSecret {
    pub fn generate() -> Result<FactorSecret, CryptoError> {
        Ok(FactorSecret(Secret::new(
            random_bytes::<LENGTH>()?.to_vec(),
        )))
    }

    /// `None` for what is no secret of ours.
    pub fn from_octets(octets: &[u8]) -> Option<FactorSecret> {
        (octets.len() == LENGTH).then(|| FactorSecret(Secret::new(octets.to_vec())))
    }

    /// Reads [`FactorSecret::base32`] back.
    pub fn from_base32(text: &str) -> Option<FactorSecret> {
        let secret = totp_rs::Secret::try_from_base32(text).ok()?;
        FactorSecret::from_octets(secret.as_bytes())
    }

    pub fn octets(&self) -> &[u8] {
        self.0.expose()
    }

    /// 32 letters and digits, for phones that cannot scan.
    pub fn base32(&self) -> Secret<String> {
        Secret::new(totp_rs::Secret::from(self.octets()).to_base32())
    }

    /// What a phone scans, `otpauth://totp/…`: the secret, and the names under which the phone shows it.
    pub fn address(&self, issuer: &str, account: &str) -> Result<Secret<String>, CryptoError> {
        // A colon parts the two names.
        let plain = |name: &str| name.replace(':', " ");
        let totp = self.totp(Some(plain(issuer)), plain(account))?;
        let mut url = totp
            .to_url()
            .map_err(|error| CryptoError::Factor(error.to_string()))?;
        let address = Secret::new(url.clone());
        url.zeroize();
        Ok(address)
    }

    /// The time step that a typed code belongs to, if it is one of the three that count at `seconds` since 1970.
    pub fn step_of(&self, code: &str, seconds: i64) -> Option<u64> {
        let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
        let totp = self.totp(None, String::new()).ok()?;
        totp.check(&code, u64::try_from(seconds).ok()?)
    }

    /// The code that a phone shows.
    pub fn code_at(&self, seconds: i64) -> Option<String> {
        let totp = self.totp(None, String::new()).ok()?;
        Some(totp.generate(u64::try_from(seconds).ok()?).to_string())
    }

    fn totp(&self, issuer: Option<String>, account: String) -> Result<Totp, CryptoError> {
        Builder::new()
            .with_digits(6)
            .with_skew(WINDOW)
            .with_step_duration(STEP)
            .with_secret(self.octets())
            .with_issuer(issuer)
            .with_account_name(account)
            .build()
            .map_err(|error| CryptoError::Factor(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1; the last six of its eight digits.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn known() -> FactorSecret {
        FactorSecret::from_octets(b"12345678901234567890").unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in VECTORS {
            assert_eq!(known().code_at(seconds).as_deref(), Some(code), "{seconds}");
            let step = u64::try_from(seconds).unwrap() / STEP;
            assert_eq!(known().step_of(code, seconds), Some(step), "{seconds}");
        }
    }

    #[test]
    fn one_step_before_and_after_counts_and_no_more() {
        let at = 1_111_111_110;
        let step = u64::try_from(at).unwrap() / STEP;
        for (later, found) in [
            (-60, None),
            (-31, None),
            (-30, Some(step)),
            (0, Some(step)),
            (59, Some(step)),
            (60, None),
        ] {
            let code = known().code_at(at).unwrap();
            assert_eq!(known().step_of(&code, at + later), found, "{later}");
        }
        for wrong in ["", "05047", "0504711", "a50471", "050472", "٠٥٠٤٧١"] {
            assert_eq!(known().step_of(wrong, at), None, "{wrong}");
        }
        assert_eq!(known().step_of("050 471", at), Some(step));
        assert_eq!(known().step_of("050471", -1), None);
    }

    #[test]
    fn a_phone_gets_the_names_and_the_secret() {
        let secret = known();
        assert_eq!(
            *secret.base32().expose(),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        let address = secret.address("Cedar: Net", "rania").unwrap();
        let address = address.expose();
        assert!(address.starts_with("otpauth://totp/Cedar"), "{address}");
        for part in [
            "rania?",
            "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "issuer=Cedar",
        ] {
            assert!(address.contains(part), "{part} in {address}");
        }
        let read = FactorSecret::from_base32(secret.base32().expose()).unwrap();
        assert_eq!(read.octets(), secret.octets());
        for wrong in ["", "GEZDGNBV", "not base 32 at all!"] {
            assert!(FactorSecret::from_base32(wrong).is_none(), "{wrong}");
        }
        let (one, other) = (FactorSecret::generate(), FactorSecret::generate());
        assert_ne!(one.unwrap().octets(), other.unwrap().octets());
    }
}
