//! Colours of `app.css` against WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for edges of inputs.

/// Light and dark value of a token such as `--muted: light-dark(#596273, #98a2b3);`.
fn token(name: &str) -> [[u8; 3]; 2] {
    let css = include_str!("../../../static/app.css");
    let start = format!("    --{name}: ");
    let value = css
        .split(start.as_str())
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .unwrap_or_else(|| panic!("no --{name}"));
    let colours: Vec<_> = value
        .split('#')
        .skip(1)
        .map(|hex| colour(&hex[..6]))
        .collect();
    [colours[0], *colours.last().unwrap()]
}

fn colour(hex: &str) -> [u8; 3] {
    [0, 2, 4].map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
}

/// Relative luminance, WCAG 2.2 definitions.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_can_be_read_in_both_themes() {
    let mut pairs = vec![
        ("on-accent", "accent-fill", 4.5),
        ("on-accent", "accent-fill-hover", 4.5),
        ("on-accent", "bad-fill", 4.5),
        ("accent", "accent-soft", 4.5),
        ("line-strong", "surface", 3.0),
        ("download", "surface", 3.0),
    ];
    for ground in ["page", "surface", "raised", "sunken", "hover"] {
        pairs.extend(["text", "muted", "accent"].map(|text| (text, ground, 4.5)));
    }
    for tone in ["good", "warn", "bad", "info", "quiet"] {
        pairs.extend(["surface", "hover"].map(|ground| (tone, ground, 4.5)));
    }
    for (tone, soft) in [
        ("good", "good-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("info", "info-soft"),
        ("quiet", "quiet-soft"),
    ] {
        pairs.extend([(tone, soft, 4.5), ("text", soft, 4.5)]);
    }
    for (text, ground, least) in pairs {
        for theme in 0..2 {
            let found = contrast(token(text)[theme], token(ground)[theme]);
            assert!(
                found >= least,
                "{text} on {ground}, theme {theme}: {found:.2}"
            );
        }
    }
}

#[test]
fn contrast_of_known_pairs() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
}
