//! `[licence]`: who the vendor of this installation is, if it has one.

use std::path::PathBuf;

use serde::Deserialize;

use crate::licence::VendorKey;

/// What a build for one vendor's customers is compiled with; both are usually unset, and then there is no licence.
const BUILT_IN_URL: Option<&str> = option_env!("PROXPANEL_VENDOR_URL");
const BUILT_IN_KEY: Option<&str> = option_env!("PROXPANEL_VENDOR_KEY");

/// `[licence]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licence {
    /// Without one there are no limits.
    pub vendor: Option<Vendor>,
}

/// Where the vendor answers, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// `https://`, a host, perhaps a path; no slash at the end.
    pub url: String,
    /// What it signs with.
    pub key: VendorKey,
    pub certificate: VendorCertificate,
}

/// Which certificate the vendor's server may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorCertificate {
    /// One that a public authority signed.
    Public,
    /// One of the authorities in this PEM file.
    Authority(PathBuf),
    /// The one with this SHA-256.
    Pinned([u8; 32]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LicenceShape {
    vendor_url: String,
    vendor_key: String,
    vendor_ca: String,
    vendor_pin: String,
}

impl Default for LicenceShape {
    fn default() -> Self {
        let text = |built_in: Option<&str>| built_in.unwrap_or_default().to_owned();
        LicenceShape {
            vendor_url: text(BUILT_IN_URL),
            vendor_key: text(BUILT_IN_KEY),
            vendor_ca: String::new(),
            vendor_pin: String::new(),
        }
    }
}

impl LicenceShape {
    pub(super) fn check(self, problems: &mut Vec<String>) -> Licence {
        let url = self.vendor_url.trim().trim_end_matches('/');
        if url.is_empty() {
            let others = [&self.vendor_key, &self.vendor_ca, &self.vendor_pin];
            if BUILT_IN_URL.is_none() && others.iter().any(|text| !text.is_empty()) {
                problems.push("licence.vendor_url is empty, but the vendor's key or certificate is given: name its address, or leave all out".to_owned());
            }
            return Licence::default();
        }
        if !url.starts_with("https://") || url.len() <= "https://".len() {
            problems.push(format!(
                "licence.vendor_url = \"{url}\": take an address such as \"https://licence.example\""
            ));
        }
        let key = VendorKey::parse(&self.vendor_key)
            .map_err(|problem| problems.push(format!("licence.vendor_key: {problem}")))
            .ok();
        let certificate = match (self.vendor_ca.as_str(), self.vendor_pin.as_str()) {
            ("", "") => Some(VendorCertificate::Public),
            (file, "") => Some(VendorCertificate::Authority(PathBuf::from(file))),
            ("", pin) => {
                let pin = fingerprint(pin);
                if pin.is_none() {
                    problems.push("licence.vendor_pin: take the 64 hexadecimal digits that `proxpanel vendor key` prints".to_owned());
                }
                pin.map(VendorCertificate::Pinned)
            }
            _ => {
                problems.push(
                    "licence.vendor_ca and licence.vendor_pin are both given: keep one".to_owned(),
                );
                None
            }
        };
        Licence {
            vendor: key.zip(certificate).map(|(key, certificate)| Vendor {
                url: url.to_owned(),
                key,
                certificate,
            }),
        }
    }
}

/// Reads 32 octets in hexadecimal; colons between them do not matter.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).ok())
        .collect();
    (digits.len() == 64).then_some(octets)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const PIN: &str =
        "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ffffeeddccbbaa99887766554433221100";

    fn checked(text: &str) -> Result<Option<Vendor>, String> {
        let shape: LicenceShape = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        let licence = shape.check(&mut problems);
        match problems.is_empty() {
            true => Ok(licence.vendor),
            false => Err(problems.join("; ")),
        }
    }

    #[test]
    fn a_vendor_has_an_address_and_a_key() {
        let vendor = checked(&format!(
            "vendor_url = \"https://v.example/\"\nvendor_key = \"{KEY}\""
        ));
        let vendor = vendor.unwrap().unwrap();
        assert_eq!(vendor.url, "https://v.example");
        assert_eq!(vendor.key.to_text(), KEY);
        assert_eq!(vendor.certificate, VendorCertificate::Public);
        assert_eq!(checked("vendor_url = \"\"").unwrap(), None);
    }

    #[test]
    fn its_certificate_may_be_known_in_two_ways() {
        let with = |line: &str| {
            checked(&format!(
                "vendor_url = \"https://v\"\nvendor_key = \"{KEY}\"\n{line}"
            ))
        };
        let certificate = |line: &str| with(line).unwrap().unwrap().certificate;
        assert_eq!(
            certificate("vendor_ca = \"/etc/ca.pem\""),
            VendorCertificate::Authority("/etc/ca.pem".into())
        );
        let VendorCertificate::Pinned(pin) = certificate(&format!("vendor_pin = \"{PIN}\"")) else {
            panic!("not pinned");
        };
        assert_eq!((pin[0], pin[1], pin[15], pin[31]), (0, 0x11, 0xff, 0));
        for line in [
            "vendor_pin = \"00\"".to_owned(),
            format!("vendor_pin = \"{}\"", &PIN[1..]),
            format!("vendor_pin = \"{}\"", PIN.replace('a', "g")),
            format!("vendor_pin = \"{PIN}\"\nvendor_ca = \"/etc/ca.pem\""),
        ] {
            assert!(with(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn half_a_vendor_is_named() {
        for (text, named) in [
            (format!("vendor_key = \"{KEY}\""), "vendor_url"),
            ("vendor_url = \"https://v\"".to_owned(), "vendor_key"),
            (
                format!("vendor_url = \"http://v\"\nvendor_key = \"{KEY}\""),
                "https://",
            ),
            (
                format!("vendor_url = \"https://\"\nvendor_key = \"{KEY}\""),
                "https://",
            ),
            (
                "vendor_url = \"https://v\"\nvendor_key = \"abc\"".to_owned(),
                "vendor_key",
            ),
        ] {
            let problem = checked(&text).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
