//! The reference vectors, for tests.

use serde_json::Value;

/// The vector with this id, as it stands in `tests/vectors/vectors.json`.
pub(super) fn vector(id: &str) -> Value {
    let all: Value =
        serde_json::from_str(include_str!("../../tests/vectors/vectors.json")).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    vectors.iter().find(|v| v["id"] == id).unwrap().clone()
}

/// The octets of a string of hex digits.
pub(super) fn unhex(hex: &Value) -> Vec<u8> {
    hex.as_str()
        .unwrap()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
