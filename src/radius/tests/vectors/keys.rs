//! MPPE keys and salted hiding. What only a NAS computes is computed here, to check what we send it.

use des::cipher::KeyInit;
use sha1::{Digest, Sha1};

use super::*;
use crate::radius::auth::mppe::{self, Direction};
use crate::radius::auth::{NameForm, mschap, nt_hash};
use crate::radius::authenticator::{hide_salted, unhide_salted};
use crate::radius::number::microsoft;
use crate::radius::packet::Authenticator;

pub fn tunnel_password(vector: &Vector) {
    let authenticator = array(vector.input("request_authenticator"));
    let password = vector.input("password").as_str().unwrap().as_bytes();
    let hidden = hide_salted(
        &secret(),
        &authenticator,
        array(vector.input("salt")),
        password,
    )
    .unwrap();
    let mut value = vec![1];
    value.extend_from_slice(&hidden);
    let mut buffer = AttributeBuffer::new();
    buffer.push_octets(number::TUNNEL_PASSWORD, &value).unwrap();
    same(buffer.octets(), vector.expected("attribute"));
    assert_eq!(
        unhide_salted(&secret(), &authenticator, &hidden).unwrap(),
        password
    );
    assert!(hide_salted(&secret(), &authenticator, [0x80, 0], &[0; 239]).is_ok());
    assert!(hide_salted(&secret(), &authenticator, [0x80, 0], &[0; 240]).is_err());
}

/// The session keys a NAS derives from what we send (RFC 3079 s3.4); ours to check, not to send.
pub fn session_key(start: &[u8], bits: usize) -> Vec<u8> {
    let length = if bits == 128 { 16 } else { 8 };
    let start = &start[..length];
    let digest = Sha1::new()
        .chain_update(start)
        .chain_update([0; 40])
        .chain_update(start)
        .chain_update([0xF2; 40])
        .finalize();
    reduced(digest[..length].to_vec(), bits)
}

pub fn reduced(mut key: Vec<u8>, bits: usize) -> Vec<u8> {
    match bits {
        40 => key[..3].copy_from_slice(&[0xD1, 0x26, 0x9E]),
        56 => key[0] = 0xD1,
        _ => {}
    }
    key
}

/// RC4, for the check values of RFC 3079 only.
pub fn rc4(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut state: Vec<u8> = (0..=255).collect();
    let mut j = 0;
    for i in 0..256 {
        j = (j + usize::from(state[i]) + usize::from(key[i % key.len()])) % 256;
        state.swap(i, j);
    }
    let (mut i, mut j) = (0, 0);
    text.iter()
        .map(|octet| {
            i = (i + 1) % 256;
            j = (j + usize::from(state[i])) % 256;
            state.swap(i, j);
            octet ^ state[(usize::from(state[i]) + usize::from(state[j])) % 256]
        })
        .collect()
}

pub fn mppe_40_bit(vector: &Vector) {
    // The LAN Manager hash is not part of the product; our DES must give it.
    let mut upper = vector
        .input("password")
        .as_str()
        .unwrap()
        .to_uppercase()
        .into_bytes();
    upper.resize(14, 0);
    let mut hash = Vec::new();
    for half in upper.chunks(7) {
        hash.extend_from_slice(&mschap::des_block(half.try_into().unwrap(), b"KGS!@#$%"));
    }
    same(&hash, vector.expected("lm_password_hash"));
    let before = session_key(&hash, 64);
    same(&before, vector.expected("session_key_before_reduction"));
    same(
        &reduced(before.clone(), 40),
        vector.expected("session_key_40"),
    );
    same(&reduced(before, 56), vector.expected("session_key_56"));
    assert!(des::Des::new_from_slice(&hash[..8]).is_ok());
}

pub fn mppe_128_bit(vector: &Vector) {
    let hash = nt_hash(b"clientPass");
    same(&hash, vector.expected("password_hash"));
    let hash_hash = mschap::hash_of_hash(&hash);
    same(&hash_hash, vector.expected("password_hash_hash"));
    let challenge: [u8; 8] = array(vector.input("challenge"));
    let digest = Sha1::new()
        .chain_update(hash_hash)
        .chain_update(hash_hash)
        .chain_update(challenge)
        .finalize();
    let initial = &digest[..16];
    same(initial, vector.expected("initial_session_key"));
    let digest = Sha1::new()
        .chain_update(initial)
        .chain_update([0; 40])
        .chain_update(initial)
        .chain_update([0xF2; 40])
        .finalize();
    same(&digest[..16], vector.expected("current_session_key"));
    // The NAS starts from this field of what we send.
    assert_eq!(mppe::v1_keys(&hash_hash)[8..24], hash_hash);
}

pub fn mppe_v2(vector: &Vector) {
    let hash_hash = array(vector.input("password_hash_hash"));
    let master = mppe::master_key(&hash_hash, &array(vector.input("nt_response")));
    same(&master, vector.expected("master_key"));
    let send = mppe::start_key(&master, Direction::Send);
    same(&send, vector.expected("server_send_start_key_128"));
    same(&send[..8], vector.expected("server_send_start_key_40_56"));
    for bits in [40, 56, 128] {
        let key = session_key(&send, bits);
        same(&key, vector.expected(&format!("send_session_key_{bits}")));
        same(
            &rc4(&key, b"test message"),
            vector.expected(&format!("rc4_test_message_{bits}")),
        );
    }
    let receive = mppe::start_key(&master, Direction::Receive);
    same(&receive, vector.expected("server_recv_start_key_128"));
    same(
        &session_key(&receive, 128),
        vector.expected("recv_session_key_128"),
    );
}

pub fn mppe_salt(vector: &Vector) {
    let authenticator: Authenticator = array(vector.input("request_authenticator"));
    for (key, salt, kind, value, vsa) in [
        (
            "send_key",
            "salt_send",
            microsoft::MPPE_SEND_KEY,
            "ms_mppe_send_key_value",
            "send_key_vsa",
        ),
        (
            "recv_key",
            "salt_recv",
            microsoft::MPPE_RECV_KEY,
            "ms_mppe_recv_key_value",
            "recv_key_vsa",
        ),
    ] {
        let key = vector.octets(key);
        let hidden =
            hide_salted(&secret(), &authenticator, array(vector.input(salt)), &key).unwrap();
        same(&hidden, vector.expected(value));
        let mut buffer = AttributeBuffer::new();
        buffer
            .push_vendor(microsoft::VENDOR, kind, &hidden)
            .unwrap();
        same(buffer.octets(), vector.expected(vsa));
        assert_eq!(unhide_salted(&secret(), &authenticator, &hidden), Some(key));
    }
    // Random salts that happen to be equal are told apart, and the top bit is set.
    let proof = Proof::MsChap2 {
        success: [0; 43],
        master_key: [5; 16],
        name_form: NameForm::Whole,
    };
    let mut buffer = AttributeBuffer::new();
    mppe::push_keys(
        &proof,
        &mut buffer,
        &secret(),
        &authenticator,
        [1, 2, 1, 2],
        true,
    )
    .unwrap();
    let salts: Vec<[u8; 2]> = buffer
        .iter()
        .map(|(_, value)| value)
        .filter(|value| [microsoft::MPPE_SEND_KEY, microsoft::MPPE_RECV_KEY].contains(&value[4]))
        .map(|value| [value[6], value[7]])
        .collect();
    assert_eq!(salts, [[0x81, 2], [0x81, 3]]);
    assert_eq!(
        buffer.iter().next().unwrap().1[6..],
        [0, 0, 0, 2],
        "required"
    );
}
