//! A form with one file in it. What the extractors check of other forms is checked here, before anything of the file is read.

use axum::extract::Request;
use axum::http::header;

use crate::web::csrf;
use crate::web::error::Failure;
use crate::web::extract::{Signed, licensed, refuse_foreign, refuse_old};
use crate::web::multipart::Multipart;

const LONGEST_TOKEN: usize = 200;

/// A file that an administrator sends, up to its first octet.
pub struct Upload {
    pub signed: Signed,
    /// As the browser names it.
    pub file_name: String,
    /// Octets of the whole form, as the browser says; 0 where it does not.
    pub length: u64,
    form: Multipart,
}

impl Upload {
    /// `largest` bounds the form. Errors: `Forbidden` for other operators, other sites and old pages, `Refused` without a file,
    /// `TooLarge`, `Garbled`.
    pub async fn begin(signed: Signed, request: Request, largest: u64) -> Result<Upload, Failure> {
        if !signed.may_change() {
            let text = "Only administrators bring files in. Ask one.";
            return Err(Failure::Forbidden(text.to_owned()));
        }
        let (parts, body) = request.into_parts();
        licensed(&signed.panel, parts.uri.path())?;
        refuse_foreign(&parts.headers)?;
        let length = parts
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let mut form = Multipart::new(&parts.headers, body, largest)?;
        // The page puts the token first.
        let token = match form.next_part().await? {
            Some(part) if part.name == csrf::FIELD => form.text(LONGEST_TOKEN).await?,
            _ => String::new(),
        };
        refuse_old(&token, &signed.current.login.csrf)?;
        let file = form.next_part().await?.ok_or(Failure::Garbled)?;
        if file.name != "file" || file.file_name.is_empty() {
            return Err(Failure::Refused("Choose a file first".to_owned()));
        }
        Ok(Upload {
            signed,
            file_name: file.file_name,
            length,
            form,
        })
    }

    /// Some more octets of the file; nothing at its end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.form.piece().await
    }
}
