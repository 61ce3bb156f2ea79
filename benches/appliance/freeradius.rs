//! FreeRADIUS for comparison, where the distribution's package is installed: the same subscribers, secret and methods, once
//! with users in memory and once in SQLite, which also takes the accounting.
//!
//! The configuration holds only what these requests need; schema and queries are the package's own.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use proxpanel::operations::demo;

use crate::fault::Fault;
use crate::process::Process;

const PROGRAM: &str = "/usr/sbin/freeradius";
/// Where Debian and Ubuntu keep schema and queries.
const SQLITE: &str = "/etc/freeradius/3.0/mods-config/sql/main/sqlite";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    Memory,
    Sqlite,
}

pub struct FreeRadius {
    pub process: Process,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
}

/// The version line, or `None` where it is not installed.
pub fn version() -> Option<String> {
    let output = Command::new(PROGRAM).arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find(|line| line.contains("Version"))
        .map(str::to_owned)
}

impl FreeRadius {
    /// Writes a configuration into `folder` and starts it. The caller asks until it is answered.
    pub fn start(folder: &Path, users: Users, subscribers: u32) -> Result<FreeRadius, Fault> {
        fs::create_dir_all(folder)?;
        let (auth, acct) = (free_address()?, free_address()?);
        fs::write(
            folder.join("dictionary"),
            "$INCLUDE /usr/share/freeradius/dictionary\n",
        )?;
        let (users_module, accounting) = match users {
            Users::Memory => ("files", "ok"),
            Users::Sqlite => ("sql", "sql"),
        };
        let module = match users {
            Users::Memory => {
                fs::write(folder.join("users"), users_file(subscribers))?;
                format!("files {{ usersfile = {}/users }}", folder.display())
            }
            Users::Sqlite => {
                fs::write(folder.join("bootstrap.sql"), sql(subscribers)?)?;
                sql_module(folder)
            }
        };
        let configuration = CONFIGURATION
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@SECRET@", demo::SECRET)
            .replace("@AUTH@", &auth.port().to_string())
            .replace("@ACCT@", &acct.port().to_string())
            .replace("@MODULE@", &module)
            .replace("@USERS@", users_module)
            .replace("@ACCOUNTING@", accounting);
        fs::write(folder.join("radiusd.conf"), configuration)?;
        let log = File::create(folder.join("output.log"))?;
        let mut command = Command::new(PROGRAM);
        command
            .arg("-f")
            .arg("-d")
            .arg(folder)
            .args(["-n", "radiusd"]);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(FreeRadius {
            process: Process::of(child),
            auth,
            acct,
        })
    }
}

/// FreeRADIUS cannot say which port it took, so one that is free now is chosen for it.
fn free_address() -> Result<SocketAddr, Fault> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?)
}

/// What `proxpanel` answers, too: service, protocol, pool, session and interim times, speed.
const REPLY: [(&str, &str); 6] = [
    ("Service-Type", "Framed-User"),
    ("Framed-Protocol", "PPP"),
    ("Framed-Pool", "subscribers"),
    ("Session-Timeout", "86400"),
    ("Acct-Interim-Interval", "60"),
    ("Mikrotik-Rate-Limit", "5M/25M"),
];

fn users_file(subscribers: u32) -> String {
    let mut text = String::new();
    let reply: Vec<String> = REPLY
        .iter()
        .map(|(name, value)| format!("\t{name} = \"{value}\""))
        .collect();
    let reply = reply.join(",\n");
    for number in 0..subscribers {
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "user{number:05} Cleartext-Password := \"pass{number:05}\"\n{reply}\n"
        );
    }
    text
}

fn sql(subscribers: u32) -> Result<String, Fault> {
    let schema = format!("{SQLITE}/schema.sql");
    let mut text = fs::read_to_string(&schema).map_err(|error| format!("{schema}: {error}"))?;
    text.push_str("\nBEGIN;\n");
    for number in 0..subscribers {
        let _ = writeln!(
            text,
            "INSERT INTO radcheck (username, attribute, op, value) VALUES ('user{number:05}', 'Cleartext-Password', ':=', 'pass{number:05}');"
        );
        for (name, value) in REPLY {
            let _ = writeln!(
                text,
                "INSERT INTO radreply (username, attribute, op, value) VALUES ('user{number:05}', '{name}', '=', '{value}');"
            );
        }
    }
    text.push_str("COMMIT;\n");
    Ok(text)
}

fn sql_module(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "sql {{
    driver = \"rlm_sql_sqlite\"
    dialect = \"sqlite\"
    sqlite {{
        filename = \"{folder}/radius.db\"
        busy_timeout = 200
        bootstrap = \"{folder}/bootstrap.sql\"
    }}
    radius_db = \"radius\"
    acct_table1 = \"radacct\"
    acct_table2 = \"radacct\"
    postauth_table = \"radpostauth\"
    authcheck_table = \"radcheck\"
    groupcheck_table = \"radgroupcheck\"
    authreply_table = \"radreply\"
    groupreply_table = \"radgroupreply\"
    usergroup_table = \"radusergroup\"
    delete_stale_sessions = yes
    client_table = \"nas\"
    group_attribute = \"SQL-Group\"
    pool {{
        start = 5
        min = 3
        max = 32
        spare = 10
        uses = 0
        retry_delay = 30
        lifetime = 0
        idle_timeout = 60
    }}
    $INCLUDE {SQLITE}/queries.conf
}}"
    )
}

const CONFIGURATION: &str = "prefix = /usr
libdir = /usr/lib/freeradius
logdir = @FOLDER@
run_dir = @FOLDER@
pidfile = @FOLDER@/freeradius.pid
max_requests = 16384
max_request_time = 30
cleanup_delay = 5
hostname_lookups = no
log {
    destination = files
    file = @FOLDER@/radius.log
    auth = no
}
security {
    max_attributes = 200
    reject_delay = 1
    status_server = yes
}
proxy_requests = no
thread pool {
    start_servers = 5
    max_servers = 32
    min_spare_servers = 3
    max_spare_servers = 10
    max_requests_per_server = 0
    auto_limit_acct = no
}
client localhost {
    ipaddr = 127.0.0.1
    secret = @SECRET@
    require_message_authenticator = no
}
modules {
    pap { }
    chap { }
    mschap { use_mppe = no }
    @MODULE@
    always ok { rcode = ok }
    expr { }
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = @AUTH@
    }
    listen {
        type = acct
        ipaddr = 127.0.0.1
        port = @ACCT@
    }
    authorize {
        chap
        mschap
        @USERS@
        pap
    }
    authenticate {
        Auth-Type PAP {
            pap
        }
        Auth-Type CHAP {
            chap
        }
        Auth-Type MS-CHAP {
            mschap
        }
    }
    preacct {
        update request {
            &Acct-Unique-Session-Id := \"%{md5:%{User-Name},%{Acct-Session-Id},%{NAS-IP-Address},%{NAS-Port-Id},%{NAS-Port}}\"
        }
    }
    accounting {
        @ACCOUNTING@
    }
}
";
