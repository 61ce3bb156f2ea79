//! New logins for changes that a live session cannot take: the choice in the form, and cancelling what is planned.

use axum::extract::Path;

use crate::domain::Invalid;
use crate::domain::id::SubscriberId;
use crate::domain::reconnect::Reconnect;
use crate::operations::reconnects;
use crate::web::error::{Reply, done};
use crate::web::extract::Work;
use crate::web::form::{FormData, Problems};
use crate::web::parts::Select;
use crate::web::shell::Flash;
use crate::web::words;

/// The choice as it was made, the next login where it was not.
pub(super) fn choices(form: &FormData) -> Select {
    let all = Reconnect::ALL.map(|when| {
        let label = match when {
            Reconnect::NextLogin => "Wait for the next login",
            Reconnect::Now => "Disconnect now",
            Reconnect::Tonight => "Disconnect tonight at 04:00",
        };
        (when.word(), label)
    });
    Select::new(all, form.text("reconnect"))
}

pub(super) fn parse(form: &FormData, problems: &mut Problems) -> Option<Reconnect> {
    let chosen = match form.text("reconnect") {
        "" => Some(Reconnect::default()),
        word => Reconnect::from_word(word),
    };
    let chosen = chosen.ok_or_else(|| Invalid::new("Choose one of the list"));
    problems.take("reconnect", chosen)
}

pub async fn cancel_reconnect(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    let was_planned = reconnects::cancel(signed.app(), &signed.actor(), id).await?;
    let flash = Flash::good(match was_planned {
        true => "The session goes on; the change waits for the next login.",
        false => "Nothing is planned any more.",
    });
    Ok(done(&signed, flash, &words::subscriber_href(id)))
}
