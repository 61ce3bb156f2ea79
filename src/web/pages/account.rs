//! The operator's own things: signed-in browsers and the password.

use askama::Template;

use crate::web::filters;
use crate::web::parts::Field;
use crate::web::shell::Shell;

/// `GET /account/logins`.
#[derive(Template)]
#[template(path = "pages/account/logins.html")]
pub struct LoginsPage {
    pub shell: Shell,
    pub rows: Vec<LoginRow>,
}

#[derive(Clone, Default)]
pub struct LoginRow {
    /// Browser and system, as far as the user agent says.
    pub browser: String,
    pub address: String,
    pub since: String,
    pub last_used: String,
    pub is_this: bool,
    /// `POST` here signs that browser out.
    pub revoke: String,
}

/// `GET /account/password`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/account/password.html")]
pub struct PasswordPage {
    pub shell: Shell,
    pub present: Field,
    pub password: Field,
    pub password_again: Field,
}
