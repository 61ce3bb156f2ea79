//! A file as the body of an answer, read piece by piece as fast as the browser takes it.
//!
//! Who may have the file is decided elsewhere. Invariant: one piece is in memory, and no thread waits for a slow browser.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

/// Octets read at once.
const PIECE: usize = 256 << 10;

/// What reading a piece gives back: the file, and what was read.
type Piece = io::Result<(File, Bytes)>;

struct FileBody {
    /// Nothing while a piece is read.
    file: Option<File>,
    reading: Option<JoinHandle<Piece>>,
    left: u64,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if let Some(file) = self.file.take() {
            let wanted = self.left;
            self.reading = Some(spawn_blocking(move || read_piece(file, wanted)));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let (file, piece) = match read.map_err(io::Error::other) {
            Ok(Ok(read)) => read,
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(%error, "a download broke off");
                return Poll::Ready(Some(Err(error)));
            }
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(length);
        self.file = Some(file);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn read_piece(mut file: File, wanted: u64) -> Piece {
    let length = usize::try_from(wanted).unwrap_or(PIECE).min(PIECE);
    let mut piece = vec![0; length];
    file.read_exact(&mut piece)?;
    Ok((file, Bytes::from(piece)))
}

/// The file as one to keep. `name` must be plain text without quotes.
pub fn file_response(file: File, octets: u64, name: &str) -> Response {
    let body = FileBody {
        file: Some(file),
        reading: None,
        left: octets,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, octets.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        // Not compressed on the way: the browser shows how much is left.
        (header::CONTENT_ENCODING, "identity".to_owned()),
    ];
    (headers, Body::new(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::io::{Seek, SeekFrom, Write};

    #[tokio::test]
    async fn a_file_arrives_whole_and_a_cut_one_breaks_off() {
        for size in [0, 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Vec<u8> = (0..size).map(|at| at.to_le_bytes()[0]).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            let octets = u64::try_from(size).unwrap();
            for (claimed, is_whole) in [(octets, true), (octets + 1, false)] {
                let mut file = file.try_clone().unwrap();
                file.seek(SeekFrom::Start(0)).unwrap();
                let response = file_response(file, claimed, "a.enc");
                let headers = response.headers();
                assert_eq!(
                    headers["content-disposition"],
                    "attachment; filename=\"a.enc\""
                );
                assert_eq!(headers["content-length"], claimed.to_string().as_str());
                let got = to_bytes(response.into_body(), usize::MAX).await;
                assert_eq!(got.is_ok_and(|got| got == content), is_whole, "{size}");
            }
        }
    }
}
