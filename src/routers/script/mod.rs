//! The setup script of a MikroTik (mikrotik.md c): what a router must be told to work with us, step by step.
//!
//! Pure: names and addresses in, RouterOS commands out. Which plans and pools there are is the caller's knowledge.
//! Invariants: running a script again changes nothing, since every `add` looks first whether the thing is there; one
//! refused command does not stop the rest; what the operator made by hand is left as it is where it does no harm; no
//! value can end the quotes it stands in.

mod api;
mod firewall;
mod ppp;
#[cfg(test)]
mod tests;
mod text;

use std::net::{IpAddr, Ipv4Addr};

use super::RouterError;
use text::{ensure, guarded};

pub use text::quoted;

/// Pools that one script makes: each takes an eighth of a /16 out of 100.64.0.0/10, which holds 512.
pub const MOST_POOLS: usize = 256;
/// What bears this comment is ours.
const COMMENT: &str = "comment=\"proxpanel\"";
/// Two servers of a well-known public time service (mikrotik.md c2).
const TIME_SERVERS: [&str; 2] = ["162.159.200.1", "162.159.200.123"];

/// Which RouterOS reads the script (mikrotik.md c2, c3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V6,
    V7,
}

/// What the script depends on. No Debug: it may hold secrets.
#[derive(Clone, Default)]
pub struct ScriptInput<'a> {
    /// The name to give the router; `None` leaves it as it is.
    pub identity: Option<&'a str>,
    /// Our address as the router sees it; `None` leaves the word `SERVER` to be replaced.
    pub server: Option<IpAddr>,
    /// The router's address that we know it by.
    pub source: Option<IpAddr>,
    /// `None` leaves the word `SECRET`, and the secret of an entry that is there.
    pub secret: Option<&'a str>,
    pub auth_port: u16,
    pub acct_port: u16,
    pub coa_port: u16,
    pub interim_seconds: u32,
    /// Router pools that plans name.
    pub pools: Vec<String>,
    /// Pools of those whose term is over. Profile and address list have the same name.
    pub expired_pools: Vec<String>,
    /// PPP profiles that plans name.
    pub profiles: Vec<String>,
    /// Where the expired can pay; `None` shuts everything for them.
    pub portal: Option<Ipv4Addr>,
    /// The interface of the subscribers; `None` leaves the PPPoE servers as they are.
    pub access_interface: Option<&'a str>,
    pub api: Option<ScriptApi<'a>>,
}

/// The user for our API connection.
#[derive(Clone)]
pub struct ScriptApi<'a> {
    pub user: &'a str,
    /// `None` leaves the word `APIPASS`, and the password of a user that is there.
    pub password: Option<&'a str>,
    pub port: u16,
    pub service: ApiService,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiService {
    Plain,
    /// TLS with a certificate that the router makes itself.
    OwnCertificate,
    /// TLS with a certificate that somebody puts there.
    GivenCertificate,
}

/// One part of the script.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    pub title: &'static str,
    pub why: &'static str,
    /// Lines of RouterOS, each ended.
    pub commands: String,
}

/// The whole script.
///
/// Errors: `ScriptValue` with the name of a value that holds a quote, `$`, `[`, `]`, `{`, `}`, `;`, a backslash or a
/// control character.
pub fn script(input: &ScriptInput<'_>, version: Version) -> Result<Vec<Step>, RouterError> {
    let names = Names::check(input)?;
    let mut steps = Vec::new();
    let mut add = |title, why, commands: Vec<String>| {
        if !commands.is_empty() {
            let commands = commands.concat();
            steps.push(Step {
                title,
                why,
                commands,
            });
        }
    };
    add(
        "Name",
        "Routers say their name with every request.",
        names.identity.iter().map(|name| identity(name)).collect(),
    );
    add(
        "RADIUS",
        "Points the router here. The usual time-out is too short for any distance, so it is three seconds.",
        vec![radius_entry(input, &names)],
    );
    add(
        "Changes and disconnects",
        "Without this the router takes neither new speeds nor disconnects.",
        vec![guarded(
            "accepting CoA",
            &format!("/radius incoming set accept=yes port={}", input.coa_port),
        )],
    );
    add(
        "Ask RADIUS for every subscriber",
        "A name that is among the router's own PPP secrets is never asked for.",
        vec![guarded(
            "PPP AAA",
            &format!(
                "/ppp aaa set use-radius=yes accounting=yes interim-update={}s",
                input.interim_seconds
            ),
        )],
    );
    if version == Version::V7 {
        add(
            "Signed replies",
            "Nobody on the way can forge an answer (Blast-RADIUS). RouterOS before 7.15 refuses this, and then goes on.",
            vec![signed_replies()],
        );
    }
    add(
        "Address pools",
        "The names are those of the plans. The ranges are examples: change them before you go on. A pool that is there stays as it is.",
        ppp::pools(&names),
    );
    add(
        "Profiles",
        "The profile of the expired puts their addresses into the address list that the firewall looks at.",
        ppp::profiles(&names, version),
    );
    add(
        "PPPoE server",
        "Subscribers dial in on this interface.",
        names
            .interface
            .iter()
            .map(|name| ppp::pppoe(name))
            .collect(),
    );
    add(
        "Firewall: let us in",
        "Only the panel's address may send changes and use the API.",
        firewall::input(input),
    );
    add(
        "FastTrack",
        "It lets packets pass by the queues that hold the speeds, and by the rules for the expired.",
        vec![firewall::no_fasttrack()],
    );
    add(
        "Names for subscribers",
        "They ask this router. It is opened for them only; a resolver that is open already stays as it is.",
        firewall::resolver(),
    );
    if !names.expired_pools.is_empty() {
        add(
            "Expired subscribers",
            "They reach the portal and nothing else; what they open without encryption leads there.",
            firewall::walled_garden(&names.expired_pools, input.portal),
        );
    }
    add(
        "Clock",
        "Times of sessions are right only with a right clock. Time servers that are set stay as they are.",
        vec![clock(version)],
    );
    if let Some(api) = &names.api {
        add(
            "API user",
            "A user of its own with few rights, from the panel's address only.",
            api::user(input, api),
        );
        add(
            "API service",
            "The panel reads counters and repairs what CoA cannot.",
            api::service(input, api, version),
        );
    }
    Ok(steps)
}

/// A script as one file, each step with its reason.
pub fn render(steps: &[Step]) -> String {
    let mut text = String::from(
        "# Setup for ProxPanel. It can be run again: what is there is not made twice.\n",
    );
    for (number, step) in steps.iter().enumerate() {
        let Step {
            title,
            why,
            commands,
        } = step;
        text.push_str(&format!("\n# {}. {title}\n# {why}\n{commands}", number + 1));
    }
    text
}

/// The values that people typed, in quotes that they cannot end.
struct Names {
    identity: Option<String>,
    secret: Option<String>,
    pools: Vec<String>,
    expired_pools: Vec<String>,
    profiles: Vec<String>,
    interface: Option<String>,
    api: Option<ApiNames>,
}

struct ApiNames {
    user: String,
    password: Option<String>,
    port: u16,
    service: ApiService,
}

impl Names {
    fn check(input: &ScriptInput<'_>) -> Result<Names, RouterError> {
        let named = |what: &str, names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names.dedup();
            let quote = |name: &String| quoted(&format!("{what} {name}"), name);
            names.iter().map(quote).collect::<Result<Vec<_>, _>>()
        };
        let mut pools = named("the pool", &input.pools)?;
        let expired_pools = named("the pool", &input.expired_pools)?;
        let mut profiles = named("the profile", &input.profiles)?;
        pools.retain(|name| !expired_pools.contains(name));
        profiles.retain(|name| !expired_pools.contains(name));
        let api = match &input.api {
            None => None,
            Some(api) => Some(ApiNames {
                user: quoted("the API user", api.user)?,
                password: optional("the API password", api.password)?,
                port: api.port,
                service: api.service,
            }),
        };
        Ok(Names {
            identity: optional("the name of the router", input.identity)?,
            secret: optional("the shared secret", input.secret)?,
            pools,
            expired_pools,
            profiles,
            interface: optional("the interface", input.access_interface)?,
            api,
        })
    }
}

fn optional(what: &str, value: Option<&str>) -> Result<Option<String>, RouterError> {
    value.map(|value| quoted(what, value)).transpose()
}

/// Our address, or the word that the operator replaces.
fn server(input: &ScriptInput<'_>) -> String {
    let known = input.server.map(|address| address.to_string());
    known.unwrap_or_else(|| "SERVER".to_owned())
}

/// Our address as a network of one, for lists of allowed addresses.
fn server_only(input: &ScriptInput<'_>) -> String {
    let bits = match input.server {
        Some(IpAddr::V6(_)) => 128,
        Some(IpAddr::V4(_)) | None => 32,
    };
    format!("{}/{bits}", server(input))
}

fn identity(name: &str) -> String {
    guarded("the name", &format!("/system identity set name={name}"))
}

fn radius_entry(input: &ScriptInput<'_>, names: &Names) -> String {
    let is_of_our_family = |source: &IpAddr| {
        input
            .server
            .is_none_or(|server| server.is_ipv4() == source.is_ipv4())
    };
    let source = input.source.filter(is_of_our_family);
    let source = source.map_or_else(String::new, |ip| format!(" src-address={ip}"));
    let fields = format!(
        "address={}{source} authentication-port={} accounting-port={} timeout=3s",
        server(input),
        input.auth_port,
        input.acct_port
    );
    let (new, kept) = match &names.secret {
        Some(secret) => (format!(" secret={secret}"), format!(" secret={secret}")),
        None => (" secret=\"SECRET\"".to_owned(), String::new()),
    };
    guarded(
        "the RADIUS entry",
        &ensure(
            "/radius",
            COMMENT,
            &format!("service=ppp {fields}{new} {COMMENT}"),
            &format!("{fields}{kept}"),
        ),
    )
}

/// An unknown parameter is an error of the whole block, so the command is only read when it is run.
fn signed_replies() -> String {
    let set = r#"/radius set [/radius find where comment=\"proxpanel\"] require-message-auth=yes-for-request-resp"#;
    guarded(
        "signed replies",
        &format!(":local sign [:parse \"{set}\"]\n$sign"),
    )
}

/// What sets the time servers of a router.
pub fn set_clock(version: Version) -> String {
    let [first, second] = TIME_SERVERS;
    let servers = match version {
        Version::V6 => format!("primary-ntp={first} secondary-ntp={second}"),
        Version::V7 => format!("servers={first},{second}"),
    };
    format!("/system ntp client set enabled=yes {servers}")
}

fn clock(version: Version) -> String {
    let set = set_clock(version);
    guarded(
        "the clock",
        &format!(":if ([/system ntp client get enabled] = false) do={{\n  {set}\n}}"),
    )
}

/// The comments of the filter rules without which the expired of these pools are not held, each pool's jumps last.
pub fn expired_rules(pools: &[String]) -> Vec<String> {
    firewall::expired_rules(pools)
}

/// The commands that make the rules for the expired of these pools; the portal is left as it is.
///
/// Errors: `ScriptValue` with the name of a pool.
pub fn walled_garden(pools: &[String]) -> Result<String, RouterError> {
    let pools = pools.iter().map(|name| quoted("the pool", name));
    let pools = pools.collect::<Result<Vec<_>, _>>()?;
    Ok(firewall::walled_garden(&pools, None).concat())
}
