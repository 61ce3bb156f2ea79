//! NAS devices: the routers that ask us.

use super::Invalid;
use super::id::NasId;
use super::radsec::RadsecTrust;
use super::rate::FASTEST_KBPS;
use super::time::Timestamp;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address or a network in CIDR notation; host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether this is an address of this very machine.
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }

    pub fn parse(text: &str) -> Result<Network, Invalid> {
        let refused = || {
            Invalid::new("An address or network, such as 10.0.0.1, 10.0.0.0/24 or 2001:db8::/64")
        };
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                (address, Some(prefix.parse::<u8>().map_err(|_| refused())?))
            }
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let longest = longest_prefix(address);
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return Err(refused());
        }
        let network = Network {
            address: mask(address, prefix),
            prefix,
        };
        if network.address != address {
            return Err(Invalid::new(format!(
                "Bits beyond the prefix are set; did you mean {network}?"
            )));
        }
        Ok(network)
    }

    /// Bits beyond the prefix are cut off, as is a prefix longer than an address.
    pub fn new(address: IpAddr, prefix: u8) -> Network {
        let prefix = prefix.min(longest_prefix(address));
        Network {
            address: mask(address, prefix),
            prefix,
        }
    }

    pub fn host(address: IpAddr) -> Network {
        Network {
            address,
            prefix: longest_prefix(address),
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        longest_prefix(address) == longest_prefix(self.address)
            && mask(address, self.prefix) == self.address
    }

    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The network that is one bit shorter; none beyond the whole.
    pub fn parent(&self) -> Option<Network> {
        let prefix = self.prefix.checked_sub(1)?;
        Some(Network {
            address: mask(self.address, prefix),
            prefix,
        })
    }

    /// One host, to which CoA can be sent even before it spoke.
    pub fn single(&self) -> Option<IpAddr> {
        (self.prefix == longest_prefix(self.address)).then_some(self.address)
    }
}

fn longest_prefix(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let kept = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(a.to_bits() & kept).into()
        }
        IpAddr::V6(a) => {
            let kept = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(a.to_bits() & kept).into()
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(address) => address.fmt(f),
            None => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

/// Which attributes the router understands (vendors.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    MikroTik,
    Cisco,
    Huawei,
    Juniper,
    Nokia,
    Zte,
    AccelPpp,
    Wispr,
    Generic,
}

/// Huawei's rates are 32 bits of bit/s of which the highest is not used (vendors.md).
const FASTEST_HUAWEI_KBPS: u64 = 2_147_483;
/// accel-ppp multiplies the kbit/s by 1000 in a signed int (its source limiter.c); more would be a negative speed.
const FASTEST_ACCEL_PPP_KBPS: u64 = 2_147_483;

impl Profile {
    pub const ALL: [Profile; 9] = [
        Profile::MikroTik,
        Profile::Cisco,
        Profile::Huawei,
        Profile::Juniper,
        Profile::Nokia,
        Profile::Zte,
        Profile::AccelPpp,
        Profile::Wispr,
        Profile::Generic,
    ];

    /// The fastest speed that can be said to such a router, in kbit/s (rules.md section 5, step 7).
    pub fn fastest_kbps(self) -> u64 {
        match self {
            Profile::Huawei => FASTEST_HUAWEI_KBPS,
            Profile::AccelPpp => FASTEST_ACCEL_PPP_KBPS,
            _ => FASTEST_KBPS,
        }
    }

    /// Whether a CoA changes the speed of a running session; others take a new speed only at login (vendors.md, summary).
    pub fn can_change_speed(self) -> bool {
        match self {
            Profile::MikroTik
            | Profile::Huawei
            | Profile::Juniper
            | Profile::Nokia
            | Profile::AccelPpp => true,
            Profile::Cisco | Profile::Zte | Profile::Wispr | Profile::Generic => false,
        }
    }

    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Profile::MikroTik => "mikrotik",
            Profile::Cisco => "cisco",
            Profile::Huawei => "huawei",
            Profile::Juniper => "juniper",
            Profile::Nokia => "nokia",
            Profile::Zte => "zte",
            Profile::AccelPpp => "accel-ppp",
            Profile::Wispr => "wispr",
            Profile::Generic => "generic",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Profile::MikroTik => "MikroTik",
            Profile::Cisco => "Cisco",
            Profile::Huawei => "Huawei",
            Profile::Juniper => "Juniper",
            Profile::Nokia => "Nokia",
            Profile::Zte => "ZTE",
            Profile::AccelPpp => "accel-ppp",
            Profile::Wispr => "Ubiquiti / WISPr",
            Profile::Generic => "Generic",
        }
    }

    /// What a plan's name for the router (`router_profile`) names there; for the form of a plan.
    pub fn names(self) -> &'static str {
        match self {
            Profile::MikroTik => "PPP profile",
            Profile::Cisco => "policy map, or UPLOAD/DOWNLOAD for one each; the speed is theirs",
            Profile::Huawei => "QoS profile",
            Profile::Juniper => "service, such as internet or internet(10m)",
            Profile::Nokia => "SLA profile, at most 16 characters",
            Profile::Zte => "QoS profile, or UPLOAD/DOWNLOAD for one each",
            Profile::AccelPpp | Profile::Wispr => "nothing, it is not sent",
            Profile::Generic => "filter (Filter-Id)",
        }
    }

    pub fn parse(text: &str) -> Result<Profile, Invalid> {
        Self::ALL
            .into_iter()
            .find(|p| p.word() == text)
            .ok_or_else(|| Invalid::new("Choose a vendor of the list"))
    }
}

/// Whether an Access-Request must carry a Message-Authenticator (radius.md section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageAuthenticator {
    /// Accept without, until the first valid one; from then on required.
    Auto {
        pinned: bool,
    },
    Required,
    /// Accept without. Shown as insecure.
    Optional,
}

/// How a CoA or a Disconnect is written so that a router takes it (mikrotik.md a4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoaForm {
    Plain,
    MessageAuthenticator,
    /// And with an Event-Timestamp.
    Dated,
    /// Down the RadSec connection that the router opened (radius.md section 13).
    Radsec,
}

impl CoaForm {
    /// Those over UDP, in the order of preference.
    pub const OVER_UDP: [CoaForm; 3] = [
        CoaForm::Plain,
        CoaForm::MessageAuthenticator,
        CoaForm::Dated,
    ];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            CoaForm::Plain => "plain",
            CoaForm::MessageAuthenticator => "with Message-Authenticator",
            CoaForm::Dated => "with Message-Authenticator and Event-Timestamp",
            CoaForm::Radsec => "in its RadSec connection",
        }
    }
}

/// Who counts the traffic of this router's sessions (rules.md section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageSource {
    /// RADIUS accounting; readings of the API are provisional.
    #[default]
    Accounting,
    /// The router sends no accounting at all: readings of the API are booked.
    Api,
}

/// How the RouterOS API of a router is reached. The password is sealed beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAccess {
    /// `None` where the NAS is one host: then its address.
    pub address: Option<IpAddr>,
    pub port: u16,
    pub user: String,
    pub transport: ApiTransport,
    /// Before RouterOS 6.43: asks for the challenge first, so that the password is not sent in clear.
    pub legacy_login: bool,
}

impl ApiAccess {
    /// The port of a transport where nobody chose another (mikrotik.md b1).
    pub fn standard_port(transport: &ApiTransport) -> u16 {
        match transport {
            ApiTransport::Plain => 8728,
            ApiTransport::Pinned(_) | ApiTransport::Authority(_) => 8729,
        }
    }

    /// The address to connect to; `None` where the NAS is a network and no address was given.
    pub fn host(&self, network: &Network) -> Option<IpAddr> {
        self.address.or_else(|| network.single())
    }
}

/// 8728 plain, 8729 with TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiTransport {
    /// Only inside a tunnel.
    Plain,
    /// SHA-256 of the router's certificate; `None` trusts the first one that is seen, which is then kept here.
    Pinned(Option<[u8; 32]>),
    /// Certificates of this authority (PEM).
    Authority(String),
}

impl ApiTransport {
    pub fn word(&self) -> &'static str {
        match self {
            ApiTransport::Plain => "plain",
            ApiTransport::Pinned(_) => "pinned",
            ApiTransport::Authority(_) => "authority",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nas {
    pub id: NasId,
    pub name: String,
    pub network: Network,
    pub profile: Profile,
    /// 3799, or 1700 on old RouterOS.
    pub coa_port: u16,
    /// What its last test was answered to; `None` before the first, and then it is plain.
    pub coa_form: Option<CoaForm>,
    pub message_authenticator: MessageAuthenticator,
    /// Drop requests with Proxy-State and without Message-Authenticator.
    pub limit_proxy_state: bool,
    /// Off only for routers that discard replies with one; shown as insecure.
    pub send_message_authenticator: bool,
    /// The router counts from its own side: Acct-Input is download.
    pub swap_octets: bool,
    /// Seconds, at least 60; `None` follows the number of sessions.
    pub interim_interval: Option<u32>,
    /// How its API is reached; `None` for routers without, or where it is not wanted.
    pub api: Option<ApiAccess>,
    pub usage_source: UsageSource,
    /// Where CoA and Disconnect get no answer, the change is made through the API.
    pub api_fallback: bool,
    /// By which certificate it may connect with RadSec; `None` for UDP only.
    pub radsec: Option<RadsecTrust>,
    pub notes: String,
    /// When this installation took the router over: older sessions start with a baseline.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses_only() {
        let network = Network::parse("10.1.0.0/16").unwrap();
        assert!(network.contains("10.1.255.255".parse().unwrap()));
        assert!(!network.contains("10.2.0.0".parse().unwrap()));
        assert!(!network.contains("::1".parse().unwrap()));
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("255.1.2.3".parse().unwrap())
        );
        assert!(
            Network::parse("::/0")
                .unwrap()
                .contains("2001:db8::1".parse().unwrap())
        );
        assert!(
            !Network::parse("0.0.0.0/0")
                .unwrap()
                .contains("::1".parse().unwrap())
        );
        assert!(
            Network::parse("2001:db8::/33")
                .unwrap()
                .contains("2001:db8:7fff::".parse().unwrap())
        );
        assert!(
            !Network::parse("2001:db8::/33")
                .unwrap()
                .contains("2001:db8:8000::".parse().unwrap())
        );
    }

    #[test]
    fn stored_words_stay_and_read_back() {
        let words = Profile::ALL.map(Profile::word);
        assert_eq!(
            words,
            [
                "mikrotik",
                "cisco",
                "huawei",
                "juniper",
                "nokia",
                "zte",
                "accel-ppp",
                "wispr",
                "generic"
            ]
        );
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.word()), Ok(profile));
            assert!(!profile.label().is_empty() && !profile.names().is_empty());
        }
        assert!(Profile::parse("MikroTik").is_err() && Profile::parse("").is_err());
    }

    #[test]
    fn no_speed_is_more_than_the_router_can_count() {
        for profile in Profile::ALL {
            let fastest = profile.fastest_kbps();
            let bps = fastest * 1_000;
            match profile {
                Profile::Huawei | Profile::AccelPpp => {
                    assert!(i32::try_from(bps).is_ok() && i32::try_from(bps + 1_000).is_err());
                }
                _ => assert!(u32::try_from(bps).is_ok() && u32::try_from(bps + 1_000).is_err()),
            }
        }
    }

    #[test]
    fn the_api_is_where_the_nas_is_unless_told() {
        let access = |address: Option<&str>| ApiAccess {
            address: address.map(|text| text.parse().unwrap()),
            port: 8729,
            user: "proxpanel".into(),
            transport: ApiTransport::Pinned(None),
            legacy_login: false,
        };
        let host = |address, network| access(address).host(&Network::parse(network).unwrap());
        assert_eq!(host(None, "10.0.0.1"), "10.0.0.1".parse().ok());
        assert_eq!(host(None, "10.0.0.0/24"), None);
        assert_eq!(
            host(Some("10.9.9.9"), "10.0.0.0/24"),
            "10.9.9.9".parse().ok()
        );
        assert_eq!(host(Some("::1"), "10.0.0.1"), "::1".parse().ok());
        assert_eq!(ApiAccess::standard_port(&ApiTransport::Plain), 8728);
        assert_eq!(ApiAccess::standard_port(&ApiTransport::Pinned(None)), 8729);
        let own = ApiTransport::Authority(String::new());
        assert_eq!(ApiAccess::standard_port(&own), 8729);
    }

    #[test]
    fn typed_networks() {
        assert_eq!(
            Network::parse(" 10.0.0.1 ").unwrap().to_string(),
            "10.0.0.1"
        );
        assert_eq!(
            Network::parse("10.0.0.1/32").unwrap().single(),
            "10.0.0.1".parse().ok()
        );
        assert_eq!(
            Network::parse("10.0.0.0/24").unwrap().to_string(),
            "10.0.0.0/24"
        );
        assert!(
            Network::parse("10.0.0.1/24")
                .unwrap_err()
                .0
                .contains("10.0.0.0/24")
        );
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "router",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
