//! A file of ours, read piece by piece without stopping the runtime. Bounded memory for any size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Octets of a piece: large enough for a fast line, small enough for a small machine.
const PIECE: usize = 128 * 1024;

pub struct Chunks {
    file: Option<(File, Vec<u8>)>,
}

impl Chunks {
    pub async fn open(path: &Path) -> io::Result<Chunks> {
        let path = path.to_owned();
        let file = blocking(move || File::open(path)).await?;
        Ok(Chunks {
            file: Some((file, vec![0; PIECE])),
        })
    }

    /// The next piece; empty at the end.
    pub async fn next(&mut self) -> io::Result<&[u8]> {
        let Some((mut file, mut buffer)) = self.file.take() else {
            return Err(io::Error::other("the file was given up"));
        };
        let read = blocking(move || {
            let octets = file.read(&mut buffer)?;
            Ok((file, buffer, octets))
        });
        let (file, buffer, octets) = read.await?;
        let (_, buffer) = self.file.insert((file, buffer));
        Ok(buffer.get(..octets).unwrap_or_default())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_pieces_are_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let octets: Vec<u8> = (0..251).cycle().take(size).collect();
            std::fs::write(&path, &octets).unwrap();
            let mut chunks = Chunks::open(&path).await.unwrap();
            let mut read = Vec::new();
            loop {
                let piece = chunks.next().await.unwrap();
                if piece.is_empty() {
                    break;
                }
                read.extend_from_slice(piece);
            }
            assert_eq!(read, octets, "{size}");
        }
    }
}
