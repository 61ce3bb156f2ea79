//! Hardware addresses as NAS spell them in Calling-Station-Id and Called-Station-Id (RFC 3580 s3.21; radius.md s9).

/// One spelling for all: upper case with colons, `AA:BB:CC:DD:EE:FF`.
/// `None` when the whole text is not a hardware address; L2TP sends an IP address, which may have twelve digits too.
pub fn normalise_mac(text: &str) -> Option<String> {
    let octets = parse_mac(text)?;
    Some(octets.map(|octet| format!("{octet:02X}")).join(":"))
}

/// The six octets. Accepts six groups of one or two digits with `:` or `-`, or of two with blanks; seven groups whose
/// first is the hardware type 1 (a DHCP client id); three groups of four with `.`, `:` or `-`; two of six with `:` or
/// `-`; twelve digits.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    // The longest spelling is "01:" and seventeen characters; longer texts are not looked at.
    if text.len() > 20 {
        return None;
    }
    let separator = text
        .chars()
        .find(|character| !character.is_ascii_hexdigit());
    let groups: Vec<&str> = match separator {
        None => vec![text],
        Some(separator @ (':' | '-' | '.' | ' ')) => text.split(separator).collect(),
        Some(_) => return None,
    };
    let groups = match groups.as_slice() {
        ["1" | "01", rest @ ..] if rest.len() == 6 && matches!(separator, Some(':' | '-')) => rest,
        groups => groups,
    };
    let digits = match (groups.len(), separator) {
        (1, None) => 12,
        (2, Some(':' | '-')) => 6,
        (3, Some('.' | ':' | '-')) => 4,
        (6, Some(':' | '-' | ' ')) => 2,
        _ => return None,
    };
    let short_allowed = digits == 2 && separator != Some(' ');
    let mut octets = [0; 6];
    let mut places = octets.iter_mut();
    for group in groups {
        let is_right_size = group.len() == digits || (short_allowed && group.len() == 1);
        if !is_right_size || !group.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return None;
        }
        let value = u64::from_str_radix(group, 16).ok()?.to_be_bytes();
        for octet in value.iter().skip(8 - digits / 2) {
            *places.next()? = *octet;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spellings of radius.md are in the vectors; these are the near misses.
    #[test]
    fn near_misses_are_not_addresses() {
        for text in [
            "AA:BB:CC:DD:EE-01",
            "A BB CC DD EE 01",
            "AA.BB.CC.DD.EE.01",
            "AABBCC.DDEE01",
            "02:00:E1:0C:38:C8:F8",
            "AABBCCDDEE0",
            "AABBCCDDEE011",
            "AA:BB:CC:DD:EE:",
            "AA:BB:CC:DD:EE:001",
            "+A:BB:CC:DD:EE:01",
            "AABB.CCDD.EE01 ",
            "\u{e4}:BB:CC:DD:EE:01",
        ] {
            assert_eq!(normalise_mac(text), None, "{text}");
        }
        assert_eq!(
            normalise_mac("01-02-03-04-05-06-07").as_deref(),
            Some("02:03:04:05:06:07")
        );
    }
}
