//! The file of a release as the body of an answer: read piece by piece on a thread that may block.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Octets of a piece, and pieces that wait for a slow reader.
const PIECE: usize = 64 << 10;
const MOST_WAITING: usize = 4;

/// Opens the file and begins to read. `keep` is dropped when the last octet was taken or nobody wants it any more.
/// Blocks for the opening.
pub fn body(path: &Path, keep: impl Send + 'static) -> io::Result<(Body, u64)> {
    let file = File::open(path)?;
    let octets = file.metadata()?.len();
    let (sender, pieces) = channel(MOST_WAITING);
    tokio::task::spawn_blocking(move || {
        read(file, octets, &sender);
        drop(keep);
    });
    let body = FileBody {
        pieces,
        left: octets,
    };
    Ok((Body::new(body), octets))
}

/// Reads what the file had when it was opened. Ends when the reader is gone.
fn read(file: File, octets: u64, to: &Sender<io::Result<Bytes>>) {
    let mut file = file.take(octets);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let piece = match file.by_ref().take(limit).read_to_end(&mut piece) {
            Ok(0) => return,
            Ok(_) => Ok(Bytes::from(piece)),
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if to.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}

struct FileBody {
    pieces: Receiver<io::Result<Bytes>>,
    left: u64,
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Ok(piece)) => {
                let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.left = self.left.saturating_sub(length);
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            None if self.left > 0 => {
                self.left = 0;
                Some(Err(io::ErrorKind::UnexpectedEof.into()))
            }
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
