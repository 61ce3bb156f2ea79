//! Settings, Appearance: the colours of browsers that chose none.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::theme::Theme;
use crate::operations::settings as verbs;
use crate::web::error::Reply;
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::parts::Select;
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};

use super::saved;

const PATH: &str = "/settings/appearance";

/// `GET /settings/appearance`.
#[derive(Template)]
#[template(path = "pages/settings/appearance.html")]
pub struct AppearancePage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub theme: Select,
}

pub async fn show(signed: Signed) -> Reply {
    let theme = signed.app().settings().theme;
    let choices = [
        (Theme::Auto.as_str(), "As the device is set"),
        (Theme::Light.as_str(), "Light"),
        (Theme::Dark.as_str(), "Dark"),
    ];
    let page = AppearancePage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        theme: Select::new(choices, theme.as_str()),
    };
    Ok(Page::ok(page).into_response())
}

pub async fn save(Change { signed, form }: Change) -> Reply {
    let theme = Theme::parse(form.text("theme"));
    verbs::set_appearance(signed.app(), &signed.actor(), theme).await?;
    Ok(saved(&signed, PATH))
}
