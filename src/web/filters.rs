//! Filters that templates use: the address of a static file and an icon of the sprite.
//!
//! Each file with page structs says `use crate::web::filters;`, since askama looks there.

use askama::filters::Safe;

use super::assets;

/// `{{ "app.css"|asset }}`: the address of a static file with its content hash.
#[askama::filter_fn]
pub fn asset(name: &str, _: &dyn askama::Values) -> askama::Result<&'static str> {
    Ok(assets::asset(name))
}

/// `{{ "users"|icon }}`: one symbol of `static/icons.svg`, hidden from screen readers because the
/// text beside it says the same.
#[askama::filter_fn]
pub fn icon(name: &str, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
    let sprite = assets::asset("icons.svg");
    Ok(Safe(format!(
        r##"<svg class="icon" aria-hidden="true" focusable="false"><use href="{sprite}#{name}"></use></svg>"##
    )))
}
