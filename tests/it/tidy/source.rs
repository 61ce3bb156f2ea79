//! Reads Rust source as far as the rules need it: code without comments, string literals, and paths into the crate.

/// One file, taken apart.
pub struct Source {
    /// The code with comments and literals replaced by spaces. Line ends stay, so positions still give lines.
    code: Vec<char>,
    /// The contents of string literals, each with the line it begins on.
    pub strings: Vec<(usize, String)>,
}

/// The module path of a file: `src/web/pages/plans.rs` is `[web, pages, plans]`, `src/lib.rs` is empty.
pub fn modules(path: &str) -> Vec<String> {
    let inside = path
        .strip_prefix("src/")
        .unwrap_or(path)
        .trim_end_matches(".rs");
    let mut modules: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if matches!(modules.last().map(String::as_str), Some("mod" | "lib")) {
        modules.pop();
    }
    modules
}

impl Source {
    pub fn read(text: &str) -> Self {
        let mut reader = Reader {
            text: text.chars().collect(),
            at: 0,
            code: Vec::new(),
            strings: Vec::new(),
        };
        while reader.at < reader.text.len() {
            reader.step();
        }
        Self {
            code: reader.code,
            strings: reader.strings,
        }
    }

    /// The lines on which a word stands in the code. A word may contain `::`, `.` and `()`; spaces and line ends
    /// between its parts do not hide it. It counts as a word when no other letter touches it.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let wanted: Vec<char> = word.chars().collect();
        let mut lines = Vec::new();
        for start in 0..self.code.len() {
            if start > 0 && is_word(self.code[start - 1]) || self.code[start] != wanted[0] {
                continue;
            }
            let mut at = start;
            let mut matched = 0;
            while matched < wanted.len() && at < self.code.len() {
                if self.code[at] == wanted[matched] {
                    matched += 1;
                } else if !self.code[at].is_whitespace()
                    || matched > 0 && is_word(wanted[matched]) && is_word(wanted[matched - 1])
                {
                    break;
                }
                at += 1;
            }
            if matched == wanted.len() && !self.code.get(at).is_some_and(|next| is_word(*next)) {
                lines.push(self.line(start));
            }
        }
        lines
    }

    /// Every path that leads from the crate's root, without `crate::`: `use crate::store::{View, codec}` gives
    /// `store::View` and `store::codec`. Paths that climb to the root with `super::` count too, and so does the
    /// library's own name in `main.rs`. `modules` is the module path of this file.
    pub fn paths(&self, modules: &[String]) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.code.len() {
            let start = at;
            let Some(word) = self.word(&mut at) else {
                at += 1;
                continue;
            };
            let from_root = word == "crate" && !(start > 0 && self.code[start - 1] == '$')
                || word == "proxpanel" && modules == ["main"];
            let mut paths = Vec::new();
            if from_root {
                if self.separator(&mut at) {
                    self.tree(&mut at, "", &mut paths);
                } else if self.next_word(at) == "as" {
                    paths.push("`crate` by itself".to_owned());
                }
            } else if word == "super" {
                let mut levels = 1;
                while self.separator(&mut at) {
                    let before = at;
                    if self.word(&mut at).as_deref() != Some("super") {
                        at = before;
                        break;
                    }
                    levels += 1;
                }
                // One level may lead out of an inline module such as `tests`, which only a name can tell.
                if levels >= modules.len() {
                    self.tree(&mut at, "", &mut paths);
                    paths.retain(|path| {
                        levels > modules.len()
                            || super::ARROWS
                                .iter()
                                .any(|(room, _)| path.split("::").next() == Some(room))
                    });
                }
            }
            let line = self.line(start);
            found.extend(paths.into_iter().map(|path| (line, path)));
        }
        found
    }

    /// Reads a path with its groups: `a::{b, c::d}` gives `a::b` and `a::c::d`; `a::{self}` gives `a`.
    fn tree(&self, at: &mut usize, prefix: &str, paths: &mut Vec<String>) {
        let join = |name: &str| {
            if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}::{name}")
            }
        };
        self.skip_spaces(at);
        match self.code.get(*at) {
            Some('{') => {
                *at += 1;
                loop {
                    self.tree(at, prefix, paths);
                    self.skip_spaces(at);
                    // An alias, `as name`, changes nothing.
                    while self
                        .code
                        .get(*at)
                        .is_some_and(|c| is_word(*c) || c.is_whitespace())
                    {
                        *at += 1;
                    }
                    match self.code.get(*at) {
                        Some(',') => *at += 1,
                        Some('}') => {
                            *at += 1;
                            return;
                        }
                        _ => return,
                    }
                }
            }
            Some('*') => {
                *at += 1;
                paths.push(join("*"));
            }
            _ => {
                let Some(name) = self.word(at) else { return };
                if name == "self" {
                    paths.push(prefix.to_owned());
                    return;
                }
                let path = join(&name);
                let mut ahead = *at;
                // `Type::<T>::new` and `a::b` look alike up to the separator; only a name, a group or a star follows a path.
                if self.separator(&mut ahead) {
                    self.skip_spaces(&mut ahead);
                    if self
                        .code
                        .get(ahead)
                        .is_some_and(|c| is_word(*c) || matches!(c, '{' | '*'))
                    {
                        *at = ahead;
                        self.tree(at, &path, paths);
                        return;
                    }
                }
                paths.push(path);
            }
        }
    }

    fn word(&self, at: &mut usize) -> Option<String> {
        let start = *at;
        while self.code.get(*at).is_some_and(|c| is_word(*c)) {
            *at += 1;
        }
        (*at > start).then(|| self.code[start..*at].iter().collect())
    }

    fn next_word(&self, mut at: usize) -> String {
        self.skip_spaces(&mut at);
        self.word(&mut at).unwrap_or_default()
    }

    fn separator(&self, at: &mut usize) -> bool {
        let mut ahead = *at;
        self.skip_spaces(&mut ahead);
        let found = self.code.get(ahead) == Some(&':') && self.code.get(ahead + 1) == Some(&':');
        if found {
            ahead += 2;
            self.skip_spaces(&mut ahead);
            *at = ahead;
        }
        found
    }

    fn skip_spaces(&self, at: &mut usize) {
        while self.code.get(*at).is_some_and(|c| c.is_whitespace()) {
            *at += 1;
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.code.iter().take(at).filter(|c| **c == '\n').count()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Reader {
    text: Vec<char>,
    at: usize,
    code: Vec<char>,
    strings: Vec<(usize, String)>,
}

impl Reader {
    fn starts_with(&self, wanted: &str) -> bool {
        wanted
            .chars()
            .enumerate()
            .all(|(offset, c)| self.text.get(self.at + offset) == Some(&c))
    }

    /// Passes over `count` characters that are not code, and returns them.
    fn blank(&mut self, count: usize) -> String {
        let end = self.text.len().min(self.at + count);
        let passed: String = self.text[self.at..end].iter().collect();
        self.code
            .extend(passed.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.at = end;
        passed
    }

    /// The number of characters up to and with the end that `is_end` recognises at an offset.
    fn length_until(&self, is_end: impl Fn(usize) -> Option<usize>) -> usize {
        (0..self.text.len() - self.at)
            .find_map(|offset| is_end(self.at + offset).map(|length| offset + length))
            .unwrap_or(self.text.len() - self.at)
    }

    fn step(&mut self) {
        let previous_is_word = self.at > 0 && is_word(self.text[self.at - 1]);
        if self.starts_with("//") {
            let length = self.length_until(|at| (self.text[at] == '\n').then_some(0));
            self.blank(length);
        } else if self.starts_with("/*") {
            self.block_comment();
        } else if let Some(hashes) = self.raw_string().filter(|_| !previous_is_word) {
            self.raw(hashes);
        } else if self.text[self.at] == '"' {
            self.string();
        } else if self.text[self.at] == '\'' {
            self.character_or_lifetime();
        } else {
            self.code.push(self.text[self.at]);
            self.at += 1;
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.text.len() {
            if self.starts_with("/*") {
                depth += 1;
                self.blank(2);
            } else if self.starts_with("*/") {
                depth -= 1;
                self.blank(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.blank(1);
            }
        }
    }

    /// The number of `#` when a raw string such as `r"` or `br##"` begins here.
    fn raw_string(&self) -> Option<usize> {
        let mut at = self.at;
        at += usize::from(matches!(self.text.get(at), Some('b' | 'c')));
        (self.text.get(at) == Some(&'r')).then_some(())?;
        let hashes = self
            .text
            .iter()
            .skip(at + 1)
            .take_while(|c| **c == '#')
            .count();
        (self.text.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
    }

    fn raw(&mut self, hashes: usize) {
        let line = 1 + self.code.iter().filter(|c| **c == '\n').count();
        let opening = self.length_until(|at| (self.text[at] == '"').then_some(1));
        self.blank(opening);
        let closing = |at: usize| {
            let closed =
                self.text[at] == '"' && (1..=hashes).all(|n| self.text.get(at + n) == Some(&'#'));
            closed.then_some(1 + hashes)
        };
        let length = self.length_until(closing);
        let content = self.blank(length);
        self.strings.push((line, content));
    }

    fn string(&mut self) {
        let line = 1 + self.code.iter().filter(|c| **c == '\n').count();
        let mut content = self.blank(1);
        while self.at < self.text.len() {
            let escaped = self.text[self.at] == '\\';
            let ends = self.text[self.at] == '"';
            content += &self.blank(if escaped { 2 } else { 1 });
            if ends {
                break;
            }
        }
        self.strings.push((line, content));
    }

    /// `'a'` and `'\n'` are characters; `'a` without a second quote is a lifetime, and stays in the code.
    fn character_or_lifetime(&mut self) {
        if self.text.get(self.at + 1) == Some(&'\\') {
            self.blank(3);
            let length = self.length_until(|at| (self.text[at] == '\'').then_some(1));
            self.blank(length);
        } else if self.text.get(self.at + 2) == Some(&'\'') {
            self.blank(3);
        } else {
            self.code.push('\'');
            self.at += 1;
        }
    }
}
