//! An appliance in this process with one router whose API it may use, for the tests of CDN profiles.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;

use proxpanel::app::{App, CdnOutcome, Clock};
use proxpanel::domain::audit::Actor;
use proxpanel::domain::cdn::{CdnMode, CdnProfile, networks};
use proxpanel::domain::id::{CdnId, NasId, PlanId, SubscriberId};
use proxpanel::domain::money::{Currency, Money};
use proxpanel::domain::nas::ApiTransport;
use proxpanel::domain::octets::Traffic;
use proxpanel::domain::plan::Plan;
use proxpanel::domain::rate::Rate;
use proxpanel::domain::session::{Place, Record, RecordKind};
use proxpanel::domain::time::Timestamp;
use proxpanel::operations::{cdn, nas, plans, subscribers};

use super::super::PATIENCE;
use crate::support::isp;
use crate::support::routeros::{Options, Router, State};

pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
/// Where something of ours may be.
const MENUS: [&str; 6] = [
    "/queue/type",
    "/ip/firewall/address-list",
    "/ipv6/firewall/address-list",
    "/queue/simple",
    "/ip/firewall/mangle",
    "/ipv6/firewall/mangle",
];

/// An appliance in this process, and a router that it may use the API of.
pub struct Isp {
    pub app: Arc<App>,
    pub router: Router,
    pub nas: NasId,
    pub clock: Clock,
    _folder: tempfile::TempDir,
}

impl Isp {
    pub async fn new() -> Isp {
        let router = Router::start(Options::default());
        theirs(&router);
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(NOW);
        let app = isp::open(folder.path(), &clock);
        let port = router.api_addr().port();
        let draft = nas::Draft {
            api: Some(isp::api(port, "isp-api", "api-pass", ApiTransport::Plain)),
            ..isp::router("bras-01", router.address(), "n4s-Secret-01")
        };
        let nas = nas::create(&app, &Actor::CommandLine, draft).await.unwrap();
        Isp {
            app,
            router,
            nas,
            clock,
            _folder: folder,
        }
    }

    pub async fn profile(&self, mode: CdnMode, list: &str) -> CdnId {
        let profile = profile(mode, list);
        let created = cdn::create(&self.app, &Actor::CommandLine, profile).await;
        created.unwrap()
    }

    pub async fn plan(&self, profiles: &[CdnId]) -> PlanId {
        let price = Money {
            minor: 1_500,
            currency: Currency::parse("USD").unwrap(),
        };
        let plan = Plan {
            cdn: profiles.to_vec(),
            ..Plan::new(
                &format!("With {}", profiles.len()),
                price,
                Rate::new(2_000, 10_000),
            )
        };
        let created = plans::create(&self.app, &Actor::CommandLine, plan).await;
        created.unwrap()
    }

    /// A subscriber with an open session at this address.
    pub async fn online(&self, name: &str, plan: PlanId, address: &str) -> SubscriberId {
        let draft = isp::subscriber(name, plan);
        let created = subscribers::create(&self.app, &Actor::CommandLine, draft).await;
        let subscriber = created.unwrap();
        self.account(name, subscriber, address, RecordKind::Start);
        subscriber
    }

    pub fn account(&self, name: &str, subscriber: SubscriberId, address: &str, kind: RecordKind) {
        self.account_totals(name, subscriber, address, kind, Traffic::ZERO);
    }

    pub fn account_totals(
        &self,
        name: &str,
        subscriber: SubscriberId,
        address: &str,
        kind: RecordKind,
        totals: Traffic,
    ) {
        let (answered, answer) = channel();
        let last = address.rsplit('.').next().unwrap();
        let prefix = format!("2001:db8:{last}::");
        let record = Record {
            kind,
            nas: self.nas,
            nas_since: Timestamp(0),
            acct_session_id: name.as_bytes().to_vec(),
            username: name.to_owned(),
            subscriber: Some(subscriber),
            login: None,
            event_at: self.app.now(),
            received_at: self.app.now(),
            session_time: Some(0),
            totals: Some(totals),
            has_gigawords: true,
            place: Place {
                address: address.parse().ok(),
                ipv6_prefix: Some((prefix.parse().unwrap(), 64)),
                source: Some(IpAddr::from(self.router.address())),
                ..Place::default()
            },
            free_windows: Vec::new(),
            told: None,
        };
        let acknowledge = move || answered.send(()).unwrap();
        self.app.accounting.record(record, Box::new(acknowledge));
        answer.recv_timeout(PATIENCE).expect("an answer");
    }

    pub async fn push(&self) -> CdnOutcome {
        let pushed = cdn::push(&self.app, &Actor::CommandLine, self.nas).await;
        pushed.unwrap().expect("it ended in time")
    }

    pub async fn sync(&self) -> CdnOutcome {
        cdn::sync(Arc::clone(&self.app), self.nas).await
    }

    /// Rows of a menu that bear our mark.
    pub fn ours(&self, menu: &str) -> Vec<BTreeMap<String, String>> {
        let rows = self.router.rows(menu).into_iter();
        rows.filter(is_ours).collect()
    }

    pub fn all_ours(&self) -> usize {
        MENUS.iter().map(|menu| self.ours(menu).len()).sum()
    }

    /// The rows of others, in their order, without the ids.
    pub fn not_ours(&self) -> Vec<(&'static str, BTreeMap<String, String>)> {
        let rows = |menu: &&'static str| {
            let menu = *menu;
            self.router
                .rows(menu)
                .into_iter()
                .map(move |row| (menu, row))
        };
        let rows = MENUS.iter().flat_map(rows);
        rows.filter(|(_, row)| !is_ours(row)).collect()
    }

    pub fn with_row(&self, menu: &str, comment: &str, change: impl Fn(&mut State, usize)) {
        self.router.change(|state| {
            let rows = &state.table(menu).rows;
            let place = rows
                .iter()
                .position(|row| row.get("comment") == Some(comment));
            change(state, place.expect("a row of ours"));
        });
    }
}

impl Drop for Isp {
    /// On a thread of its own, since closing blocks, which an async test must not.
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.app.close());
        });
    }
}

fn is_ours(row: &BTreeMap<String, String>) -> bool {
    let begins = |column: &str, mark| row.get(column).is_some_and(|text| text.starts_with(mark));
    begins("comment", "proxpanel:cdn:") || (row.contains_key("kind") && begins("name", "pp-cdn-"))
}

pub fn profile(mode: CdnMode, list: &str) -> CdnProfile {
    CdnProfile {
        id: CdnId(0),
        name: format!("Cache {}", mode.word()),
        enabled: true,
        mode,
        networks: networks(list).unwrap(),
        rate: Rate::new(20_000, 50_000),
        most_per_router: 1,
        nas: Vec::new(),
        notes: String::new(),
    }
}

/// What an operator and the router itself made.
fn theirs(router: &Router) {
    router.add(
        "/queue/simple",
        &[
            ("name", "office"),
            ("target", "10.9.0.0/24"),
            ("comment", "proxpanel is not this"),
        ],
    );
    router.add(
        "/ip/firewall/address-list",
        &[("list", "office"), ("address", "203.0.113.0/24")],
    );
    router.add(
        "/ip/firewall/mangle",
        &[("chain", "forward"), ("action", "change-mss")],
    );
    router.add("/queue/type", &[("name", "office"), ("kind", "pcq")]);
    router.change(|state| {
        let session = [
            ("name", "<pppoe-ali>"),
            ("target", "<pppoe-ali>"),
            ("dynamic", "true"),
            ("disabled", "false"),
        ];
        state.table("/queue/simple").insert(&session);
    });
}
