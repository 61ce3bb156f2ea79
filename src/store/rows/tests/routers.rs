//! NAS devices as rows: each generation of fields.

use std::net::IpAddr;

use super::samples::NOW;
use super::*;
use crate::domain::nas::{
    ApiAccess, ApiTransport, CoaForm, MessageAuthenticator, Nas, Network, Profile, UsageSource,
};
use crate::domain::radsec::RadsecTrust;
use crate::store::nas::StoredNas;

pub fn nas_newest() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(3),
            network: Network::parse("127.0.0.3").unwrap(),
            api: Some(ApiAccess {
                address: Some(IpAddr::from([10, 0, 0, 1])),
                port: 8_729,
                user: "isp-api".into(),
                transport: ApiTransport::Pinned(Some([7; 32])),
                legacy_login: true,
            }),
            usage_source: UsageSource::Api,
            api_fallback: true,
            ..nas_full().nas
        },
        sealed_secret: vec![1],
        sealed_api_password: vec![2],
    }
}

/// With what a test of CoA found.
pub fn nas_tested() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(4),
            network: Network::parse("127.0.0.4").unwrap(),
            coa_form: Some(CoaForm::Dated),
            ..nas_newest().nas
        },
        ..nas_newest()
    }
}

pub fn nas_radsec(id: u32, trust: RadsecTrust) -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(id),
            network: Network::host(IpAddr::from([127, 0, 0, 4])),
            radsec: Some(trust),
            ..nas_bare().nas
        },
        ..nas_bare()
    }
}

pub fn radsec_authority() -> RadsecTrust {
    RadsecTrust::Authority {
        pem: "pem".into(),
        name: "tower.isp.test".into(),
    }
}

pub fn nas_full() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(1),
            name: "tower".into(),
            network: Network::parse("2001:db8::/64").unwrap(),
            profile: Profile::Wispr,
            coa_port: 1_700,
            coa_form: None,
            message_authenticator: MessageAuthenticator::Auto { pinned: true },
            limit_proxy_state: true,
            send_message_authenticator: true,
            swap_octets: true,
            interim_interval: Some(300),
            api: None,
            usage_source: UsageSource::Accounting,
            api_fallback: false,
            radsec: None,
            notes: "n".into(),
            created_at: NOW,
        },
        sealed_secret: vec![9; 5],
        sealed_api_password: Vec::new(),
    }
}

pub fn nas_bare() -> StoredNas {
    StoredNas {
        nas: Nas {
            id: NasId(2),
            network: Network::parse("127.0.0.1").unwrap(),
            profile: Profile::MikroTik,
            message_authenticator: MessageAuthenticator::Optional,
            limit_proxy_state: false,
            send_message_authenticator: false,
            swap_octets: false,
            interim_interval: None,
            ..nas_full().nas
        },
        sealed_secret: Vec::new(),
        sealed_api_password: Vec::new(),
    }
}
