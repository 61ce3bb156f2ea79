//! A licence and a vendor's key for tests.

use super::{Hardware, Licence, SigningKey};
use crate::crypto::Key;

pub fn signing_key() -> SigningKey {
    SigningKey::from_seed(&Key::from_bytes([1; 32])).unwrap()
}

/// A machine that shows a system and one card.
pub fn machine(octet: u8) -> Hardware {
    Hardware {
        system: Some([octet; 16].into()),
        board: None,
        cards: vec![[octet; 16].into()],
    }
}

/// For [`machine`] 1, for ever, with a week of grace and at most a thousand subscribers.
pub fn licence() -> Licence {
    Licence {
        id: 5,
        customer: "Acme Net".to_owned(),
        hardware: machine(1),
        most_subscribers: Some(1_000),
        issued_at: 1_780_000_000_000,
        expires_at: None,
        grace_days: 7,
        key_id: signing_key().public().id(),
        is_trial: false,
    }
}
