pub fn is_segment_name(name: &str) -> bool {
    name.starts_with("accounting-")
}
