//! Stand-in routers in this process, through which the demo subscribers are online.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use proxpanel::app::App;
use proxpanel::crypto::Secret;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::nas::{ApiAccess, ApiTransport, MessageAuthenticator, Network};
use proxpanel::operations::{demo, nas};
use proxpanel::radius::auth::Method;

use crate::fault::Fault;
use crate::routeros::{Dial, Dialed, Options, Radius, Router};

const ROUTERS: u8 = 10;
/// Seconds between interim records, so that none is due while something else is measured.
const INTERIM_SECONDS: u32 = 1_800;

pub struct Towers(pub Vec<Router>);

impl Towers {
    pub fn start() -> Towers {
        let start = |n| {
            let router = Router::start(Options {
                address: Ipv4Addr::new(127, 0, 2, n),
                ..Options::default()
            });
            for pool in ["subscribers", "expired"] {
                let ranges = ("ranges", "10.10.0.2-10.10.31.254");
                router.add("/ip/pool", &[("name", pool), ranges]);
                router.add("/ppp/profile", &[("name", pool), ("remote-address", pool)]);
            }
            router
        };
        Towers((1..=ROUTERS).map(start).collect())
    }

    /// Adds their rows, with access to their API.
    pub async fn add_to(&self, app: &App) -> Result<(), Fault> {
        for router in &self.0 {
            let address = IpAddr::V4(router.address());
            let secret = |text: &str| Some(Arc::new(Secret::new(text.to_owned())));
            let draft = nas::Draft {
                secret: secret(demo::SECRET),
                coa_port: router.coa_port(),
                message_authenticator: MessageAuthenticator::Optional,
                interim_interval: Some(INTERIM_SECONDS),
                api: Some(nas::ApiDraft {
                    access: ApiAccess {
                        address: None,
                        port: router.api_addr().port(),
                        user: "isp-api".to_owned(),
                        transport: ApiTransport::Plain,
                        legacy_login: false,
                    },
                    password: secret("api-pass"),
                }),
                ..nas::Draft::new(&format!("tower {address}"), Network::host(address))
            };
            nas::create(app, &Actor::CommandLine, draft).await?;
        }
        Ok(())
    }

    /// Brings the first subscribers online, as many through each. Says how many are in the usual pool: the term of a few
    /// demo subscribers is over.
    pub fn dial(&self, auth: SocketAddr, acct: SocketAddr, sessions: u32) -> Result<u32, Fault> {
        let each = sessions / u32::from(ROUTERS);
        let mut usual = 0;
        for (router, first) in self.0.iter().zip((0..).step_by(usize::try_from(each)?)) {
            router.use_radius(&Radius {
                auth,
                acct,
                secret: demo::SECRET.to_owned(),
            });
            let people: Vec<[String; 3]> = (first..first + each)
                .map(|n| {
                    let [_, a, b, c] = n.to_be_bytes();
                    let mac = format!("02:10:20:{a:02x}:{b:02x}:{c:02x}");
                    [format!("user{n:05}"), format!("pass{n:05}"), mac]
                })
                .collect();
            let calls: Vec<Dial<'_>> = people
                .iter()
                .map(|[user, password, mac]| Dial {
                    user,
                    password,
                    mac,
                    method: Method::Pap,
                })
                .collect();
            for dialed in router.dial_all(&calls) {
                let Dialed::Online(session) = dialed else {
                    return Err(format!("a subscriber is not online: {dialed:?}").into());
                };
                usual += u32::from(session.grant.pool.as_deref() == Some("subscribers"));
            }
        }
        Ok(usual)
    }

    pub fn sum(&self, of: impl Fn(&crate::routeros::Totals) -> u64) -> u64 {
        self.0.iter().map(|router| of(&router.totals())).sum()
    }
}
