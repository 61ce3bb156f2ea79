//! A text file as a table: which letters it is written in, what stands between its values, and its rows.

use csv::StringRecord;
use yore::code_pages::{CP1252, CP1256};

use crate::domain::Invalid;
use crate::domain::import::Charset;

/// Octets of a file.
pub const LARGEST: usize = 8 << 20;
/// Rows of a file: what one transaction carries in a few seconds.
pub const MOST_ROWS: usize = 20_000;
pub const MOST_COLUMNS: usize = 60;

/// What may stand between two values.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// The rows of a file. No Debug: passwords stand in it.
pub(super) struct Table {
    /// Of each column; empty where the file has none.
    pub headings: Vec<String>,
    pub rows: Vec<Row>,
    pub charset: Charset,
}

pub(super) struct Row {
    /// In the file, from 1.
    pub line: u64,
    cells: StringRecord,
}

impl Row {
    /// The value in a column; a row may end early.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default()
    }

    /// Values beyond the last column, such as after a comma in a name that is not quoted.
    pub fn is_too_long(&self, columns: usize) -> bool {
        self.cells
            .iter()
            .skip(columns)
            .any(|cell| !cell.trim().is_empty())
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// Reads a file. Without headings its first line is a row, too. Errors say what to do about the file.
pub(super) fn read(
    octets: &[u8],
    charset: Option<Charset>,
    has_headings: bool,
) -> Result<Table, Invalid> {
    let (text, charset) = decode(octets, charset)?;
    let (skipped, text, separator) = separator(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut headings = None;
    let mut rows = Vec::new();
    for cells in reader.records() {
        let cells = cells.map_err(|error| Invalid::new(format!("Not a table: {error}")))?;
        let line = skipped + cells.position().map_or(0, |at| line_of(text, at));
        let row = Row { line, cells };
        if row.is_empty() {
            continue;
        }
        if headings.is_none() {
            headings = Some(match has_headings {
                true => row
                    .cells
                    .iter()
                    .map(|cell| cell.trim().to_owned())
                    .collect(),
                false => vec![String::new(); row.cells.len()],
            });
            if has_headings {
                continue;
            }
        }
        if rows.len() == MOST_ROWS {
            let text = format!("More than {MOST_ROWS} rows. Split it into several files");
            return Err(Invalid::new(text));
        }
        rows.push(row);
    }
    let headings: Vec<String> = headings.unwrap_or_default();
    match (headings.len(), rows.len()) {
        (0, _) => Err(Invalid::new("The file is empty")),
        (_, 0) => Err(Invalid::new("The file has headings and nothing below them")),
        (columns, _) if columns > MOST_COLUMNS => Err(Invalid::new(format!(
            "More than {MOST_COLUMNS} columns. Is this a list of subscribers?"
        ))),
        _ => Ok(Table {
            headings,
            rows,
            charset,
        }),
    }
}

/// The text, and what it was written in. Without a choice: as its mark says; else UTF-8, where it can be; else Windows-1256, which has
/// the accents of French at the places of Windows-1252.
fn decode(octets: &[u8], charset: Option<Charset>) -> Result<(String, Charset), Invalid> {
    if octets.len() > LARGEST {
        return Err(Invalid::new(format!(
            "Larger than {} MB. Split it into several files",
            LARGEST >> 20
        )));
    }
    if octets.starts_with(b"PK\x03\x04") || octets.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(Invalid::new(
            "This is a workbook. Open it in the spreadsheet program and save the sheet as CSV",
        ));
    }
    let marked = match octets {
        [0xef, 0xbb, 0xbf, ..] => Some(Charset::Utf8),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Charset::Utf16),
        _ => None,
    };
    let charset = charset.or(marked).unwrap_or_else(|| {
        let is_utf8 = std::str::from_utf8(octets).is_ok();
        match is_utf8 {
            true => Charset::Utf8,
            false => Charset::Windows1256,
        }
    });
    let text = match charset {
        Charset::Utf8 => {
            let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
            let text = std::str::from_utf8(octets).map_err(|error| {
                let before = octets.get(..error.valid_up_to()).unwrap_or_default();
                let line = before.iter().filter(|octet| **octet == b'\n').count() + 1;
                Invalid::new(format!("Line {line} is not written in UTF-8"))
            })?;
            text.to_owned()
        }
        Charset::Utf16 => utf16(octets)?,
        Charset::Windows1256 => CP1256.decode(octets).into_owned(),
        Charset::Windows1252 => CP1252.decode(octets).into_owned(),
    };
    match text.contains('\0') {
        true => Err(Invalid::new(
            "This is not a text file. Save the list as CSV",
        )),
        false => Ok((text, charset)),
    }
}

fn utf16(octets: &[u8]) -> Result<String, Invalid> {
    let (octets, is_big_endian) = match octets {
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [0xff, 0xfe, rest @ ..] => (rest, false),
        rest => (rest, false),
    };
    let units = octets.chunks_exact(2);
    let odd = || Invalid::new("The file is not written in UTF-16");
    if !units.remainder().is_empty() {
        return Err(odd());
    }
    let units = units.filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let unit = |pair| match is_big_endian {
        true => u16::from_be_bytes(pair),
        false => u16::from_le_bytes(pair),
    };
    char::decode_utf16(units.map(unit))
        .collect::<Result<String, _>>()
        .map_err(|_| odd())
}

/// Where a row begins: the reader counts empty lines before it as part of it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let empty = rest
        .iter()
        .take_while(|octet| matches!(octet, b'\r' | b'\n'));
    let lines = empty.filter(|octet| **octet == b'\n').count();
    position.line() + u64::try_from(lines).unwrap_or(0)
}

/// The text without a first line that names the separator, as spreadsheets understand it, with how many lines that are; and what
/// separates the values: of the candidates the one that the first line has most.
fn separator(text: &str) -> (u64, &str, u8) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some([named]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (1, rest, *named);
    }
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut is_quoted = false;
    let line = text.trim_start().lines().next().unwrap_or_default();
    for octet in line.bytes() {
        is_quoted ^= octet == b'"';
        let place = SEPARATORS.iter().position(|known| *known == octet);
        if let Some(count) = place.and_then(|place| counts.get_mut(place))
            && !is_quoted
        {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut both = SEPARATORS.into_iter().zip(counts);
    let found = both.find(|(_, count)| *count == most);
    (0, text, found.map_or(b',', |(separator, _)| separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(octets: &[u8]) -> Vec<Vec<String>> {
        let table = read(octets, None, true).ok().unwrap();
        let columns = table.headings.len();
        let row = |row: &Row| (0..columns).map(|at| row.cell(at).to_owned()).collect();
        let mut all = vec![table.headings.clone()];
        all.extend(table.rows.iter().map(row));
        all
    }

    fn problem(octets: &[u8]) -> String {
        read(octets, None, true).err().unwrap().0
    }

    #[test]
    fn values_stand_between_whatever_the_program_writes() {
        let expected = vec![vec!["user", "name"], vec!["ali", "A, \"B\"\nC"]];
        for text in [
            "user,name\r\nali,\"A, \"\"B\"\"\nC\"\r\n",
            "user;name\nali;\"A, \"\"B\"\"\nC\"",
            "\n\nuser\tname\n\t\nali\t\"A, \"\"B\"\"\nC\"\n\n",
            "sep=|\r\nuser|name\nali|\"A, \"\"B\"\"\nC\"",
            "\u{feff}user,\"name\"\nali,\"A, \"\"B\"\"\nC\",,\n",
        ] {
            assert_eq!(cells(text.as_bytes()), expected, "{text:?}");
        }
        // A separator in quotes is none.
        let quoted = cells(b"\"a,b,c\";d\n1;2");
        assert_eq!(quoted, [["a,b,c", "d"], ["1", "2"]]);
    }

    #[test]
    fn letters_are_read_in_what_they_were_written() {
        let text = "user,name\nali,علي é";
        let le: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let be: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        let windows = b"user,name\nali,\xda\xe1\xed \xe9";
        for (octets, charset) in [
            (text.as_bytes(), Charset::Utf8),
            (&le, Charset::Utf16),
            (&be, Charset::Utf16),
            (windows.as_slice(), Charset::Windows1256),
        ] {
            let table = read(octets, None, true).ok().unwrap();
            assert_eq!(table.charset, charset);
            assert_eq!(table.rows[0].cell(1), "علي é", "{charset:?}");
        }
        let western = read(b"a\n\xe4\x81", Some(Charset::Windows1252), true);
        assert_eq!(western.ok().unwrap().rows[0].cell(0), "ä\u{81}");
        let chosen = read(windows, Some(Charset::Utf8), true).err().unwrap();
        assert_eq!(chosen.0, "Line 2 is not written in UTF-8");
        assert!(read(&le[..9], None, true).is_err());
    }

    #[test]
    fn what_is_no_list_is_refused_with_what_to_do() {
        assert_eq!(problem(b" \n,,\n"), "The file is empty");
        assert_eq!(
            problem(b"user,name\n , \n"),
            "The file has headings and nothing below them"
        );
        assert!(problem(b"PK\x03\x04rest").contains("save the sheet as CSV"));
        assert!(problem(b"user\na\0b").contains("not a text file"));
        let wide = vec!["x"; MOST_COLUMNS + 1].join(",");
        assert!(problem(format!("{wide}\n{wide}").as_bytes()).contains("columns"));
        let large = vec![b'a'; LARGEST + 1];
        assert!(problem(&large).contains("Larger than 8 MB"));
        assert!(problem(&large[..LARGEST]).contains("nothing below"));
        let full = format!("user\n{}", "a\n".repeat(MOST_ROWS));
        assert_eq!(cells(full.as_bytes()).len(), MOST_ROWS + 1);
        assert!(problem(format!("{full}a").as_bytes()).contains("More than 20000 rows"));
    }

    #[test]
    fn rows_know_their_line_and_whether_they_are_too_long() {
        let table = read(
            b"user,name\n\nali,\"a\nb\"\nomar\nsara,x,y\nnour,x, ,",
            None,
            true,
        );
        let rows = table.ok().unwrap().rows;
        let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 5, 6, 7]);
        let too_long: Vec<bool> = rows.iter().map(|row| row.is_too_long(2)).collect();
        assert_eq!(too_long, [false, false, true, false]);
        assert_eq!(rows[1].cell(1), "");
        let named = read(b"sep=;\nuser;name\nali;x", None, true);
        assert_eq!(named.ok().unwrap().rows[0].line, 3);
        let plain = read(b"ali,x\nomar,y", None, false).ok().unwrap();
        assert_eq!(
            (plain.headings, plain.rows.len()),
            (vec![String::new(); 2], 2)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_read_or_refused(
            octets in proptest::collection::vec(0_u8..=255, 0..400),
            lines in proptest::collection::vec("[a-c\",;\t\r\n\u{feff}ع]{0,12}", 0..20),
            charset in 0_usize..=4,
            has_headings: bool,
        ) {
            let charset = Charset::ALL.get(charset).copied();
            let _ = read(&octets, charset, has_headings);
            let text = lines.join("\n");
            if let Ok(table) = read(text.as_bytes(), None, has_headings) {
                let lines = u64::try_from(text.lines().count()).unwrap();
                for row in &table.rows {
                    proptest::prop_assert!((1..=lines).contains(&row.line), "{text:?}");
                    let _ = (row.cell(99), row.is_too_long(1));
                }
            }
        }
    }
}
