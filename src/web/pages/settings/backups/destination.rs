//! The form of the other machine that backups are sent to, and the two buttons behind it: test it, trust it.

use crate::domain::Invalid;
use crate::operations::Error;
use crate::operations::backups::destination::{
    self as verb, Destination, Protocol, RemoteError, Server, Wanted,
};
use crate::operations::backups::pause;
use crate::operations::backups::settings::MOST_KEPT;
use crate::web::error::{Reply, done};
use crate::web::extract::Change;
use crate::web::form::{FormData, Problems, number};
use crate::web::parts::{Field, Select};
use crate::web::shell::Flash;

use super::{PATH, again};

/// The choice of the list for no machine at all.
const OFF: &str = "off";
/// How many stay there unless somebody says otherwise.
const KEPT: u16 = 14;

#[derive(Clone, Default)]
pub struct DestinationForm {
    /// Where they go, `sftp://…`; empty while they stay here.
    pub place: String,
    /// Nothing is encrypted on the way.
    pub is_plain: bool,
    /// What an unknown server showed just now, for the owner to compare; empty otherwise.
    pub stranger: String,
    pub protocol: Select,
    pub host: Field,
    pub port: Field,
    pub user: Field,
    pub password: Field,
    pub folder: Field,
    pub keep: Field,
    pub identity: Field,
}

/// The fields as they stand for what is set.
pub(super) fn filled(set: Option<&Destination>) -> FormData {
    let Some(Destination { server, keep, .. }) = set else {
        return FormData::filled(vec![
            ("protocol", OFF.to_owned()),
            ("keep_there", KEPT.to_string()),
        ]);
    };
    FormData::filled(vec![
        ("protocol", server.protocol.word().to_owned()),
        ("host", server.host.clone()),
        ("port", server.port.to_string()),
        ("server_user", server.user.clone()),
        ("folder", server.folder.clone()),
        ("keep_there", keep.to_string()),
        ("identity", server.identity.clone().unwrap_or_default()),
    ])
}

pub(super) fn form(
    set: Option<&Destination>,
    form: &FormData,
    problems: &Problems,
    stranger: &str,
) -> DestinationForm {
    let protocols = [
        (OFF, "Nowhere"),
        (Protocol::Sftp.word(), "SFTP"),
        (Protocol::Ftps.word(), "FTPS"),
        (Protocol::Ftp.word(), "FTP, not encrypted"),
    ];
    let field = |name| problems.field(form, name);
    DestinationForm {
        place: set.map_or_else(String::new, Destination::place),
        is_plain: set.is_some_and(|set| set.server.protocol == Protocol::Ftp),
        stranger: stranger.to_owned(),
        protocol: problems.select("protocol", Select::new(protocols, form.text("protocol"))),
        host: field("host"),
        port: field("port"),
        user: field("server_user"),
        password: problems.secret("server_password"),
        folder: field("folder"),
        keep: field("keep_there"),
        identity: field("identity"),
    }
}

pub async fn save_destination(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    if let Some(wanted) = wanted(&form, &mut problems) {
        let text = match &wanted {
            Some(_) => "Saved. Test it now.",
            None => "Saved. Backups stay on this machine.",
        };
        let saved = verb::update(signed.app(), &signed.actor(), wanted).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, Flash::good(text), PATH));
        }
    }
    again(&signed, form, &problems, "").await
}

/// What was typed; the inner nothing is `nowhere`, the outer one problems that were noted.
fn wanted(form: &FormData, problems: &mut Problems) -> Option<Option<Wanted>> {
    if form.text("protocol") == OFF {
        return Some(None);
    }
    let protocol = Protocol::parse(form.text("protocol"));
    let protocol = protocol.ok_or_else(|| Invalid::new("Choose one of the list"));
    let protocol = problems.take("protocol", protocol);
    let port = match (form.text("port").trim(), protocol) {
        ("", Some(protocol)) => Some(protocol.default_port()),
        (port, _) => problems.take("port", number(port, 1, u16::MAX)),
    };
    let host = problems.take("host", verb::parse_host(form.text("host")));
    let user = problems.take("server_user", verb::parse_user(form.text("server_user")));
    let password = verb::parse_password(form.text("server_password"));
    let password = problems.take("server_password", password);
    let folder = problems.take("folder", verb::parse_folder(form.text("folder")));
    let keep = problems.take("keep_there", number(form.text("keep_there"), 0, MOST_KEPT));
    let protocol = protocol?;
    let identity = verb::parse_identity(protocol, form.text("identity"));
    let identity = problems.take("identity", identity);
    Some(Some(Wanted {
        server: Server {
            protocol,
            host: host?,
            port: port?,
            user: user?,
            password: password?,
            folder: folder?,
            identity: identity?,
        },
        keep: keep?,
    }))
}

pub async fn test_destination(Change { signed, .. }: Change) -> Reply {
    let (text, stranger) = match verb::test(signed.app()).await {
        Ok(()) => {
            let text = "It works: a small file was sent, seen there, and removed.";
            return Ok(done(&signed, Flash::good(text), PATH));
        }
        Err(Error::Remote(error)) => words(&error),
        Err(Error::Refused(text)) => (text, String::new()),
        Err(other) => return Err(other.into()),
    };
    let mut problems = Problems::default();
    problems.refuse(text);
    again(&signed, FormData::default(), &problems, &stranger).await
}

/// What failed, for the owner; and what the server showed, if it is his to say whether that is right.
fn words(error: &RemoteError) -> (String, String) {
    match error {
        RemoteError::Unknown { shown } => (
            "Nobody has said yet that this server is the right one. Nothing was sent, not even the password.".to_owned(),
            shown.clone(),
        ),
        RemoteError::Differs { expected, shown } => (
            format!(
                "This is another server than before, or somebody stands in between. It shows {shown} and not {expected}. Nothing \
                 was sent, not even the password. Only if you replaced the server yourself: empty the field “Known by”, save, and \
                 test again."
            ),
            String::new(),
        ),
        other => (format!("It does not work: {other}."), String::new()),
    }
}

pub async fn trust_destination(Change { signed, form }: Change) -> Reply {
    let shown = form.text("shown");
    verb::trust(signed.app(), &signed.actor(), shown).await?;
    let text = "This server is trusted from now on, and no other. Test it again.";
    Ok(done(&signed, Flash::good(text), PATH))
}

pub async fn resume_sending(Change { signed, .. }: Change) -> Reply {
    pause::resume(signed.app(), &signed.actor()).await?;
    let text = "Backups are sent to the other machine again.";
    Ok(done(&signed, Flash::good(text), PATH))
}
