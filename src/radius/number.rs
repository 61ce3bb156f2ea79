//! Numbers of the attributes this program reads or writes by name (RFC 2865 s5 and followers; vendor dictionaries).
//!
//! Only numbers. What type a value has and how it is spelled for people is `dictionary`.

pub const USER_NAME: u8 = 1;
pub const USER_PASSWORD: u8 = 2;
pub const CHAP_PASSWORD: u8 = 3;
pub const NAS_IP_ADDRESS: u8 = 4;
pub const NAS_PORT: u8 = 5;
pub const SERVICE_TYPE: u8 = 6;
pub const FRAMED_PROTOCOL: u8 = 7;
pub const FRAMED_IP_ADDRESS: u8 = 8;
pub const FRAMED_IP_NETMASK: u8 = 9;
pub const FILTER_ID: u8 = 11;
pub const REPLY_MESSAGE: u8 = 18;
pub const FRAMED_ROUTE: u8 = 22;
pub const STATE: u8 = 24;
pub const CLASS: u8 = 25;
pub const VENDOR_SPECIFIC: u8 = 26;
pub const SESSION_TIMEOUT: u8 = 27;
pub const IDLE_TIMEOUT: u8 = 28;
pub const CALLED_STATION_ID: u8 = 30;
pub const CALLING_STATION_ID: u8 = 31;
pub const NAS_IDENTIFIER: u8 = 32;
pub const PROXY_STATE: u8 = 33;
pub const ACCT_STATUS_TYPE: u8 = 40;
pub const ACCT_DELAY_TIME: u8 = 41;
pub const ACCT_INPUT_OCTETS: u8 = 42;
pub const ACCT_OUTPUT_OCTETS: u8 = 43;
pub const ACCT_SESSION_ID: u8 = 44;
pub const ACCT_AUTHENTIC: u8 = 45;
pub const ACCT_SESSION_TIME: u8 = 46;
pub const ACCT_INPUT_PACKETS: u8 = 47;
pub const ACCT_OUTPUT_PACKETS: u8 = 48;
pub const ACCT_TERMINATE_CAUSE: u8 = 49;
pub const ACCT_INPUT_GIGAWORDS: u8 = 52;
pub const ACCT_OUTPUT_GIGAWORDS: u8 = 53;
pub const EVENT_TIMESTAMP: u8 = 55;
pub const CHAP_CHALLENGE: u8 = 60;
pub const NAS_PORT_TYPE: u8 = 61;
pub const PORT_LIMIT: u8 = 62;
pub const TUNNEL_PASSWORD: u8 = 69;
pub const ARAP_PASSWORD: u8 = 70;
pub const EAP_MESSAGE: u8 = 79;
pub const MESSAGE_AUTHENTICATOR: u8 = 80;
pub const ACCT_INTERIM_INTERVAL: u8 = 85;
pub const NAS_PORT_ID: u8 = 87;
pub const FRAMED_POOL: u8 = 88;
pub const NAS_IPV6_ADDRESS: u8 = 95;
pub const FRAMED_INTERFACE_ID: u8 = 96;
pub const FRAMED_IPV6_PREFIX: u8 = 97;
pub const FRAMED_IPV6_ROUTE: u8 = 99;
pub const FRAMED_IPV6_POOL: u8 = 100;
pub const ERROR_CAUSE: u8 = 101;
pub const DELEGATED_IPV6_PREFIX: u8 = 123;
pub const FRAMED_IPV6_ADDRESS: u8 = 168;
pub const DNS_SERVER_IPV6_ADDRESS: u8 = 169;
pub const DELEGATED_IPV6_PREFIX_POOL: u8 = 171;
pub const STATEFUL_IPV6_ADDRESS_POOL: u8 = 172;

/// Vendor 311 (RFC 2548).
pub mod microsoft {
    pub const VENDOR: u32 = 311;
    pub const CHAP_RESPONSE: u8 = 1;
    pub const CHAP_ERROR: u8 = 2;
    pub const MPPE_ENCRYPTION_POLICY: u8 = 7;
    pub const MPPE_ENCRYPTION_TYPES: u8 = 8;
    pub const CHAP_DOMAIN: u8 = 10;
    pub const CHAP_CHALLENGE: u8 = 11;
    pub const CHAP_MPPE_KEYS: u8 = 12;
    pub const MPPE_SEND_KEY: u8 = 16;
    pub const MPPE_RECV_KEY: u8 = 17;
    pub const CHAP2_RESPONSE: u8 = 25;
    pub const CHAP2_SUCCESS: u8 = 26;
    pub const PRIMARY_DNS_SERVER: u8 = 28;
    pub const SECONDARY_DNS_SERVER: u8 = 29;
}

/// Vendor 14988, MikroTik's own dictionary.
pub mod mikrotik {
    pub const VENDOR: u32 = 14988;
    pub const RECV_LIMIT: u8 = 1;
    pub const XMIT_LIMIT: u8 = 2;
    pub const GROUP: u8 = 3;
    pub const RATE_LIMIT: u8 = 8;
    pub const RECV_LIMIT_GIGAWORDS: u8 = 14;
    pub const XMIT_LIMIT_GIGAWORDS: u8 = 15;
    pub const TOTAL_LIMIT: u8 = 17;
    pub const TOTAL_LIMIT_GIGAWORDS: u8 = 18;
    pub const ADDRESS_LIST: u8 = 19;
    pub const DELEGATED_IPV6_POOL: u8 = 22;
}

/// Vendor 14122, Wi-Fi Alliance; bit/s limits understood by many vendors.
pub mod wispr {
    pub const VENDOR: u32 = 14122;
    pub const BANDWIDTH_MAX_UP: u8 = 7;
    pub const BANDWIDTH_MAX_DOWN: u8 = 8;
}

/// Vendor 9.
pub mod cisco {
    pub const VENDOR: u32 = 9;
    /// `protocol:attribute=value`; may repeat.
    pub const AV_PAIR: u8 = 1;
}

/// Vendor 2011.
pub mod huawei {
    pub const VENDOR: u32 = 2011;
    pub const INPUT_AVERAGE_RATE: u8 = 2;
    pub const INPUT_PEAK_RATE: u8 = 3;
    pub const OUTPUT_AVERAGE_RATE: u8 = 5;
    pub const OUTPUT_PEAK_RATE: u8 = 6;
    pub const QOS_PROFILE_NAME: u8 = 31;
    pub const DELEGATED_IPV6_PREFIX_POOL: u8 = 191;
}

/// Vendor 4874, which Juniper's MX series took over from Unisphere (ERX).
pub mod juniper {
    pub const VENDOR: u32 = 4874;
    pub const ADDRESS_POOL_NAME: u8 = 2;
    /// Tagged.
    pub const SERVICE_ACTIVATE: u8 = 65;
    pub const COS_SHAPING_PMT_TYPE: u8 = 108;
    pub const IPV6_NDRA_POOL_NAME: u8 = 157;
    pub const IPV6_DELEGATED_POOL_NAME: u8 = 161;
}

/// Vendor 6527, once Alcatel-Lucent: SR OS.
pub mod nokia {
    pub const VENDOR: u32 = 6527;
    pub const SLA_PROF_STR: u8 = 13;
    pub const SUBSCRIBER_QOS_OVERRIDE: u8 = 126;
    pub const DELEGATED_IPV6_POOL: u8 = 131;
    pub const RELATIVE_SESSION_TIMEOUT: u8 = 160;
    pub const SLAAC_IPV6_POOL: u8 = 181;
}

/// Vendor 3902.
pub mod zte {
    pub const VENDOR: u32 = 3902;
    pub const QOS_PROFILE_DOWN: u8 = 82;
    pub const RATE_CTRL_SCR_DOWN: u8 = 83;
    pub const RATE_CTRL_SCR_UP: u8 = 89;
    pub const QOS_PROFILE_UP: u8 = 94;
}
