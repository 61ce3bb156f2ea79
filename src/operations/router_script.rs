//! What a router must be told, out of what is known here: its NAS, the plans, the configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::app::App;
use crate::domain::nas::{ApiTransport, Nas};
use crate::domain::plan::{AddressSource, OnExpiry};
use crate::routers::script::{self, ApiService, ScriptApi, ScriptInput};

pub use crate::routers::script::{Step, Version, render};

use super::Error;
use super::nas::RouterSecrets;

/// RADIUS ports of a daemon that listens on free ones (RFC 2865, RFC 2866).
const AUTH_PORT: u16 = 1812;
const ACCT_PORT: u16 = 1813;

/// What the operator says for one script; it is not kept.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Our address as the router sees it, where the configuration does not say it or says another.
    pub server: Option<IpAddr>,
    pub portal: Option<Ipv4Addr>,
    /// The interface of the subscribers.
    pub interface: Option<String>,
    /// Gives the router the name of its NAS.
    pub sets_name: bool,
}

/// What plans call by name on a router, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub pools: Vec<String>,
    /// Profile, pool and address list of those whose term is over.
    pub expired_pools: Vec<String>,
    pub ipv6_pools: Vec<String>,
    pub profiles: Vec<String>,
}

pub fn named(app: &App) -> Named {
    let mut named = Named::default();
    for plan in app.plans() {
        if plan.address_source == AddressSource::Router {
            named.pools.push(plan.pool.clone());
        }
        if let OnExpiry::ExpiredPool { pool } = &plan.on_expiry {
            named.expired_pools.push(pool.clone());
        }
        named.ipv6_pools.push(plan.ipv6_pool.clone());
        named.ipv6_pools.push(plan.delegated_pool.clone());
        named.profiles.push(plan.router_profile.clone());
    }
    for names in [
        &mut named.pools,
        &mut named.expired_pools,
        &mut named.ipv6_pools,
        &mut named.profiles,
    ] {
        names.retain(|name| !name.is_empty());
        names.sort();
        names.dedup();
    }
    named
}

/// The address of this machine as routers know it, as far as the configuration says.
pub fn own_address(app: &App) -> Option<IpAddr> {
    let radius = &app.config.radius;
    let listens = radius.auth_listen.iter().map(|address| address.ip());
    radius
        .coa_bind
        .or_else(|| listens.into_iter().find(|ip| !ip.is_unspecified()))
}

/// The ports for authentication and accounting.
pub fn ports(app: &App) -> (u16, u16) {
    let radius = &app.config.radius;
    let port = |listen: &[SocketAddr], standard| {
        let set = listen.first().map(|address| address.port());
        set.filter(|port| *port != 0).unwrap_or(standard)
    };
    (
        port(&radius.auth_listen, AUTH_PORT),
        port(&radius.acct_listen, ACCT_PORT),
    )
}

/// The setup script of a router; without secrets, words stand in their place.
///
/// Errors: `Refused` for a name that cannot stand in a script.
pub fn steps(
    app: &App,
    nas: &Nas,
    wishes: &Wishes,
    secrets: Option<&RouterSecrets>,
    version: Version,
) -> Result<Vec<Step>, Error> {
    let named = named(app);
    let (auth_port, acct_port) = ports(app);
    let api = nas.api.as_ref().map(|api| ScriptApi {
        user: &api.user,
        password: secrets
            .and_then(|secrets| secrets.api_password.as_ref())
            .map(|password| password.expose().as_str()),
        port: api.port,
        service: match api.transport {
            ApiTransport::Plain => ApiService::Plain,
            ApiTransport::Pinned(_) => ApiService::OwnCertificate,
            ApiTransport::Authority(_) => ApiService::GivenCertificate,
        },
    });
    let input = ScriptInput {
        identity: wishes.sets_name.then_some(nas.name.as_str()),
        server: wishes.server.or_else(|| own_address(app)),
        source: nas.network.single(),
        secret: secrets.map(|secrets| secrets.shared.expose().as_str()),
        auth_port,
        acct_port,
        coa_port: nas.coa_port,
        interim_seconds: app.interim_interval(nas.id),
        pools: named.pools,
        expired_pools: named.expired_pools,
        profiles: named.profiles,
        portal: wishes.portal,
        access_interface: wishes.interface.as_deref(),
        api,
    };
    script::script(&input, version)
        .map_err(|error| Error::Refused(format!("{error}. Change it, then come back.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Plan;
    use crate::operations::nas;
    use crate::operations::testing::{SECRET, TestApp, actor, plan, router, run};

    #[test]
    fn names_of_the_plans_are_gathered_once() {
        let test = TestApp::new();
        for (name, pool, source, on_expiry) in [
            ("A", "homes", AddressSource::Router, OnExpiry::Reject),
            ("B", "homes", AddressSource::Router, expired("late")),
            ("C", "ours", AddressSource::Server, expired("late")),
            ("D", "", AddressSource::Router, OnExpiry::Reject),
        ] {
            test.add_plan(Plan {
                pool: pool.into(),
                address_source: source,
                on_expiry,
                ipv6_pool: "link".into(),
                delegated_pool: "pd".into(),
                router_profile: if name == "D" { "gold" } else { "" }.into(),
                ..plan(name)
            });
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected = Named {
            pools: names(&["homes"]),
            expired_pools: names(&["late"]),
            ipv6_pools: names(&["link", "pd"]),
            profiles: names(&["gold"]),
        };
        assert_eq!(named(&test.app), expected);
    }

    fn expired(pool: &str) -> OnExpiry {
        OnExpiry::ExpiredPool { pool: pool.into() }
    }

    #[test]
    fn a_script_holds_secrets_only_when_they_were_asked_for() {
        let test = TestApp::new();
        let app = &test.app;
        let id = test.add_nas(router("Tower", "10.0.0.1"));
        let nas = app.nas(id).unwrap().nas.clone();
        let wishes = Wishes {
            server: "192.0.2.10".parse().ok(),
            ..Wishes::default()
        };
        let text = |secrets| render(&steps(app, &nas, &wishes, secrets, Version::V7).unwrap());
        let hidden = text(None);
        assert!(hidden.contains("secret=\"SECRET\"") && !hidden.contains(SECRET));
        assert!(hidden.contains("address=192.0.2.10 src-address=10.0.0.1"));
        assert!(!hidden.contains("Tower"), "the name is not ours to set");
        let secrets = run(nas::reveal_secrets(app, &actor(), id)).unwrap();
        let shown = text(Some(&secrets));
        assert!(shown.contains(&format!("secret=\"{SECRET}\"")));
        let named = Wishes {
            sets_name: true,
            interface: Some("ether2\"".into()),
            ..wishes.clone()
        };
        let refused = steps(app, &nas, &named, None, Version::V7).err();
        assert!(matches!(refused, Some(Error::Refused(why)) if why.contains("the interface")));
    }
}
