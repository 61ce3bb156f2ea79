//! Taking an import back, after a page that says what that does.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::IntoResponse;

use crate::operations::blocking;
use crate::operations::import::{self, Undo};
use crate::web::error::{Reply, done};
use crate::web::extract::{Administrator, Change};
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::counted;
use crate::web::shell::{Flash, Nav};

use super::PATH;

pub async fn ask_undo(Path(id): Path<u32>, Administrator(signed): Administrator) -> Reply {
    let app = Arc::clone(&signed.panel.app);
    let undo = blocking(move || import::ask_undo(&app, id)).await??;
    let page = DeletePage {
        shell: signed.shell("Take an import back", Nav::Subscribers),
        list: "Import",
        list_href: PATH,
        verb: "Take back",
        thing: "import",
        name: undo.row.file.clone(),
        action: format!("{PATH}/{id}/undo"),
        back: PATH.to_owned(),
        consequences: consequences(&undo),
        blocked: undo.refusal,
    };
    Ok(Page::ok(page).into_response())
}

fn consequences(undo: &Undo) -> Vec<String> {
    let subscribers = |count| counted(count, "subscriber", "subscribers");
    let mut lines = vec![format!(
        "{} of this import {} deleted, with what was changed on them since. Usage, history and the audit log stay.",
        subscribers(undo.here),
        if undo.here == 1 { "is" } else { "are" },
    )];
    if undo.online > 0 {
        let text = "online now and disconnected";
        lines.push(match undo.online {
            1 => format!("One of them is {text}."),
            online => format!("{online} of them are {text}."),
        });
    }
    if undo.renewed > 0 {
        let text = "renewed since: whoever did stays";
        lines.push(format!("{} {text}.", subscribers(undo.renewed)));
    }
    if undo.gone > 0 {
        lines.push(format!("{} deleted already.", subscribers(undo.gone)));
    }
    if !undo.row.plans.is_empty() {
        lines.push("Plans that it made go, too, where nobody else has them.".to_owned());
    }
    lines
}

pub async fn undo(Path(id): Path<u32>, Change { signed, .. }: Change) -> Reply {
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let count = blocking(move || import::undo(&app, &actor, id)).await??;
    let count = counted(count, "subscriber is", "subscribers are");
    let flash = Flash::good(format!("The import is taken back: {count} deleted."));
    Ok(done(&signed, flash, PATH))
}
