//! Browsers of the vendor's people: one password, signed in until they are idle for long or the server restarts.
//!
//! Invariant: a token is kept as its digest only, so that a look into memory or a log gives none away.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::VendorError;
use super::desk::Desk;
use super::records::{self, Setting, Who};
use crate::crypto::{self, Secret};
use crate::domain::time::{HOUR, Timestamp};

/// A browser that was not used for so long must sign in again.
const IDLE: i64 = 8 * HOUR;
/// Browsers at once; the one that was idle longest makes room.
const MOST_BROWSERS: usize = 64;

/// One signed-in browser.
#[derive(Clone)]
pub struct Login {
    /// Its forms repeat this.
    pub csrf: String,
    seen_at: Timestamp,
}

#[derive(Default)]
pub struct Logins(Mutex<HashMap<[u8; 32], Login>>);

impl Logins {
    fn map(&self) -> MutexGuard<'_, HashMap<[u8; 32], Login>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, token: &str, csrf: String, now: Timestamp) {
        let mut map = self.map();
        map.retain(|_, login| now.since(login.seen_at) < IDLE);
        if map.len() >= MOST_BROWSERS {
            let oldest = map.iter().min_by_key(|(_, login)| login.seen_at);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                map.remove(&oldest);
            }
        }
        let login = Login { csrf, seen_at: now };
        map.insert(crypto::sha256(token.as_bytes()), login);
    }

    /// The browser with this token, which is used now.
    pub fn find(&self, token: &str, now: Timestamp) -> Option<Login> {
        let mut map = self.map();
        let login = map.get_mut(&crypto::sha256(token.as_bytes()))?;
        if now.since(login.seen_at) >= IDLE {
            return None;
        }
        login.seen_at = now;
        Some(login.clone())
    }

    pub fn remove(&self, token: &str) {
        self.map().remove(&crypto::sha256(token.as_bytes()));
    }
}

impl Desk {
    /// Checks the password and gives the browser its token; `None` for a wrong one.
    pub async fn sign_in(
        &self,
        address: &str,
        password: Secret<String>,
    ) -> Result<Option<String>, VendorError> {
        let hash = records::setting(&self.store.view()?, Setting::Password)?.unwrap_or_default();
        let checked =
            tokio::task::spawn_blocking(move || crypto::verify_password(password.expose(), &hash));
        let is_right = checked.await.map_err(|_| VendorError::Interrupted)?;
        let (now, who) = (self.now(), Who::page(address));
        let what = if is_right {
            "signed in"
        } else {
            "wrong password"
        };
        self.store
            .write("sign in", move |tx| {
                Ok::<_, VendorError>(records::log(tx, now, &who, what, None, "")?)
            })
            .await?;
        if !is_right {
            return Ok(None);
        }
        let token = crypto::random_token()?;
        self.logins.add(&token, crypto::random_token()?, now);
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_until_it_is_idle_or_signed_out() {
        let logins = Logins::default();
        logins.add("a", "csrf".to_owned(), Timestamp(0));
        assert!(logins.find("b", Timestamp(0)).is_none());
        assert_eq!(logins.find("a", Timestamp(IDLE - 1)).unwrap().csrf, "csrf");
        assert!(logins.find("a", Timestamp(2 * IDLE - 2)).is_some());
        assert!(logins.find("a", Timestamp(3 * IDLE - 2)).is_none());
        logins.add("c", String::new(), Timestamp(0));
        logins.remove("c");
        assert!(logins.find("c", Timestamp(0)).is_none());
    }

    #[test]
    fn the_oldest_browser_makes_room() {
        let logins = Logins::default();
        for number in 0..=MOST_BROWSERS {
            let at = Timestamp(i64::try_from(number).unwrap());
            logins.add(&number.to_string(), String::new(), at);
        }
        let now = Timestamp(100);
        assert!(logins.find("0", now).is_none());
        assert!(logins.find("1", now).is_some());
        assert!(logins.find(&MOST_BROWSERS.to_string(), now).is_some());
    }
}
