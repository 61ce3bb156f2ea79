//! Certificates that RadSec clients showed and that are those of no NAS, for the "add as NAS" button.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::radsec::RadsecTrust;
use crate::domain::time::Timestamp;
use crate::radius::radsec::ClientCertificate;

/// A certificate whose key the client has; anybody can make one, so the names in it say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub fingerprint: [u8; 32],
    /// As written in the certificate, for display.
    pub names: Vec<String>,
    pub source: IpAddr,
    pub tries: u64,
    pub last: Timestamp,
}

impl Stranger {
    /// Whether a NAS is known by this certificate; the authority of one may have been mended, which shows at the next try.
    pub fn is_of(&self, trust: Option<&RadsecTrust>) -> bool {
        match trust {
            Some(RadsecTrust::Pinned(pin)) => *pin == self.fingerprint,
            Some(RadsecTrust::Authority { name, .. }) => self.names.contains(&name.to_lowercase()),
            None => false,
        }
    }
}

/// Certificates kept; anybody can make many.
const MOST_STRANGERS: usize = 64;
/// Names kept of each.
const MOST_NAMES: usize = 4;

pub struct Strangers(Mutex<HashMap<[u8; 32], Stranger>>);

impl Strangers {
    pub(super) fn new() -> Self {
        Strangers(Mutex::new(HashMap::new()))
    }

    /// Notes a try. True when the certificate is new, so that it is logged once.
    pub fn note(&self, certificate: &ClientCertificate, source: IpAddr, now: Timestamp) -> bool {
        let mut strangers = self.lock();
        let fingerprint = *certificate.fingerprint();
        let is_new = !strangers.contains_key(&fingerprint);
        if is_new && strangers.len() >= MOST_STRANGERS {
            let oldest = strangers.values().min_by_key(|seen| seen.last);
            let oldest = oldest.map(|seen| seen.fingerprint);
            oldest.and_then(|oldest| strangers.remove(&oldest));
        }
        let names = certificate.names().iter().take(MOST_NAMES);
        let stranger = strangers.entry(fingerprint).or_insert_with(|| Stranger {
            fingerprint,
            names: names.cloned().collect(),
            source,
            tries: 0,
            last: now,
        });
        stranger.source = source;
        stranger.tries += 1;
        stranger.last = now;
        is_new
    }

    /// Newest first.
    pub fn list(&self) -> Vec<Stranger> {
        let mut list: Vec<Stranger> = self.lock().values().cloned().collect();
        list.sort_by_key(|seen| (std::cmp::Reverse(seen.last), seen.fingerprint));
        list
    }

    /// Forgets those that are known by now.
    pub fn forget(&self, is_known: impl Fn(&Stranger) -> bool) {
        self.lock().retain(|_, seen| !is_known(seen));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Stranger>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Strangers {
    /// A client shows a certificate of these octets, for the tests of rooms that do not know what a certificate is.
    pub fn show(&self, der: &[u8], source: IpAddr, now: Timestamp) {
        let chain = [rustls::pki_types::CertificateDer::from(der)];
        self.note(&ClientCertificate::new(&chain).unwrap(), source, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;

    fn certificate(number: u32) -> ClientCertificate {
        let der = CertificateDer::from(number.to_be_bytes().to_vec());
        ClientCertificate::new(&[der]).unwrap()
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let strangers = Strangers::new();
        let source = IpAddr::from([10, 0, 0, 1]);
        for n in 0..200u32 {
            assert!(strangers.note(&certificate(n), source, Timestamp(n.into())));
        }
        let list = strangers.list();
        assert_eq!(list.len(), MOST_STRANGERS);
        assert_eq!(list[0].fingerprint, *certificate(199).fingerprint());
        let elsewhere = IpAddr::from([10, 0, 0, 2]);
        assert!(!strangers.note(&certificate(199), elsewhere, Timestamp(300)));
        let newest = strangers.list().remove(0);
        assert_eq!((newest.tries, newest.source), (2, elsewhere));
        strangers.forget(|seen| seen.is_of(Some(&RadsecTrust::Pinned(newest.fingerprint))));
        assert_eq!(strangers.list().len(), MOST_STRANGERS - 1);
        assert_ne!(strangers.list()[0].fingerprint, newest.fingerprint);
    }
}
