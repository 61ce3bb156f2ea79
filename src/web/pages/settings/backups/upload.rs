//! A backup from elsewhere, sent by the browser into the folder of backups.

use std::sync::Arc;

use axum::extract::Request;

use crate::operations::backups::upload::{LARGEST, Upload as Received};
use crate::operations::blocking;
use crate::web::error::{Reply, done};
use crate::web::extract::Signed;
use crate::web::shell::Flash;
use crate::web::upload::Upload;

use super::PATH;

/// Octets that are gathered before they are written.
const PIECE: usize = 1 << 20;

/// The file does not fit into memory, so it is written as it comes.
pub async fn upload(signed: Signed, request: Request) -> Reply {
    let mut form = Upload::begin(signed, request, LARGEST).await?;
    let (app, name, length) = (
        Arc::clone(&form.signed.panel.app),
        form.file_name.clone(),
        form.length,
    );
    let mut received = blocking(move || Received::begin(&app, &name, length)).await??;
    let mut gathered = Vec::with_capacity(PIECE);
    loop {
        let piece = form.piece().await?;
        let is_end = piece.is_none();
        gathered.extend(piece.unwrap_or_default());
        if gathered.len() >= PIECE || is_end {
            let octets = std::mem::take(&mut gathered);
            received = blocking(move || received.write(&octets)).await??;
        }
        if is_end {
            break;
        }
    }
    let signed = form.signed;
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let name = blocking(move || received.finish(&app, &actor)).await??;
    let flash = Flash::good(format!("{name} is here. Test it, or restore it."));
    Ok(done(&signed, flash, PATH))
}
