//! What should be mended at a NAS, with the RouterOS command that mends it.

use crate::app::{App, NasEntry};
use crate::domain::nas::{MessageAuthenticator, Nas, Profile};
use crate::domain::time::Timestamp;
use crate::operations::nas_health::{self, NasState, Trouble};
use crate::operations::router_script;
use crate::web::parts::{Badge, Tone};
use crate::web::words::{Words, ago_or_never};

/// Something to mend, with the command or setting that mends it.
#[derive(Clone, Default)]
pub struct Hint {
    pub title: String,
    pub text: String,
    pub command: String,
}

/// How a NAS does. One that answers may still need attention; a router that protects nothing has been so for years.
pub fn state_badge(entry: &NasEntry, now: Timestamp) -> Badge {
    let is_urgent = |trouble: &Trouble| *trouble != Trouble::Unprotected;
    match nas_health::state(&entry.stats, now) {
        NasState::NeverSeen => Badge::new(Tone::Quiet, "Not seen yet"),
        NasState::WrongSecret => Badge::new(Tone::Bad, "Wrong secret"),
        NasState::Silent => Badge::new(Tone::Quiet, "Silent"),
        NasState::Answering if nas_health::troubles(entry, now).iter().any(is_urgent) => {
            Badge::new(Tone::Warn, "Needs attention")
        }
        NasState::Answering => Badge::new(Tone::Good, "Answering"),
    }
}

/// What should be mended, one line each, most urgent first.
pub fn titles(entry: &NasEntry, now: Timestamp) -> Vec<String> {
    let troubles = nas_health::troubles(entry, now);
    troubles
        .into_iter()
        .map(|trouble| title(trouble).to_owned())
        .collect()
}

fn title(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::WrongSecret => "The shared secret on the router is another one than here",
        Trouble::MissingAuthenticator => "Requests without Message-Authenticator are dropped",
        Trouble::Radsec => "RadSec connections of this device are not let in",
        Trouble::Unprotected => "This device does not protect its requests",
        Trouble::CoaUnanswered => "Disconnects and speed changes get no answer",
        Trouble::CoaRefused(_) => "Disconnects and speed changes are refused",
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
    let (text, command) = match trouble {
        Trouble::WrongSecret => (
            format!(
                "A packet could not be verified {}. Put the secret that you saved here into the router, or save the router's here.",
                ago_or_never(words.now, entry.stats.last_wrong_secret())
            ),
            format!("{ours} secret=\"SECRET\""),
        ),
        Trouble::MissingAuthenticator => (
            format!(
                "The last one came {}. This NAS must send it. Update RouterOS to 7.15 or newer and switch it on; for a router that cannot, choose “optional” under Edit.",
                ago_or_never(words.now, entry.stats.last_missing_authenticator())
            ),
            protect,
        ),
        Trouble::Unprotected => (
            match nas.message_authenticator {
                MessageAuthenticator::Optional => "It may leave Message-Authenticator out, so somebody on the way could forge an answer (Blast-RADIUS). Switch it on in RouterOS 7.15 or newer, then choose “required once the first one was seen” under Edit.",
                _ => "It sends no Message-Authenticator, so somebody on the way could forge an answer (Blast-RADIUS). Switch it on in RouterOS 7.15 or newer; it is required here from the first one on.",
            }
            .to_owned(),
            protect,
        ),
        Trouble::Radsec => (
            radsec_text(words, entry),
            format!("{ours} protocol=radsec certificate=CERTIFICATE"),
        ),
        Trouble::CoaUnanswered => (
            format!(
                "The router must accept them on UDP port {}, and believes only the address that its own RADIUS entry names: no NAT may be in between.",
                nas.coa_port
            ),
            accept_incoming(nas),
        ),
        Trouble::CoaRefused(cause) => (
            match cause {
                Some(cause) => format!("The router says: {}.", nas_health::error_cause(cause)),
                None => "The router does not say why.".to_owned(),
            },
            String::new(),
        ),
    };
    Hint {
        title: title(trouble).to_owned(),
        text,
        command: if nas.profile == Profile::MikroTik {
            command
        } else {
            String::new()
        },
    }
}

fn radsec_text(words: &Words<'_>, entry: &NasEntry) -> String {
    let last = entry
        .stats
        .radsec
        .trouble()
        .map_or_else(String::new, |last| {
            format!(
                "The last try came {} from {}: {}. ",
                words.ago(last.at),
                last.source,
                last.why
            )
        });
    format!(
        "{last}Certificates that are no NAS's are listed under NAS devices, with their fingerprints."
    )
}

fn accept_incoming(nas: &Nas) -> String {
    format!("/radius incoming set accept=yes port={}", nas.coa_port)
}

/// The address of this machine as routers know it, or a word in its place.
fn server(app: &App) -> String {
    router_script::own_address(app).map_or_else(|| "SERVER".to_owned(), |ip| ip.to_string())
}

/// What points a MikroTik router here (mikrotik.md c1); empty for other vendors. The secret is left out, and so is the
/// address of this machine where the configuration does not say it.
pub fn router_commands(app: &App, nas: &Nas) -> String {
    if nas.profile != Profile::MikroTik {
        return String::new();
    }
    let (auth_port, acct_port) = router_script::ports(app);
    let source = nas
        .network
        .single()
        .map_or_else(String::new, |ip| format!(" src-address={ip}"));
    let interim = nas
        .interim_interval
        .map_or_else(|| "5m".to_owned(), |seconds| format!("{seconds}s"));
    [
        format!(
            "/radius add service=ppp address={}{source} secret=\"SECRET\" authentication-port={} accounting-port={} timeout=3s comment=\"proxpanel\"",
            server(app),
            auth_port,
            acct_port
        ),
        accept_incoming(nas),
        format!("/ppp aaa set use-radius=yes accounting=yes interim-update={interim}"),
    ]
    .join("\n")
}
