//! A backup from elsewhere, sent by the browser into the folder of backups.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;

use crate::operations::backups::upload::{LARGEST, Upload};
use crate::operations::blocking;
use crate::web::csrf;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::Signed;
use crate::web::multipart::Multipart;
use crate::web::shell::Flash;

use super::PATH;

/// Octets that are gathered before they are written.
const PIECE: usize = 1 << 20;
const LONGEST_TOKEN: usize = 200;

/// Reads the form by itself, because its file does not fit into memory; checks what the extractors check of other forms.
pub async fn upload(signed: Signed, request: Request) -> Reply {
    if !signed.may_change() {
        let text = "Only administrators bring backups in. Ask one.";
        return Err(Failure::Forbidden(text.to_owned()));
    }
    let (parts, body) = request.into_parts();
    if csrf::is_foreign(&parts.headers) {
        let text = "This form was sent from another site. Nothing was done.";
        return Err(Failure::Forbidden(text.to_owned()));
    }
    let length = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut form = Multipart::new(&parts.headers, body, LARGEST)?;
    // The page puts the token first.
    let token = match form.next_part().await? {
        Some(part) if part.name == csrf::FIELD => form.text(LONGEST_TOKEN).await?,
        _ => String::new(),
    };
    if !csrf::fits(&token, &signed.current.login.csrf) {
        let text = "This form is too old, or the browser keeps no cookies. Open the page again. Nothing was done.";
        return Err(Failure::Forbidden(text.to_owned()));
    }
    let file = form.next_part().await?.ok_or(Failure::Garbled)?;
    if file.name != "file" || file.file_name.is_empty() {
        return Err(Failure::Refused("Choose a file first".to_owned()));
    }
    let app = Arc::clone(&signed.panel.app);
    let mut upload = blocking(move || Upload::begin(&app, &file.file_name, length)).await??;
    let mut gathered = Vec::with_capacity(PIECE);
    loop {
        let piece = form.piece().await?;
        let is_end = piece.is_none();
        gathered.extend(piece.unwrap_or_default());
        if gathered.len() >= PIECE || is_end {
            let octets = std::mem::take(&mut gathered);
            upload = blocking(move || upload.write(&octets)).await??;
        }
        if is_end {
            break;
        }
    }
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let name = blocking(move || upload.finish(&app, &actor)).await??;
    let flash = Flash::good(format!("{name} is here. Test it, or restore it."));
    Ok(done(&signed, flash, PATH))
}
