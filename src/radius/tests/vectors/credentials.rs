//! PAP, CHAP, MS-CHAP and the refusal of EAP.

use super::*;
use crate::radius::auth::{
    AttemptError, Method, NameForm, RefusalCode, chap, mppe, mschap, nt_hash, push_eap_failure,
};
use crate::radius::authenticator::{hide_password, verify_reply};
use crate::radius::number::{microsoft, mikrotik};

pub fn pap_of_the_rfc(vector: &Vector) {
    let request = vector.octets("request_packet");
    matches(RFC_SECRET, &request, b"arctangent");
    differs(RFC_SECRET, &request, b"arctangen");
    let authenticator = array(vector.input("request_authenticator"));
    let hidden = hide_password(&vector.secret(), &authenticator, b"arctangent").unwrap();
    same(&hidden, vector.expected("hidden_user_password"));
    let accept = hex(vector.expected("response_packet"));
    let built = reply(
        RFC_SECRET,
        &request,
        Code::ACCESS_ACCEPT,
        false,
        &attributes_of(&accept),
    );
    assert_eq!(built, accept);
    assert!(verify_reply(
        &vector.secret(),
        &Packet::parse(&accept).unwrap(),
        &authenticator
    ));
}

pub fn chap_of_the_rfc(vector: &Vector) {
    let request = vector.octets("request_packet");
    let password = vector
        .expected("chap_password")
        .as_str()
        .unwrap()
        .as_bytes();
    matches(RFC_SECRET, &request, password);
    differs(RFC_SECRET, &request, b"Arctangent");
    let hash = Credential::NtHash(nt_hash(password));
    assert!(matches!(
        verdict(RFC_SECRET, &request, &hash),
        Verdict::CannotVerify
    ));
    let accept = hex(vector.expected("response_packet"));
    assert_eq!(
        reply(
            RFC_SECRET,
            &request,
            Code::ACCESS_ACCEPT,
            false,
            &attributes_of(&accept)
        ),
        accept
    );
}

pub fn challenge_of_the_rfc(vector: &Vector) {
    for (request, password, expected, code) in [
        ("request1", "password1", "challenge", Code::ACCESS_CHALLENGE),
        ("request2", "password2", "reject", Code::ACCESS_REJECT),
    ] {
        let request = vector.octets(request);
        matches(
            RFC_SECRET,
            &request,
            vector.input(password).as_str().unwrap().as_bytes(),
        );
        let expected = hex(vector.expected(expected));
        assert_eq!(
            reply(RFC_SECRET, &request, code, false, &attributes_of(&expected)),
            expected
        );
    }
    assert!(Packet::parse(&vector.octets("request2_as_printed_malformed")).is_err());
}

pub fn pap_lengths(vector: &Vector) {
    let authenticator = array(vector.input("request_authenticator"));
    for case in vector.expected("cases").as_array().unwrap() {
        let password = case["password"].as_str().unwrap().as_bytes();
        let hidden = hide_password(&vector.secret(), &authenticator, password).unwrap();
        same(&hidden, &case["hidden"]);
        let mut buffer = AttributeBuffer::new();
        buffer.push_text(number::USER_NAME, "u").unwrap();
        buffer.push_octets(number::USER_PASSWORD, &hidden).unwrap();
        let request = packet(Code::ACCESS_REQUEST, &authenticator, &buffer);
        matches(SECRET, &request, password);
        differs(SECRET, &request, b"something else");
    }
    assert!(hide_password(&vector.secret(), &authenticator, &[b'x'; 129]).is_err());
}

pub fn chap_with_challenge(vector: &Vector) {
    let ident = u8::try_from(vector.input("chap_ident").as_u64().unwrap()).unwrap();
    let password = vector.input("password").as_str().unwrap().as_bytes();
    let challenge = vector.octets("chap_challenge");
    let mut value = vec![ident];
    value.extend_from_slice(&chap::response(ident, password, &challenge));
    same(&value, vector.expected("chap_password_attr_value"));
    let mut buffer = AttributeBuffer::new();
    buffer.push_octets(number::CHAP_PASSWORD, &value).unwrap();
    same(buffer.octets(), vector.expected("attribute_3"));
    buffer.clear();
    buffer
        .push_octets(number::CHAP_CHALLENGE, &challenge)
        .unwrap();
    same(buffer.octets(), vector.expected("attribute_60"));
    buffer.push_octets(number::CHAP_PASSWORD, &value).unwrap();
    buffer.push_text(number::USER_NAME, "u").unwrap();
    // The authenticator differs from the challenge, so taking the wrong one shows.
    let request = packet(Code::ACCESS_REQUEST, &[0xEE; 16], &buffer);
    matches(SECRET, &request, password);
    differs(SECRET, &request, b"hunter23");
}

pub fn mschap_v1_of_the_rfc(vector: &Vector) {
    let hash = nt_hash(vector.input("password").as_str().unwrap().as_bytes());
    same(&hash, vector.expected("nt_password_hash"));
    let response = mschap::challenge_response(&array(vector.input("challenge")), &hash);
    same(&response, vector.expected("nt_response"));
}

pub fn des_parity(vector: &Vector) {
    same(
        &mschap::parity_key(&array(vector.input("raw_key_1"))),
        vector.expected("parity_key_1"),
    );
    same(
        &mschap::parity_key(&array(vector.input("raw_key_2"))),
        vector.expected("parity_key_2"),
    );
}

pub fn mschap_v2_of_the_rfc(vector: &Vector) {
    let hash = nt_hash(b"clientPass");
    same(&hash, vector.expected("password_hash"));
    let hash_hash = mschap::hash_of_hash(&hash);
    same(&hash_hash, vector.expected("password_hash_hash"));
    let peer_challenge = array(vector.input("peer_challenge"));
    let challenge = mschap::v2_challenge(
        &peer_challenge,
        &array(vector.input("authenticator_challenge")),
        b"User",
    );
    same(&challenge, vector.expected("challenge"));
    let response = mschap::challenge_response(&challenge, &hash);
    same(&response, vector.expected("nt_response"));
    let success = mschap::success_text(&hash_hash, &response, &challenge);
    assert_eq!(
        std::str::from_utf8(&success).unwrap(),
        vector.expected("authenticator_response")
    );
}

/// A request with the Microsoft attributes given as values.
pub fn microsoft_request(user_name: &[u8], challenge: &[u8], kind: u8, response: &[u8]) -> Vec<u8> {
    let mut buffer = AttributeBuffer::new();
    buffer.push_octets(number::USER_NAME, user_name).unwrap();
    buffer
        .push_vendor(microsoft::VENDOR, microsoft::CHAP_CHALLENGE, challenge)
        .unwrap();
    buffer
        .push_vendor(microsoft::VENDOR, kind, response)
        .unwrap();
    packet(Code::ACCESS_REQUEST, &[3; 16], &buffer)
}

pub fn mschap_v2_domain(vector: &Vector) {
    let user_name = vector.input("user_name_attribute").as_str().unwrap();
    let challenge = vector.octets("ms_chap_challenge");
    let response = vector.octets("ms_chap2_response_attr");
    let request = microsoft_request(
        user_name.as_bytes(),
        &challenge,
        microsoft::CHAP2_RESPONSE,
        &response,
    );
    let Proof::MsChap2 {
        success, name_form, ..
    } = matches(SECRET, &request, b"secret")
    else {
        panic!()
    };
    same(&success, vector.expected("ms_chap2_success_attr"));
    assert_eq!(name_form, NameForm::WithoutDomain);
    differs(SECRET, &request, b"Secret");
    for (hashed, presented, expected) in [
        ("example\\john", "example\\john", Some(NameForm::Whole)),
        ("john", "example\\john", Some(NameForm::WithoutDomain)),
        ("john", "john@example", Some(NameForm::WithoutRealm)),
        (
            "john@example",
            "john@example",
            Some(NameForm::WithoutDomain),
        ),
        (
            "john",
            "example\\john@example",
            Some(NameForm::WithoutRealm),
        ),
        ("example", "example\\john", None),
        ("", "john", None),
    ] {
        let hash = nt_hash(b"secret");
        let mixed = mschap::v2_challenge(&[1; 16], &[2; 16], hashed.as_bytes());
        let mut response = vec![9, 0];
        response.extend_from_slice(&[1; 16]);
        response.extend_from_slice(&[0; 8]);
        response.extend_from_slice(&mschap::challenge_response(&mixed, &hash));
        let request = microsoft_request(
            presented.as_bytes(),
            &[2; 16],
            microsoft::CHAP2_RESPONSE,
            &response,
        );
        let found = match verdict(SECRET, &request, &Credential::NtHash(hash)) {
            Verdict::Match(proof) => proof.name_form(),
            _ => None,
        };
        assert_eq!(found, expected, "{hashed} for {presented}");
    }
}

pub fn mschap_v1_bob(vector: &Vector) {
    let response = vector.octets("ms_chap_response_attr");
    let challenge = vector.octets("ms_chap_challenge");
    let request = microsoft_request(b"bob", &challenge, microsoft::CHAP_RESPONSE, &response);
    let Proof::MsChap { nt_hash_hash } = matches(SECRET, &request, b"bob") else {
        panic!()
    };
    same(&nt_hash_hash, vector.expected("nt_password_hash_hash"));
    differs(SECRET, &request, b"Bob");
    // The vector's LM-Key is not zero as ours is; the part the NAS uses is the same.
    let plain = hex(vector.expected("ms_chap_mppe_keys_plaintext"));
    assert_eq!(mppe::v1_keys(&nt_hash_hash)[8..], plain[8..]);
    let mut lan_manager = response;
    lan_manager[1] = 0;
    let request = microsoft_request(b"bob", &challenge, microsoft::CHAP_RESPONSE, &lan_manager);
    let request = Packet::parse(&request).unwrap();
    assert_eq!(
        Attempt::read(&request, &secret()).err(),
        Some(AttemptError::LanManagerOnly)
    );
}

pub fn nt_hash_unicode(vector: &Vector) {
    let passwords = vector.input("passwords").as_array().unwrap();
    for (password, expected) in passwords
        .iter()
        .zip(vector.expected("nt_hashes").as_array().unwrap())
    {
        same(&nt_hash(password.as_str().unwrap().as_bytes()), expected);
    }
    assert_eq!(
        nt_hash(b"p\xE4ss"),
        nt_hash("p\u{e4}ss".as_bytes()),
        "not UTF-8: one unit per octet"
    );
}

pub fn mschap_v2_exchange(vector: &Vector) {
    let request = vector.octets("request_packet");
    let proof = matches(SECRET, &request, b"clientPass");
    let Proof::MsChap2 { success, .. } = &proof else {
        panic!()
    };
    same(success, vector.expected("ms_chap2_success_value"));
    let packet = Packet::parse(&request).unwrap();
    let mut accept = AttributeBuffer::new();
    accept.push_u32(number::SERVICE_TYPE, 2).unwrap();
    accept.push_u32(number::FRAMED_PROTOCOL, 1).unwrap();
    proof.push_success(&mut accept).unwrap();
    let salts = [0x00, 0x01, 0x80, 0x02];
    mppe::push_keys(
        &proof,
        &mut accept,
        &secret(),
        packet.authenticator(),
        salts,
        false,
    )
    .unwrap();
    accept.push_text(number::FRAMED_POOL, "pool-a").unwrap();
    accept
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, "5M/20M")
        .unwrap();
    let built = reply(SECRET, &request, Code::ACCESS_ACCEPT, true, &accept);
    same(&built, vector.expected("response_packet"));
}

pub fn mschap_v2_reject(vector: &Vector) {
    let request = vector.octets("request_packet");
    let mut reject = AttributeBuffer::new();
    let code = RefusalCode::AuthenticationFailed;
    let challenge = array(vector.input("new_challenge"));
    mschap::push_error(
        &mut reject,
        1,
        true,
        code,
        &challenge,
        "Authentication failed",
    )
    .unwrap();
    let (_, value) = reject.iter().next().unwrap();
    same(&value[6..], vector.expected("ms_chap_error_value"));
    same(
        &reply(SECRET, &request, Code::ACCESS_REJECT, true, &reject),
        vector.expected("response_packet"),
    );
    let packet = Packet::parse(&request).unwrap();
    let secret = secret();
    let attempt = Attempt::read(&packet, &secret).unwrap();
    assert_eq!(attempt.method(), Method::MsChap2);
    for (code, number) in [
        (RefusalCode::RestrictedHours, 646),
        (RefusalCode::AccountDisabled, 647),
        (RefusalCode::PasswordExpired, 648),
        (RefusalCode::NoDialInPermission, 649),
        (RefusalCode::AuthenticationFailed, 691),
    ] {
        reject.clear();
        attempt.push_refusal(&mut reject, code, "no").unwrap();
        let (_, value) = reject.iter().next().unwrap();
        let text = std::str::from_utf8(&value[7..]).unwrap();
        assert_eq!(value[6], 1, "the identifier of the request");
        assert!(
            text.starts_with(&format!("E={number} R=0 C=")) && text.ends_with(" V=3 M=no"),
            "{text}"
        );
    }
}

pub fn mschap_v1_exchange(vector: &Vector) {
    let request = vector.octets("request_packet");
    let proof = matches(SECRET, &request, b"MyPw");
    let Proof::MsChap { nt_hash_hash } = &proof else {
        panic!()
    };
    same(
        &mppe::v1_keys(nt_hash_hash),
        vector.expected("ms_chap_mppe_keys_plaintext"),
    );
    let packet = Packet::parse(&request).unwrap();
    let mut accept = AttributeBuffer::new();
    proof.push_success(&mut accept).unwrap();
    mppe::push_keys(
        &proof,
        &mut accept,
        &secret(),
        packet.authenticator(),
        [0; 4],
        false,
    )
    .unwrap();
    let built = reply(SECRET, &request, Code::ACCESS_ACCEPT, true, &accept);
    same(&built, vector.expected("response_packet"));
    let mut reject = AttributeBuffer::new();
    let secret = secret();
    let attempt = Attempt::read(&packet, &secret).unwrap();
    attempt
        .push_refusal(&mut reject, RefusalCode::AuthenticationFailed, "unused")
        .unwrap();
    let (_, value) = reject.iter().next().unwrap();
    let text = std::str::from_utf8(&value[7..]).unwrap();
    assert!(
        text.starts_with("E=691 R=0 C=") && text.ends_with(" V=2") && text.len() == 32,
        "{text}"
    );
}

pub fn eap_md5(vector: &Vector) {
    let identifier = u8::try_from(vector.input("eap_identifier").as_u64().unwrap()).unwrap();
    let response = hex(vector.expected("eap_response"));
    let digest = chap::response(identifier, b"Passw0rd!", &vector.octets("challenge"));
    assert_eq!(response[6..], digest, "the same digest as CHAP");
    let mut buffer = AttributeBuffer::new();
    buffer.push_eap_message(&response).unwrap();
    same(buffer.octets(), vector.expected("eap_message_attr"));
    buffer.push_text(number::USER_NAME, "u").unwrap();
    let request = packet(Code::ACCESS_REQUEST, &[0; 16], &buffer);
    let refused = Attempt::read(&Packet::parse(&request).unwrap(), &secret())
        .err()
        .unwrap();
    assert_eq!(
        refused,
        AttemptError::Eap {
            identifier: Some(identifier)
        }
    );
    let mut reject = AttributeBuffer::new();
    push_eap_failure(&refused, &mut reject).unwrap();
    same(
        reject.iter().next().unwrap().1,
        vector.expected("eap_failure"),
    );
}
