//! What surrounds a page: title, menu, theme, operator, notices. No page content, no handlers.

pub use crate::domain::theme::Theme;
use crate::web::parts::Tone;

/// The entry of the menu that is marked as the current page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nav {
    Dashboard,
    Subscribers,
    Online,
    Plans,
    Rules,
    Simulator,
    Nas,
    Addresses,
    Cdn,
    Sessions,
    AuthLog,
    Audit,
    Operators,
    Settings,
    System,
    /// A page that is not in the menu, such as search results.
    #[default]
    Elsewhere,
}

/// One link of the menu.
pub struct MenuItem {
    pub nav: Nav,
    pub href: &'static str,
    pub label: &'static str,
    pub icon: &'static str,
}

/// Links under one small heading; the heading of the first group is empty.
pub struct MenuGroup {
    pub heading: &'static str,
    pub items: &'static [MenuItem],
}

const MENU: [MenuGroup; 5] = [
    MenuGroup {
        heading: "",
        items: &[MenuItem {
            nav: Nav::Dashboard,
            href: "/",
            label: "Dashboard",
            icon: "gauge",
        }],
    },
    MenuGroup {
        heading: "Customers",
        items: &[
            MenuItem {
                nav: Nav::Subscribers,
                href: "/subscribers",
                label: "Subscribers",
                icon: "users",
            },
            MenuItem {
                nav: Nav::Online,
                href: "/online",
                label: "Online",
                icon: "activity",
            },
            MenuItem {
                nav: Nav::Plans,
                href: "/plans",
                label: "Plans",
                icon: "layers",
            },
            MenuItem {
                nav: Nav::Rules,
                href: "/rules",
                label: "Bandwidth rules",
                icon: "clock",
            },
            MenuItem {
                nav: Nav::Simulator,
                href: "/simulator",
                label: "Simulator",
                icon: "play",
            },
        ],
    },
    MenuGroup {
        heading: "Network",
        items: &[
            MenuItem {
                nav: Nav::Nas,
                href: "/nas",
                label: "NAS devices",
                icon: "router",
            },
            MenuItem {
                nav: Nav::Addresses,
                href: "/addresses",
                label: "Addresses",
                icon: "server",
            },
            MenuItem {
                nav: Nav::Cdn,
                href: "/cdn",
                label: "CDN",
                icon: "globe",
            },
        ],
    },
    MenuGroup {
        heading: "Records",
        items: &[
            MenuItem {
                nav: Nav::Sessions,
                href: "/sessions",
                label: "Session history",
                icon: "history",
            },
            MenuItem {
                nav: Nav::AuthLog,
                href: "/auth-log",
                label: "Authentication log",
                icon: "key-round",
            },
            MenuItem {
                nav: Nav::Audit,
                href: "/audit",
                label: "Audit log",
                icon: "scroll-text",
            },
        ],
    },
    MenuGroup {
        heading: "Machine",
        items: &[
            MenuItem {
                nav: Nav::Operators,
                href: "/operators",
                label: "Operators",
                icon: "shield-check",
            },
            MenuItem {
                nav: Nav::Settings,
                href: "/settings/general",
                label: "Settings",
                icon: "settings",
            },
            MenuItem {
                nav: Nav::System,
                href: "/system/health",
                label: "System",
                icon: "cpu",
            },
        ],
    },
];

/// The outcome of the previous form, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    pub tone: Tone,
    pub text: String,
}

impl Flash {
    pub fn good(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Good,
            text: text.into(),
        }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Bad,
            text: text.into(),
        }
    }
}

/// A lasting condition of the whole appliance, such as a full disk, above every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub tone: Tone,
    /// What is wrong, in a few words.
    pub title: String,
    /// What it means and what to do.
    pub text: String,
}

/// Frame of a page for a signed-in operator. No Debug: it holds the CSRF token.
#[derive(Clone, Default)]
pub struct Shell {
    pub title: String,
    pub nav: Nav,
    /// The operator's name, as shown in the corner.
    pub operator: String,
    pub theme: Theme,
    /// Whether this operator may change everything; else pages offer nothing that would be refused.
    pub may_change: bool,
    /// Whether this operator may do the daily work, such as on subscribers and plans.
    pub may_work: bool,
    /// Goes into the hidden `csrf` field of every form, which htmx sends too.
    pub csrf: String,
    /// Path and query of this page, to come back to after a change of theme.
    pub here: String,
    /// What the search box holds.
    pub search: String,
    pub flash: Option<Flash>,
    pub alerts: Vec<Alert>,
}

impl Shell {
    /// The groups of the menu, in order.
    pub fn menu(&self) -> &'static [MenuGroup] {
        &MENU
    }

    /// First letter of the operator's name, for the round badge in the corner.
    pub fn initial(&self) -> String {
        self.operator
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .collect()
    }
}

/// Frame of a page without a menu: sign-in, setup and errors. No Debug: it holds the CSRF token.
#[derive(Clone, Default)]
pub struct Bare {
    pub title: String,
    pub theme: Theme,
    pub csrf: String,
    pub flash: Option<Flash>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_menu_entry_is_listed_once() {
        let items: Vec<_> = MENU.iter().flat_map(|group| group.items).collect();
        for (i, item) in items.iter().enumerate() {
            assert!(
                items
                    .iter()
                    .skip(i + 1)
                    .all(|other| other.nav != item.nav && other.href != item.href)
            );
        }
        assert_eq!(items.len(), 15);
    }

    #[test]
    fn initial_is_upper_case_and_may_be_absent() {
        let named = |name: &str| {
            Shell {
                operator: name.into(),
                ..Shell::default()
            }
            .initial()
        };
        assert_eq!(named("rania"), "R");
        assert_eq!(named("علي"), "ع");
        assert_eq!(named(""), "");
    }
}
