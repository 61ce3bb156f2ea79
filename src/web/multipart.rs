//! Forms with a file in them (RFC 7578), read piece by piece, since a file may be larger than memory.
//!
//! Only what browsers send for such forms is understood. Invariant: what is in memory is bounded by a piece of the
//! network and the length of a part's head.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;

use crate::web::error::Failure;

/// Octets of the head of a part.
const LONGEST_HEAD: usize = 4 << 10;
/// A boundary has at most so many characters (RFC 2046 section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;
/// Parts of one form.
const MOST_PARTS: usize = 20;

/// The head of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// As the browser names it; empty for a plain field.
    pub file_name: String,
}

pub struct Multipart {
    body: Body,
    /// What stands before each part and after the last.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    /// Octets that may still come.
    left: u64,
    parts: usize,
}

impl Multipart {
    /// Errors: `Garbled` where the headers tell of another kind of body, `TooLarge` for one that says it is.
    pub fn new(headers: &HeaderMap, body: Body, most: u64) -> Result<Multipart, Failure> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let boundary = text(header::CONTENT_TYPE)
            .and_then(|kind| kind.strip_prefix("multipart/form-data"))
            .and_then(|rest| parameter(rest, "boundary"))
            .filter(|boundary| (1..=LONGEST_BOUNDARY).contains(&boundary.len()))
            .ok_or(Failure::Garbled)?;
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > most) {
            return Err(Failure::TooLarge);
        }
        Ok(Multipart {
            body,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // As if a line ended before the first part, too.
            buffer: b"\r\n".to_vec(),
            left: most,
            parts: 0,
        })
    }

    /// The next part, once what is left of the one before was skipped; nothing at the end.
    pub async fn next_part(&mut self) -> Result<Option<Part>, Failure> {
        while self.piece().await?.is_some() {}
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Failure::TooLarge);
        }
        self.take(self.delimiter.len()).await?;
        match self.take(2).await?.as_slice() {
            b"--" => return Ok(None),
            b"\r\n" => {}
            _ => return Err(Failure::Garbled),
        }
        // A head without lines is only this.
        let mut head = b"\r\n".to_vec();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= LONGEST_HEAD {
                return Err(Failure::TooLarge);
            }
            head.extend(self.take(1).await?);
        }
        Ok(Some(part(&String::from_utf8_lossy(&head))))
    }

    /// Some more octets of the part; nothing at its end.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(at) = find(&self.buffer, &self.delimiter) {
                let piece: Vec<u8> = self.buffer.drain(..at).collect();
                return Ok((!piece.is_empty()).then_some(piece));
            }
            // The start of a delimiter may be at the end.
            let sure = self.buffer.len().saturating_sub(self.delimiter.len());
            if sure > 0 {
                return Ok(Some(self.buffer.drain(..sure).collect()));
            }
            self.fill().await?;
        }
    }

    /// A plain field as text, of at most `most` octets.
    pub async fn text(&mut self, most: usize) -> Result<String, Failure> {
        let mut octets = Vec::new();
        while let Some(piece) = self.piece().await? {
            octets.extend(piece);
            if octets.len() > most {
                return Err(Failure::TooLarge);
            }
        }
        String::from_utf8(octets).map_err(|_| Failure::Garbled)
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Waits for more of the body. Its end is an error here: the last delimiter comes before it.
    async fn fill(&mut self) -> Result<(), Failure> {
        let frame = self.body.frame().await.ok_or(Failure::Garbled)?;
        let frame = frame.map_err(|_| Failure::Garbled)?;
        let data: Bytes = frame.into_data().unwrap_or_default();
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(Failure::TooLarge)?;
        self.buffer.extend_from_slice(&data);
        Ok(())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

fn part(head: &str) -> Part {
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    });
    let of = |name| disposition.and_then(|value| parameter(value, name));
    Part {
        name: of("name").unwrap_or_default(),
        file_name: of("filename").unwrap_or_default(),
    }
}

/// `; name="value"` or `; name=value`.
fn parameter(text: &str, name: &str) -> Option<String> {
    text.split(';').find_map(|piece| {
        let (known, value) = piece.trim().split_once('=')?;
        known
            .eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(octets: &[u8], most: u64) -> Multipart {
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=----x7";
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let body = Body::from(octets.to_vec());
        Multipart::new(&headers, body, most).unwrap()
    }

    const FORM: &[u8] = b"------x7\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n\
        ------x7\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a b.enc\"\r\nContent-Type: x/y\r\n\r\n\
        \r\n--\r\n-----\r\n------x\0\r\n------x7--\r\n";

    #[tokio::test]
    async fn fields_and_files_come_out_as_they_went_in() {
        let mut form = form(FORM, 10_000);
        let csrf = form.next_part().await.unwrap().unwrap();
        assert_eq!((csrf.name.as_str(), csrf.file_name.as_str()), ("csrf", ""));
        assert_eq!(form.text(5).await.unwrap(), "token");
        let file = form.next_part().await.unwrap().unwrap();
        assert_eq!(
            (file.name.as_str(), file.file_name.as_str()),
            ("file", "a b.enc")
        );
        let mut content = Vec::new();
        while let Some(piece) = form.piece().await.unwrap() {
            content.extend(piece);
        }
        assert_eq!(content, b"\r\n--\r\n-----\r\n------x\0");
        assert_eq!(form.next_part().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_such_form_is_refused() {
        for cut in 0..FORM.len() - 2 {
            let mut form = form(&FORM[..cut], 10_000);
            let mut failure = None;
            for _ in 0..3 {
                if let Err(error) = form.next_part().await {
                    failure = Some(error);
                    break;
                }
            }
            assert_eq!(failure, Some(Failure::Garbled), "cut at {cut}");
        }
        let size = u64::try_from(FORM.len()).unwrap();
        let mut large = form(FORM, size - 1);
        assert_eq!(large.next_part().await.unwrap_err(), Failure::TooLarge);
        let mut long = form(FORM, size);
        long.next_part().await.unwrap();
        assert_eq!(long.text(4).await.unwrap_err(), Failure::TooLarge);
        let head = [b"------x7\r\nA: ".to_vec(), vec![b'a'; LONGEST_HEAD]].concat();
        assert_eq!(
            form(&head, 10_000).next_part().await.unwrap_err(),
            Failure::TooLarge
        );
        let many = b"------x7\r\n\r\n\r\n".repeat(MOST_PARTS + 1);
        let mut many = form(&many, 10_000);
        for _ in 0..MOST_PARTS {
            many.next_part().await.unwrap();
        }
        assert_eq!(many.next_part().await.unwrap_err(), Failure::TooLarge);
    }

    #[test]
    fn the_headers_must_tell_of_such_a_form() {
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        for kind in [
            "",
            "text/plain",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            &long,
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert!(
                Multipart::new(&headers, Body::empty(), 10).is_err(),
                "{kind}"
            );
        }
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=\"a b\"";
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        assert!(Multipart::new(&headers, Body::empty(), 10).is_ok());
        headers.insert(header::CONTENT_LENGTH, "11".parse().unwrap());
        assert!(Multipart::new(&headers, Body::empty(), 10).is_err());
    }
}
