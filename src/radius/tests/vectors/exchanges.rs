//! Whole exchanges: logins, status, accounting, CoA and Disconnect.

use super::*;
use crate::radius::attribute::octet_total;
use crate::radius::authenticator::verify_message_authenticator;
use crate::radius::number::mikrotik;
use crate::radius::pipeline::check_accounting;
use crate::radius::request::Request;

pub fn pppoe_accept(vector: &Vector) {
    let request = vector.octets("request_packet");
    assert!(Packet::parse(&request).unwrap().has_message_authenticator());
    matches(
        SECRET,
        &request,
        vector.input("password").as_str().unwrap().as_bytes(),
    );
    let mut accept = AttributeBuffer::new();
    accept.push_u32(number::SERVICE_TYPE, 2).unwrap();
    accept.push_u32(number::FRAMED_PROTOCOL, 1).unwrap();
    accept
        .push_ipv4(number::FRAMED_IP_ADDRESS, [198, 51, 100, 23].into())
        .unwrap();
    accept.push_u32(number::ACCT_INTERIM_INTERVAL, 300).unwrap();
    accept.push_u32(number::SESSION_TIMEOUT, 86_400).unwrap();
    accept.push_text(number::CLASS, "svc:1001:7").unwrap();
    let rate = "10M/50M 12M/60M 8M/40M 16/16 8 1M/5M";
    accept
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, rate)
        .unwrap();
    accept
        .push_vendor_text(mikrotik::VENDOR, mikrotik::ADDRESS_LIST, "active")
        .unwrap();
    let built = reply(SECRET, &request, Code::ACCESS_ACCEPT, true, &accept);
    same(&built, vector.expected("response_packet"));
    assert_eq!(
        built[20],
        number::MESSAGE_AUTHENTICATOR,
        "first in the packet"
    );
}

pub fn reject_with_message(vector: &Vector) {
    let mut reject = AttributeBuffer::new();
    reject
        .push_text(number::REPLY_MESSAGE, "account suspended")
        .unwrap();
    let built = reply(
        SECRET,
        &vector.octets("request_packet"),
        Code::ACCESS_REJECT,
        true,
        &reject,
    );
    same(&built, vector.expected("response_packet"));
}

pub fn proxy_state_echo(vector: &Vector) {
    let request = vector.octets("request_packet");
    let built = reply(
        SECRET,
        &request,
        Code::ACCESS_REJECT,
        true,
        &AttributeBuffer::new(),
    );
    same(&built, vector.expected("response_packet"));
}

pub fn status_of_the_rfc(vector: &Vector, code: Code) {
    let request = vector.octets("request_packet");
    let peer = peer(RFC_SECRET);
    for port in [Port::Auth, Port::Acct] {
        assert!(pipeline::check(port, &peer, &request).is_ok());
    }
    let response = hex(vector.expected("response_packet"));
    assert_eq!(
        reply(RFC_SECRET, &request, code, false, &attributes_of(&response)),
        response
    );
    let mut changed = request.clone();
    *changed.last_mut().unwrap() ^= 1;
    let changed = Packet::parse(&changed).unwrap();
    assert_eq!(
        verify_message_authenticator(&peer.secret, &changed),
        Some(false)
    );
}

pub fn status_reply(vector: &Vector) {
    let request = vector.octets("request_packet");
    assert!(pipeline::check(Port::Auth, &peer(SECRET), &request).is_ok());
    for (code, expected) in [
        (Code::ACCESS_ACCEPT, "auth_port_reply"),
        (Code::ACCOUNTING_RESPONSE, "acct_port_reply"),
    ] {
        same(
            &reply(SECRET, &request, code, true, &AttributeBuffer::new()),
            vector.expected(expected),
        );
    }
}

pub fn accounting(vector: &Vector) {
    let request = vector.octets("request_packet");
    let peer = peer(SECRET);
    let packet = pipeline::check(Port::Acct, &peer, &request).unwrap();
    let record = check_accounting(&packet, &peer, anywhere()).unwrap();
    if let Some(upload) = vector.input("input_octets_64").as_u64() {
        assert_eq!(record.upload_octets(), Some(upload));
        assert_eq!(
            record.download_octets(),
            vector.input("output_octets_64").as_u64()
        );
    }
    same(
        &reply(
            SECRET,
            &request,
            Code::ACCOUNTING_RESPONSE,
            false,
            &AttributeBuffer::new(),
        ),
        vector.expected("response_packet"),
    );
    if !packet.has_message_authenticator() {
        let built =
            Request::accounting(&peer.secret, packet.identifier(), &attributes_of(&request))
                .unwrap();
        assert_eq!(built.octets(), request);
        assert!(
            built
                .verify(&hex(vector.expected("response_packet")))
                .is_ok()
        );
    }
    let mut changed = request.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(pipeline::check(Port::Acct, &peer, &changed).is_err());
}

pub fn gigawords(vector: &Vector) {
    let cases = vector.input("cases").as_array().unwrap();
    for (case, total) in cases
        .iter()
        .zip(vector.expected("totals").as_array().unwrap())
    {
        let half = |index: usize| u32::try_from(case[index].as_u64().unwrap()).unwrap();
        assert_eq!(octet_total(half(0), half(1)), total.as_u64().unwrap());
    }
}

pub fn captured_disconnect(vector: &Vector) {
    let request = Request::digest_signed(
        Code::DISCONNECT_REQUEST,
        &vector.secret(),
        1,
        &AttributeBuffer::new(),
        true,
    )
    .unwrap();
    same(request.octets(), vector.expected("packet"));
}

/// The request's octets, and that exactly its own replies are taken.
pub fn dynamic(
    vector: &Vector,
    code: Code,
    identifier: u8,
    attributes: &AttributeBuffer,
    protect: bool,
) {
    let request = Request::digest_signed(code, &secret(), identifier, attributes, protect).unwrap();
    same(request.octets(), vector.expected("request_packet"));
    let ack = hex(vector.expected("ack_packet"));
    assert!(request.verify(&ack).is_ok());
    for at in 0..ack.len() {
        let mut changed = ack.clone();
        changed[at] ^= 1;
        assert!(request.verify(&changed).is_err(), "octet {at}");
    }
    if let Some(nak) = vector.0["expected"].get("nak_503_packet") {
        let nak = hex(nak);
        assert_eq!(
            request.verify(&nak).unwrap().u32(number::ERROR_CAUSE),
            Some(503)
        );
    }
}

pub fn session_attributes() -> AttributeBuffer {
    let mut buffer = AttributeBuffer::new();
    buffer
        .push_ipv4(number::NAS_IP_ADDRESS, [192, 0, 2, 10].into())
        .unwrap();
    buffer.push_text(number::USER_NAME, "cust1001").unwrap();
    buffer
        .push_text(number::ACCT_SESSION_ID, "81500001")
        .unwrap();
    buffer
        .push_ipv4(number::FRAMED_IP_ADDRESS, [198, 51, 100, 23].into())
        .unwrap();
    buffer
}

pub fn coa_rate_change(vector: &Vector) {
    let mut buffer = session_attributes();
    let seconds = u32::try_from(vector.input("event_timestamp").as_u64().unwrap()).unwrap();
    buffer.push_u32(number::EVENT_TIMESTAMP, seconds).unwrap();
    buffer
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, "2M/8M")
        .unwrap();
    dynamic(vector, Code::COA_REQUEST, 1, &buffer, true);
}

pub fn coa_minimal(vector: &Vector) {
    let mut buffer = session_attributes();
    buffer
        .push_vendor_text(mikrotik::VENDOR, mikrotik::RATE_LIMIT, "2M/8M")
        .unwrap();
    dynamic(vector, Code::COA_REQUEST, 2, &buffer, false);
}

pub fn disconnect(vector: &Vector) {
    let mut buffer = session_attributes();
    buffer
        .push_u32(number::EVENT_TIMESTAMP, 1_735_690_000)
        .unwrap();
    dynamic(vector, Code::DISCONNECT_REQUEST, 3, &buffer, true);
}
