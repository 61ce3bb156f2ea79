//! Pages that stand side by side under one entry of the menu: each has its own address, a row of links leads to the
//! others. The order here is the order on the page.

/// One page of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tab {
    pub href: &'static str,
    pub label: &'static str,
}

const fn tab(href: &'static str, label: &'static str) -> Tab {
    Tab { href, label }
}

/// What the installation is set to.
const SETTINGS: &[Tab] = &[
    tab("/settings/general", "General"),
    tab("/settings/radius", "RADIUS"),
    tab("/settings/security", "Security"),
    tab("/settings/certificate", "Certificate"),
    tab("/settings/backups", "Backups"),
    tab("/settings/licence", "Licence"),
    tab("/settings/updates", "Updates"),
    tab("/settings/support", "Support"),
    tab("/settings/appearance", "Appearance"),
];

/// The machine room.
const SYSTEM: &[Tab] = &[
    tab("/system/health", "Health"),
    tab("/system/jobs", "Jobs"),
    tab("/system/logs", "Logs"),
];

/// The tabs of a page, one of which is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tabs {
    /// What the group is about, for screen readers.
    pub label: &'static str,
    pub list: &'static [Tab],
    /// Address of the page that shows them.
    pub here: &'static str,
}

impl Tabs {
    /// What the browser calls the page: its own name, then that of the group.
    pub fn title(&self) -> String {
        let own = self.list.iter().find(|tab| tab.href == self.here);
        match own {
            Some(own) => format!("{} · {}", own.label, self.label),
            None => self.label.to_owned(),
        }
    }
}

pub fn settings(here: &'static str) -> Tabs {
    Tabs {
        label: "Settings",
        list: SETTINGS,
        here,
    }
}

pub fn system(here: &'static str) -> Tabs {
    Tabs {
        label: "System",
        list: SYSTEM,
        here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_called_by_its_tab_and_its_group() {
        assert_eq!(settings("/settings/radius").title(), "RADIUS · Settings");
        assert_eq!(system("/system/jobs").title(), "Jobs · System");
        assert_eq!(settings("/settings/none").title(), "Settings");
    }
}
