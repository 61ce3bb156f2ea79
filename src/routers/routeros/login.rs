//! The login of RouterOS before 6.43 (mikrotik.md b3).

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::routers::RouterError;

/// Octets of the challenge.
const CHALLENGE: usize = 16;

/// The value of `=response=`: `00` and the hex digits of MD5(0x00, password, challenge), where the challenge came as 32
/// hex digits in `=ret=`. Gives the password away to whoever can guess it: never to be logged.
///
/// Errors: `Challenge` with the length of what came instead.
pub fn legacy_response(
    password: &[u8],
    challenge: &[u8],
) -> Result<Zeroizing<String>, RouterError> {
    let challenge = decode(challenge).ok_or(RouterError::Challenge(challenge.len()))?;
    let digest = Md5::new()
        .chain_update([0])
        .chain_update(password)
        .chain_update(challenge)
        .finalize();
    let mut response = Zeroizing::new(String::with_capacity(2 + 2 * CHALLENGE));
    response.push_str("00");
    for octet in digest {
        for nibble in [octet >> 4, octet & 0x0F] {
            response.extend(char::from_digit(nibble.into(), 16));
        }
    }
    Ok(response)
}

fn decode(hex: &[u8]) -> Option<[u8; CHALLENGE]> {
    let mut octets = [0; CHALLENGE];
    if hex.len() != 2 * CHALLENGE {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(hex.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *octet = (*octet << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routers::vectors::vector;

    #[test]
    fn responses_of_the_vector() {
        let vector = vector("ros-api-legacy-login");
        let cases = vector["inputs"]["cases"].as_array().unwrap();
        let expected = vector["expected"]["response"].as_array().unwrap();
        assert_eq!(cases.len(), 2);
        for (case, expected) in cases.iter().zip(expected) {
            let text = |name: &str| case[name].as_str().unwrap().as_bytes();
            let response = legacy_response(text("password"), text("ret")).unwrap();
            assert_eq!(response.as_str(), expected.as_str().unwrap());
            let upper = text("ret").to_ascii_uppercase();
            assert_eq!(legacy_response(text("password"), &upper), Ok(response));
        }
    }

    #[test]
    fn other_challenges_are_refused() {
        for challenge in [
            "",
            "00",
            "0g",
            &"0".repeat(31),
            &"0".repeat(33),
            &"g".repeat(32),
            &"é".repeat(16),
        ] {
            let expected = Err(RouterError::Challenge(challenge.len()));
            assert_eq!(
                legacy_response(b"x", challenge.as_bytes()),
                expected,
                "{challenge}"
            );
        }
    }
}
