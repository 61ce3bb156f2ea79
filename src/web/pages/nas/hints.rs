//! What should be mended at a NAS, with the RouterOS command that mends it.

use crate::app::{App, NasEntry, NasStats};
use crate::domain::nas::{Nas, Profile};
use crate::domain::time::Timestamp;
use crate::operations::nas_health::{self, NasState, Trouble};
use crate::web::parts::{Badge, Tone};
use crate::web::wording::Words;
use crate::web::words::ago_or_never;

/// Something to mend, with the command or setting that mends it.
#[derive(Clone, Default)]
pub struct Hint {
    pub title: String,
    pub text: String,
    pub command: String,
}

pub fn state_badge(stats: &NasStats, now: Timestamp) -> Badge {
    match nas_health::state(stats, now) {
        NasState::NeverSeen => Badge::new(Tone::Quiet, "Not seen yet"),
        NasState::WrongSecret => Badge::new(Tone::Bad, "Wrong secret"),
        NasState::Silent => Badge::new(Tone::Quiet, "Silent"),
        NasState::Answering => Badge::new(Tone::Good, "Answering"),
    }
}

/// Most urgent first.
pub fn hints(words: &Words<'_>, entry: &NasEntry) -> Vec<Hint> {
    let troubles = nas_health::troubles(entry, words.now);
    troubles
        .into_iter()
        .map(|trouble| hint(words, entry, trouble))
        .collect()
}

fn hint(words: &Words<'_>, entry: &NasEntry, trouble: Trouble) -> Hint {
    let nas = &entry.nas;
    let ours = format!("/radius set [find where address={}]", server(words.app));
    let protect = format!("{ours} require-message-auth=yes-for-request-resp");
    let (title, text, command) = match trouble {
        Trouble::WrongSecret => (
            "The shared secret on the router is another one than here",
            format!(
                "A packet could not be verified {}. Put the secret that you saved here into the router, or save the router's here.",
                ago_or_never(words.now, entry.stats.last_wrong_secret())
            ),
            format!("{ours} secret=\"SECRET\""),
        ),
        Trouble::MissingAuthenticator => (
            "Requests without Message-Authenticator are dropped",
            format!(
                "The last one came {}. This NAS must send it. Update RouterOS to 7.15 or newer and switch it on; for a router that cannot, choose “optional” under Edit.",
                ago_or_never(words.now, entry.stats.last_missing_authenticator())
            ),
            protect,
        ),
        Trouble::Unprotected => (
            "This device does not protect its requests",
            "It sends no Message-Authenticator, so somebody on the way could forge an answer (Blast-RADIUS). Update RouterOS to 7.15 or newer and switch it on; it is required here from the first one on.".to_owned(),
            protect,
        ),
        Trouble::CoaUnanswered => (
            "Disconnects and speed changes get no answer",
            format!(
                "The router must accept them on UDP port {}, and believes only the address that its own RADIUS entry names: no NAT may be in between.",
                nas.coa_port
            ),
            accept_incoming(nas),
        ),
        Trouble::CoaRefused(cause) => (
            "Disconnects and speed changes are refused",
            match cause {
                Some(cause) => format!("The router says: {}.", nas_health::error_cause(cause)),
                None => "The router does not say why.".to_owned(),
            },
            String::new(),
        ),
    };
    Hint {
        title: title.to_owned(),
        text,
        command: if nas.profile == Profile::MikroTik {
            command
        } else {
            String::new()
        },
    }
}

fn accept_incoming(nas: &Nas) -> String {
    format!("/radius incoming set accept=yes port={}", nas.coa_port)
}

/// The address of this machine as routers know it, as far as the configuration says.
fn server(app: &App) -> String {
    let radius = &app.config.radius;
    let listens = radius.auth_listen.iter().map(|address| address.ip());
    let known = radius
        .coa_bind
        .or_else(|| listens.into_iter().find(|ip| !ip.is_unspecified()));
    known.map_or_else(|| "SERVER".to_owned(), |ip| ip.to_string())
}

/// What points a MikroTik router here (mikrotik.md c1); empty for other vendors. The secret is left out, and so is the
/// address of this machine where the configuration does not say it.
pub fn router_commands(app: &App, nas: &Nas) -> String {
    if nas.profile != Profile::MikroTik {
        return String::new();
    }
    let radius = &app.config.radius;
    let port = |listen: &[std::net::SocketAddr], standard: u16| {
        let set = listen.first().map(|address| address.port());
        set.filter(|port| *port != 0).unwrap_or(standard)
    };
    let source = nas
        .network
        .single()
        .map_or_else(String::new, |ip| format!(" src-address={ip}"));
    let interim = nas
        .interim_interval
        .map_or_else(|| "5m".to_owned(), |seconds| format!("{seconds}s"));
    [
        format!(
            "/radius add service=ppp address={}{source} secret=\"SECRET\" authentication-port={} accounting-port={} timeout=3s",
            server(app),
            port(&radius.auth_listen, 1812),
            port(&radius.acct_listen, 1813)
        ),
        accept_incoming(nas),
        format!("/ppp aaa set use-radius=yes accounting=yes interim-update={interim}"),
    ]
    .join("\n")
}
