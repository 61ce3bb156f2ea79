//! The menus the stand-in knows: what can be done in each, and which columns can be written (mikrotik.md b4, b5, c).

/// How the table engine treats one menu.
#[derive(Debug)]
pub struct Menu {
    pub path: &'static str,
    /// Settings have one row without an id.
    pub settings: bool,
    /// Beside print, getall and listen.
    pub verbs: &'static [&'static str],
    /// Columns that `add` and `set` take.
    pub columns: &'static [&'static str],
    /// Columns without which `add` fails.
    pub required: &'static [&'static str],
    /// Columns that no two rows share, taken together.
    pub unique: &'static [&'static str],
    /// The first version that has it.
    pub since: (u32, u32),
}

const TABLE: &[&str] = &["add", "set", "unset", "remove", "enable", "disable"];
const ORDERED: &[&str] = &["add", "set", "unset", "remove", "enable", "disable", "move"];

const NO_MENU: Menu = Menu {
    path: "",
    settings: false,
    verbs: &[],
    columns: &[],
    required: &[],
    unique: &[],
    since: (6, 0),
};

/// A table that people fill.
const fn table(
    path: &'static str,
    columns: &'static [&'static str],
    required: &'static [&'static str],
    unique: &'static [&'static str],
) -> Menu {
    Menu {
        path,
        verbs: TABLE,
        columns,
        required,
        unique,
        ..NO_MENU
    }
}

/// A table whose order counts.
const fn ordered(
    path: &'static str,
    columns: &'static [&'static str],
    required: &'static [&'static str],
    unique: &'static [&'static str],
) -> Menu {
    Menu {
        verbs: ORDERED,
        ..table(path, columns, required, unique)
    }
}

/// A table that the router fills itself.
const fn shown(path: &'static str, verbs: &'static [&'static str]) -> Menu {
    Menu {
        path,
        verbs,
        ..NO_MENU
    }
}

const fn settings(path: &'static str, columns: &'static [&'static str]) -> Menu {
    Menu {
        path,
        settings: true,
        verbs: &["set"],
        columns,
        ..NO_MENU
    }
}

const RULE: &[&str] = &[
    "chain",
    "action",
    "comment",
    "disabled",
    "protocol",
    "src-address",
    "dst-address",
    "src-port",
    "dst-port",
    "src-address-list",
    "dst-address-list",
    "in-interface",
    "out-interface",
    "in-interface-list",
    "out-interface-list",
    "connection-state",
    "connection-mark",
    "packet-mark",
    "jump-target",
    "reject-with",
    "to-addresses",
    "to-ports",
    "address-list",
    "address-list-timeout",
    "new-connection-mark",
    "new-packet-mark",
    "passthrough",
    "hw-offload",
    "log",
    "log-prefix",
];

const ADDRESS_LIST: &[&str] = &[
    "list", "address", "timeout", "dynamic", "disabled", "comment",
];

pub const MENUS: &[Menu] = &[
    shown("/ppp/active", &["remove"]),
    table(
        "/ppp/secret",
        &[
            "name",
            "password",
            "service",
            "profile",
            "caller-id",
            "local-address",
            "remote-address",
            "routes",
            "ipv6-routes",
            "remote-ipv6-prefix",
            "limit-bytes-in",
            "limit-bytes-out",
            "disabled",
            "comment",
        ],
        &["name"],
        &["name", "service"],
    ),
    table(
        "/ppp/profile",
        &[
            "name",
            "local-address",
            "remote-address",
            "dns-server",
            "rate-limit",
            "address-list",
            "only-one",
            "change-tcp-mss",
            "use-encryption",
            "use-compression",
            "use-ipv6",
            "remote-ipv6-prefix-pool",
            "dhcpv6-pd-pool",
            "session-timeout",
            "idle-timeout",
            "insert-queue-before",
            "parent-queue",
            "queue-type",
            "comment",
        ],
        &["name"],
        &["name"],
    ),
    settings(
        "/ppp/aaa",
        &[
            "use-radius",
            "accounting",
            "interim-update",
            "use-circuit-id-in-nas-port-id",
        ],
    ),
    Menu {
        columns: &["name", "disabled", "comment", "mtu"],
        ..shown("/interface", &["set", "unset", "enable", "disable"])
    },
    shown("/interface/pppoe-server", &[]),
    table(
        "/interface/pppoe-server/server",
        &[
            "service-name",
            "interface",
            "default-profile",
            "authentication",
            "keepalive-timeout",
            "one-session-per-host",
            "max-sessions",
            "max-mtu",
            "max-mru",
            "disabled",
            "comment",
        ],
        &["interface"],
        &["service-name", "interface"],
    ),
    ordered(
        "/queue/simple",
        &[
            "name",
            "target",
            "dst",
            "parent",
            "packet-marks",
            "queue",
            "priority",
            "max-limit",
            "limit-at",
            "burst-limit",
            "burst-threshold",
            "burst-time",
            "total-max-limit",
            "time",
            "disabled",
            "comment",
        ],
        &["target"],
        &["name"],
    ),
    table(
        "/queue/tree",
        &[
            "name",
            "parent",
            "packet-mark",
            "queue",
            "priority",
            "max-limit",
            "limit-at",
            "burst-limit",
            "burst-threshold",
            "burst-time",
            "disabled",
            "comment",
        ],
        &["parent"],
        &["name"],
    ),
    table(
        "/queue/type",
        &[
            "name",
            "kind",
            "pcq-rate",
            "pcq-limit",
            "pcq-total-limit",
            "pcq-classifier",
            "pcq-src-address6-mask",
            "pcq-dst-address6-mask",
            "pfifo-limit",
            "sfq-perturb",
            "comment",
        ],
        &["name", "kind"],
        &["name"],
    ),
    table(
        "/ip/firewall/address-list",
        ADDRESS_LIST,
        &["list", "address"],
        &["list", "address"],
    ),
    table(
        "/ipv6/firewall/address-list",
        ADDRESS_LIST,
        &["list", "address"],
        &["list", "address"],
    ),
    ordered("/ip/firewall/filter", RULE, &["chain"], &[]),
    ordered("/ip/firewall/nat", RULE, &["chain"], &[]),
    ordered("/ip/firewall/mangle", RULE, &["chain"], &[]),
    ordered("/ipv6/firewall/filter", RULE, &["chain"], &[]),
    ordered("/ipv6/firewall/mangle", RULE, &["chain"], &[]),
    shown("/ip/firewall/connection", &["remove"]),
    table(
        "/ip/pool",
        &["name", "ranges", "next-pool", "comment"],
        &["name", "ranges"],
        &["name"],
    ),
    shown("/ip/pool/used", &[]),
    table(
        "/ipv6/pool",
        &["name", "prefix", "prefix-length"],
        &["name", "prefix", "prefix-length"],
        &["name"],
    ),
    shown("/ipv6/pool/used", &[]),
    shown("/ipv6/dhcp-server/binding", &["remove"]),
    table(
        "/ip/route",
        &[
            "dst-address",
            "gateway",
            "distance",
            "routing-table",
            "disabled",
            "comment",
        ],
        &[],
        &[],
    ),
    table(
        "/ip/address",
        &["address", "interface", "network", "disabled", "comment"],
        &["address", "interface"],
        &["address", "interface"],
    ),
    settings(
        "/ip/dns",
        &[
            "servers",
            "allow-remote-requests",
            "cache-size",
            "max-udp-packet-size",
        ],
    ),
    Menu {
        columns: &[
            "port",
            "address",
            "certificate",
            "tls-version",
            "max-sessions",
            "disabled",
        ],
        ..shown("/ip/service", &["set", "unset", "enable", "disable"])
    },
    shown("/ip/hotspot/active", &["remove"]),
    shown("/ip/hotspot/cookie", &["remove"]),
    table(
        "/radius",
        &[
            "service",
            "address",
            "secret",
            "authentication-port",
            "accounting-port",
            "timeout",
            "src-address",
            "accounting-backup",
            "called-id",
            "domain",
            "realm",
            "protocol",
            "certificate",
            "require-message-auth",
            "disabled",
            "comment",
        ],
        &["address"],
        &[],
    ),
    settings("/radius/incoming", &["accept", "port", "vrf"]),
    Menu {
        settings: true,
        ..shown("/system/resource", &[])
    },
    settings("/system/identity", &["name"]),
    settings("/system/clock", &["time-zone-name", "date", "time"]),
    table(
        "/certificate",
        &["name", "common-name", "key-size", "days-valid", "key-usage"],
        &["name"],
        &["name"],
    ),
];

/// Columns that came in a later version.
const LATER: &[(&str, &str, (u32, u32))] = &[
    ("/radius", "require-message-auth", (7, 15)),
    ("/radius", "protocol", (7, 0)),
    ("/radius", "certificate", (7, 0)),
    ("/ip/service", "max-sessions", (7, 16)),
    ("/radius/incoming", "vrf", (7, 0)),
];

impl Menu {
    pub fn find(path: &str, version: (u32, u32)) -> Option<&'static Menu> {
        MENUS
            .iter()
            .find(|menu| menu.path == path && menu.since <= version)
    }

    pub fn takes(&self, column: &str, version: (u32, u32)) -> bool {
        let later = LATER
            .iter()
            .find(|(path, name, _)| *path == self.path && *name == column);
        self.columns.contains(&column) && later.is_none_or(|(_, _, since)| *since <= version)
    }
}
