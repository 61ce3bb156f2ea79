//! A stream that counts what moves on it, in both directions, so that a long transfer can be told from one that dawdles.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets that moved on a stream since it was opened.
#[derive(Clone, Default)]
pub struct Moved(Arc<AtomicU64>);

impl Moved {
    pub fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, octets: usize) {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        self.0.fetch_add(octets, Ordering::Relaxed);
    }
}

/// What of a transfer moved since somebody looked last.
pub struct Progress {
    before: u64,
    least: u64,
}

impl Progress {
    /// `least` octets must move between two looks.
    pub fn from(octets: u64, least: u64) -> Progress {
        Progress {
            before: octets,
            least,
        }
    }

    /// Whether less moved since the last look.
    pub fn is_slow(&mut self, octets: u64) -> bool {
        let moved = octets.saturating_sub(self.before);
        self.before = octets;
        moved < self.least
    }
}

pub struct Metered<S> {
    stream: S,
    moved: Moved,
}

impl<S> Metered<S> {
    pub fn new(stream: S, moved: Moved) -> Metered<S> {
        Metered { stream, moved }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.moved.add(buffer.filled().len().saturating_sub(before));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, octets))?;
        self.moved.add(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.moved.add(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn both_directions_count() {
        let (near, mut far) = duplex(64);
        let moved = Moved::default();
        let mut near = Metered::new(near, moved.clone());
        near.write_all(b"seven..").await.unwrap();
        near.flush().await.unwrap();
        assert_eq!(moved.octets(), 7);
        far.write_all(b"eleven.....").await.unwrap();
        let mut read = [0; 11];
        near.read_exact(&mut read).await.unwrap();
        assert_eq!(moved.octets(), 18);
        let slices = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        let written = near.write_vectored(&slices).await.unwrap();
        assert_eq!(moved.octets(), 18 + u64::try_from(written).unwrap());
        near.shutdown().await.unwrap();
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b"seven..ab"));
    }

    #[test]
    fn less_than_the_least_is_slow() {
        let mut progress = Progress::from(1_000, 10);
        for (octets, is_slow) in [
            (1_010, false),
            (1_019, true),
            // Each look begins anew.
            (1_029, false),
            (1_029, true),
            (9_000, false),
            (9_009, true),
        ] {
            assert_eq!(progress.is_slow(octets), is_slow, "{octets}");
        }
        assert!(!Progress::from(0, 0).is_slow(0));
    }
}
