//! Logging in to the API, in the form of the version (mikrotik.md b3).

use md5::{Digest, Md5};

use super::state::State;
use super::tls::hex;
use super::wire;

/// What a `/login` comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Logged in, with these policies.
    In(Vec<String>),
    /// The client has to answer this.
    Challenge([u8; 16]),
    /// Refused, with the text of the version.
    Refused(&'static str),
}

/// `challenge` is the one sent last on this connection.
pub fn login(
    state: &State,
    refuse: bool,
    attributes: &[(String, String)],
    challenge: Option<[u8; 16]>,
) -> Login {
    let given = |name: &str| {
        let found = attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    // The text form came with 6.43; the challenge went with 6.45.
    let (text_form, challenges) = (state.version >= (6, 43), state.version < (6, 45));
    let refused = Login::Refused(if text_form {
        "invalid user name or password (6)"
    } else {
        "cannot log in"
    });
    let user = given("name").and_then(|name| state.users.iter().find(|user| user.name == name));
    let right = match (given("response"), given("password"), challenge) {
        (Some(response), _, Some(challenge)) if challenges => user
            .is_some_and(|user| response.eq_ignore_ascii_case(&answer(&user.password, &challenge))),
        (Some(_), _, _) => false,
        (None, Some(password), _) if text_form => {
            user.is_some_and(|user| user.password.as_bytes() == wire::octets(password))
        }
        (None, _, _) if challenges => {
            let mut fresh = [0; 16];
            getrandom::fill(&mut fresh).expect("random octets");
            return Login::Challenge(fresh);
        }
        _ => false,
    };
    match user {
        Some(user) if right && !refuse && user.may("api") => Login::In(user.policies.clone()),
        _ => refused,
    }
}

/// `00` and the digest of a zero octet, the password and the challenge.
fn answer(password: &str, challenge: &[u8; 16]) -> String {
    let digest = Md5::new()
        .chain_update([0])
        .chain_update(password)
        .chain_update(challenge)
        .finalize();
    format!("00{}", hex(&digest))
}

#[cfg(test)]
mod tests {
    use super::super::{Options, User};
    use super::*;

    #[test]
    fn each_version_takes_its_own_form() {
        let pairs = |words: &[(&str, &str)]| -> Vec<(String, String)> {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            words.iter().map(pair).collect()
        };
        let challenge = [7; 16];
        let right = answer("secret", &challenge);
        let plain = pairs(&[("name", "api"), ("password", "secret")]);
        let nothing = Vec::new();
        let answered = pairs(&[("name", "api"), ("response", &right)]);
        #[derive(Debug, PartialEq)]
        enum Kind {
            In,
            Asked,
            Refused,
        }
        let kind = |login: Login| match login {
            Login::In(_) => Kind::In,
            Login::Challenge(_) => Kind::Asked,
            Login::Refused(_) => Kind::Refused,
        };
        let cases = [
            ("6.42.12", &plain, Kind::Asked),
            ("6.42.12", &nothing, Kind::Asked),
            ("6.42.12", &answered, Kind::In),
            ("6.43", &plain, Kind::In),
            ("6.44.6", &answered, Kind::In),
            ("6.45.2", &answered, Kind::Refused),
            ("6.49.10", &nothing, Kind::Refused),
            ("6.49.10", &plain, Kind::In),
            ("7.20.6", &plain, Kind::In),
        ];
        for (version, attributes, expected) in cases {
            let state = State::new(&Options {
                version,
                users: vec![User::new("api", "secret", "api,read")],
                ..Options::default()
            });
            let try_it = |refuse, attributes: &Vec<(String, String)>, challenge| {
                kind(login(&state, refuse, attributes, challenge))
            };
            assert_eq!(
                try_it(false, attributes, Some(challenge)),
                expected,
                "{version}"
            );
            assert_ne!(try_it(true, attributes, Some(challenge)), Kind::In);
            for stale in [None, Some([8; 16])] {
                assert_ne!(try_it(false, &answered, stale), Kind::In, "{version}");
            }
        }
        let no_api = State::new(&Options {
            users: vec![User::new("api", "secret", "read")],
            ..Options::default()
        });
        assert_eq!(kind(login(&no_api, false, &plain, None)), Kind::Refused);
    }

    #[test]
    fn challenges_are_answered_as_in_the_manual() {
        let challenge = 0x93b4_38ec_9b80_057c_06dd_9fe6_7d56_aa9a_u128.to_be_bytes();
        for (password, expected) in [
            ("", "00e134102a9d330dd7b1849fedfea3cb57"),
            ("s3cret", "0051aad1282e369c805f23ef1cef0f7712"),
        ] {
            assert_eq!(answer(password, &challenge), expected);
        }
    }
}
