//! Every reference vector of the groups this room implements. A vector nobody tests fails `every_vector_is_covered`.

mod credentials;
mod exchanges;
mod keys;
mod wire;

use std::fmt::Write;

use serde_json::Value;

use super::{SECRET, anywhere, packet, peer, secret};
use crate::radius::auth::{Attempt, Credential, Proof, Verdict};
use crate::radius::draft::copy_proxy_states;
use crate::radius::reply::ReplyTo;
use crate::radius::{AttributeBuffer, Code, Packet, Port, SharedSecret, number, pipeline};

const GROUPS: [&str; 7] = [
    "radius",
    "status",
    "mschap",
    "mppe",
    "accounting",
    "dynauth",
    "eap",
];

type Test = fn(&Vector);

/// Which function tests which vector.
const COVERED: &[(&str, Test)] = &[
    ("rfc2865-7.1-pap", credentials::pap_of_the_rfc),
    ("rfc2865-7.2-chap", credentials::chap_of_the_rfc),
    ("rfc2865-7.3-challenge", credentials::challenge_of_the_rfc),
    ("pap-lengths", credentials::pap_lengths),
    ("chap-with-challenge-attr", credentials::chap_with_challenge),
    ("pppoe-pap-accept", exchanges::pppoe_accept),
    ("reject-with-reply-message", exchanges::reject_with_message),
    ("proxy-state-echo", exchanges::proxy_state_echo),
    ("tunnel-password", keys::tunnel_password),
    ("ipv6-attributes", wire::ipv6_attributes),
    ("vsa-forms", wire::vsa_forms),
    ("extended-attributes", wire::extended_attributes),
    ("malformed", wire::malformed),
    ("retransmit-schedule", wire::retransmit_schedule),
    ("rfc5997-6.1", |vector| {
        exchanges::status_of_the_rfc(vector, Code::ACCESS_ACCEPT)
    }),
    ("rfc5997-6.2", |vector| {
        exchanges::status_of_the_rfc(vector, Code::ACCOUNTING_RESPONSE)
    }),
    ("rfc5997-6.3", |vector| {
        exchanges::status_of_the_rfc(vector, Code::ACCESS_ACCEPT)
    }),
    ("status-server-ma-reply", exchanges::status_reply),
    ("rfc2433-B.2-mschapv1", credentials::mschap_v1_of_the_rfc),
    ("rfc2759-9.3-des-parity", credentials::des_parity),
    ("rfc2759-9.2", credentials::mschap_v2_of_the_rfc),
    ("mschapv2-domain-strip", credentials::mschap_v2_domain),
    ("mschapv1-freeradius-bob", credentials::mschap_v1_bob),
    ("nt-hash-unicode", credentials::nt_hash_unicode),
    ("mschapv2-full-exchange", credentials::mschap_v2_exchange),
    ("mschapv2-reject", credentials::mschap_v2_reject),
    ("mschapv1-full-exchange", credentials::mschap_v1_exchange),
    ("rfc3079-2.5.1-40bit-v1", keys::mppe_40_bit),
    ("rfc3079-2.5.3-128bit-v1", keys::mppe_128_bit),
    ("rfc3079-3.5-mschapv2", keys::mppe_v2),
    ("mppe-salt-encryption", keys::mppe_salt),
    ("acct-start", exchanges::accounting),
    ("acct-interim", exchanges::accounting),
    ("acct-stop", exchanges::accounting),
    ("acct-on", exchanges::accounting),
    ("acct-off", exchanges::accounting),
    (
        "acct-interim-with-message-authenticator",
        exchanges::accounting,
    ),
    ("gigawords", exchanges::gigawords),
    (
        "tcpdump-rfc5176-disconnect-request",
        exchanges::captured_disconnect,
    ),
    ("coa-rate-change", exchanges::coa_rate_change),
    ("coa-rate-change-minimal", exchanges::coa_minimal),
    ("disconnect", exchanges::disconnect),
    ("eap-md5", credentials::eap_md5),
];

struct Vector(Value);

impl Vector {
    fn input(&self, name: &str) -> &Value {
        &self.0["inputs"][name]
    }

    fn expected(&self, name: &str) -> &Value {
        &self.0["expected"][name]
    }

    fn secret(&self) -> SharedSecret {
        SharedSecret::new(self.input("secret").as_str().unwrap().as_bytes()).unwrap()
    }

    /// Octets of a hex field of the inputs.
    fn octets(&self, name: &str) -> Vec<u8> {
        hex(self.input(name))
    }
}

fn vectors() -> Vec<Vector> {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/vectors.json")).unwrap();
    file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .cloned()
        .map(Vector)
        .collect()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not hex"));
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

#[track_caller]
fn same(octets: &[u8], expected: &Value) {
    assert_eq!(to_hex(octets), expected.as_str().unwrap());
}

#[test]
fn every_vector_is_covered() {
    for vector in vectors() {
        let (id, group) = (
            vector.0["id"].as_str().unwrap(),
            vector.0["group"].as_str().unwrap(),
        );
        // MAC addresses are read in `domain`, which tests that vector.
        if GROUPS.contains(&group) && id != "mac-normalise" {
            assert!(
                COVERED.iter().any(|(covered, _)| *covered == id),
                "{id} of group {group} has no test"
            );
        }
    }
}

#[test]
fn every_vector_holds() {
    let vectors = vectors();
    for (id, test) in COVERED {
        println!("{id}");
        test(
            vectors
                .iter()
                .find(|vector| vector.0["id"] == *id)
                .unwrap_or_else(|| panic!("no vector {id}")),
        );
    }
}

/// The reply to a request packet, built and signed by the code the server uses.
fn reply(
    secret: &[u8],
    request: &[u8],
    code: Code,
    protect: bool,
    attributes: &AttributeBuffer,
) -> Vec<u8> {
    let request = Packet::parse(request).unwrap();
    let peer = peer(secret);
    let mut proxy_states = Vec::new();
    copy_proxy_states(&request, &mut proxy_states);
    let to = ReplyTo {
        peer: &peer,
        identifier: request.identifier(),
        request_authenticator: request.authenticator(),
        proxy_states: &proxy_states,
    };
    let mut octets = Vec::new();
    to.write(code, protect, attributes.octets(), &mut octets)
        .unwrap();
    octets
}

/// Copies the attributes of a packet without Message-Authenticator.
fn attributes_of(octets: &[u8]) -> AttributeBuffer {
    let mut buffer = AttributeBuffer::new();
    for (kind, value) in Packet::parse(octets).unwrap().attributes() {
        if kind != number::MESSAGE_AUTHENTICATOR {
            buffer.push_raw(kind, value).unwrap();
        }
    }
    buffer
}

/// Of the examples in RFC 2865 and RFC 5997.
const RFC_SECRET: &[u8] = b"xyzzy5461";

/// What a request says about a password, through the pipeline and the credential check.
fn verdict(secret: &[u8], request: &[u8], credential: &Credential<'_>) -> Verdict {
    let peer = peer(secret);
    let packet = pipeline::check(Port::Auth, &peer, request).unwrap();
    let attempt = Attempt::read(&packet, &peer.secret).unwrap();
    attempt.verify(credential, packet.first(number::USER_NAME).unwrap())
}

#[track_caller]
fn matches(secret: &[u8], request: &[u8], password: &[u8]) -> Proof {
    match verdict(secret, request, &Credential::Password(password)) {
        Verdict::Match(proof) => proof,
        _ => panic!("the password must match"),
    }
}

#[track_caller]
fn differs(secret: &[u8], request: &[u8], password: &[u8]) {
    assert!(matches!(
        verdict(secret, request, &Credential::Password(password)),
        Verdict::Mismatch { .. }
    ));
}
