//! Reads templates as far as the Content-Security-Policy needs it: no inline script, no inline style.

/// Each violation with its line. Template expressions are removed first, so that a `>` in one ends no tag.
pub fn violations(text: &str) -> Vec<(usize, String)> {
    let text: Vec<char> = without_expressions(text).chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let opens = text[at] == '<' && text.get(at + 1).is_some_and(char::is_ascii_alphabetic);
        if !opens {
            at += 1;
            continue;
        }
        let line = 1 + text.iter().take(at).filter(|c| **c == '\n').count();
        let (name, attributes, end) = tag(&text, at + 1);
        found.extend(
            judge(&name, &attributes)
                .into_iter()
                .map(|message| (line, message)),
        );
        at = end;
    }
    found
}

fn judge(name: &str, attributes: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    if name == "script" && !attributes.iter().any(|(key, _)| key == "src") {
        found.push("a script without src: the policy allows files only".to_owned());
    }
    if name == "style" {
        found.push("a style element: the policy allows files only".to_owned());
    }
    for (key, value) in attributes {
        if key == "style" {
            found.push("a style attribute: use a class".to_owned());
        } else if key.starts_with("on") || key.starts_with("hx-on") || key.starts_with("data-hx-on")
        {
            found.push(format!(
                "an {key} attribute: put the handler into static/app.js"
            ));
        } else if value
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("javascript:")
        {
            found.push(format!("a javascript: address in {key}"));
        }
    }
    found
}

/// Reads a tag from its name on: the name, the attributes in lower case, and where it ends.
fn tag(text: &[char], mut at: usize) -> (String, Vec<(String, String)>, usize) {
    let name = take_while(text, &mut at, |c| {
        c.is_alphanumeric() || c == '-' || c == ':'
    })
    .to_ascii_lowercase();
    let mut attributes = Vec::new();
    while at < text.len() && text[at] != '>' {
        let key = take_while(text, &mut at, |c| {
            !c.is_whitespace() && !matches!(c, '=' | '>' | '/' | '"' | '\'')
        })
        .to_ascii_lowercase();
        if key.is_empty() {
            at += 1;
            continue;
        }
        let mut ahead = at;
        take_while(text, &mut ahead, char::is_whitespace);
        let mut value = String::new();
        if text.get(ahead) == Some(&'=') {
            at = ahead + 1;
            take_while(text, &mut at, char::is_whitespace);
            match text.get(at).copied() {
                Some(quote @ ('"' | '\'')) => {
                    at += 1;
                    value = take_while(text, &mut at, |c| c != quote);
                    at += 1;
                }
                _ => value = take_while(text, &mut at, |c| !c.is_whitespace() && c != '>'),
            }
        }
        attributes.push((key, value));
    }
    (name, attributes, at)
}

fn take_while(text: &[char], at: &mut usize, wanted: impl Fn(char) -> bool) -> String {
    let start = *at;
    while text.get(*at).is_some_and(|c| wanted(*c)) {
        *at += 1;
    }
    text[start..*at].iter().collect()
}

/// Replaces `{{ … }}`, `{% … %}`, `{# … #}` and HTML comments by nothing but their line ends.
fn without_expressions(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    let marks = [("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<!--", "-->")];
    while let Some((at, open, close)) = marks
        .iter()
        .filter_map(|(open, close)| Some((rest.find(open)?, open, close)))
        .min()
    {
        let inner = &rest[at + open.len()..];
        let length = inner
            .find(close)
            .map_or(inner.len(), |length| length + close.len());
        out.push_str(&rest[..at]);
        // A tag around an expression must not close up: `<p {% if x %}class…` keeps its space.
        out.push(' ');
        out.extend(inner[..length].chars().filter(|c| *c == '\n'));
        rest = &inner[length..];
    }
    out + rest
}

#[test]
fn inline_script_and_style_are_found_with_their_line() {
    let cases = [
        ("<p>\n<script>alert(1)</script>", 2, "a script without src"),
        (
            "<script src=\"/a.js\"></script><SCRIPT type=module>",
            1,
            "a script without src",
        ),
        ("<style>p {}</style>", 1, "a style element"),
        (
            "<p class=\"a\"\n style=\"color:red\">",
            1,
            "a style attribute",
        ),
        ("<p STYLE=color:red>", 1, "a style attribute"),
        (
            "<p {% if a > b %}class=\"x\"{% endif %} style=\"{{ s }}\">",
            1,
            "a style attribute",
        ),
        (
            "{# two\nlines #}<button onclick='go()'>",
            2,
            "an onclick attribute",
        ),
        ("<svg onload=go()>", 1, "an onload attribute"),
        (
            "<div hx-on::after-request=\"go()\">",
            1,
            "an hx-on::after-request attribute",
        ),
        (
            "<a href=\" JavaScript:go()\">",
            1,
            "a javascript: address in href",
        ),
        ("{% if a < b %}<i style=x>", 1, "a style attribute"),
    ];
    for (text, line, expected) in cases {
        let found = violations(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, line, "{text}");
        assert!(found[0].1.starts_with(expected), "{text}: {found:?}");
    }
}

#[test]
fn ordinary_markup_is_allowed() {
    let cases = [
        "<script src=\"{{ asset(\"app.js\") }}\" defer></script>",
        "<p class=\"on style\" data-on=\"x\" title=\"style=1 onclick=2\">onclick= style=</p>",
        "{# <script>alert(1)</script> #}<!-- <p style=x> -->",
        "{% if count < limit %}<b>few</b>{% endif %}",
        "<input value=\"{{ value }}\" {% if wrong %}aria-invalid=\"true\"{% endif %}>",
        "<link rel=\"stylesheet\" href=\"/a.css\"><path d=\"M0 0\"/>",
    ];
    for text in cases {
        assert_eq!(violations(text), Vec::new(), "{text}");
    }
}
