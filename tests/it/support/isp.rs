//! What an ISP enters before anything can be tested: an appliance in a folder, routers, subscribers. As plain as may be; a test
//! changes what it is about.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use proxpanel::app::{App, Clock};
use proxpanel::config::{Config, Overrides};
use proxpanel::crypto::Secret;
use proxpanel::domain::id::PlanId;
use proxpanel::domain::nas::{ApiAccess, ApiTransport, MessageAuthenticator, Network};
use proxpanel::domain::text::Username;
use proxpanel::operations::{nas, subscribers};
use proxpanel::store::accounting::Pace;

/// Of every subscriber.
pub const PASSWORD: &str = "pass-1";

pub fn secret(text: &str) -> Option<Arc<Secret<String>>> {
    Some(Arc::new(Secret::new(text.to_owned())))
}

/// The appliance of a data folder, without its sockets.
pub fn open(folder: &Path, clock: &Clock) -> Arc<App> {
    let overrides = Overrides {
        data_dir: Some(folder.to_owned()),
        ..Overrides::default()
    };
    let config = Config::parse("", Path::new("test.toml"), &overrides).unwrap();
    Arc::new(App::open(config, clock.clone(), Pace::default()).unwrap())
}

/// A MikroTik at this address, over UDP and without an API, that need not protect its requests.
pub fn router(name: &str, address: impl Into<IpAddr>, shared_secret: &str) -> nas::Draft {
    nas::Draft {
        secret: secret(shared_secret),
        message_authenticator: MessageAuthenticator::Optional,
        ..nas::Draft::new(name, Network::host(address.into()))
    }
}

/// The API of such a router, at the address that it is a NAS by.
pub fn api(port: u16, user: &str, password: &str, transport: ApiTransport) -> nas::ApiDraft {
    nas::ApiDraft {
        access: ApiAccess {
            address: None,
            port,
            user: user.to_owned(),
            transport,
            legacy_login: false,
        },
        password: secret(password),
    }
}

/// Enabled, and without an end.
pub fn subscriber(name: &str, plan: PlanId) -> subscribers::Draft {
    subscribers::Draft {
        password: secret(PASSWORD),
        ..subscribers::Draft::new(Username::parse(name).unwrap(), plan)
    }
}
