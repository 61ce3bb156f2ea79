//! Tests of the configuration: each key, each message, both sides of each bound.

use super::shape::{MAX_LISTENERS, MAX_TRUSTED_PROXIES};
use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("test.toml"), &Overrides::default())
}

fn message(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().expect(text)
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = parse("").expect("an empty file is valid");
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/proxpanel"));
    assert_eq!(config.web.listen, [socket("0.0.0.0:80"), socket("[::]:80")]);
    assert_eq!(
        config.web.https_listen,
        [socket("0.0.0.0:443"), socket("[::]:443")]
    );
    assert_eq!(config.web.certificate, None);
    assert!(config.web.trusted_proxies.is_empty());
    assert_eq!(
        config.radius.auth_listen,
        [socket("0.0.0.0:1812"), socket("[::]:1812")]
    );
    assert_eq!(
        config.radius.acct_listen,
        [socket("0.0.0.0:1813"), socket("[::]:1813")]
    );
    assert_eq!(
        config.radius.radsec_listen,
        [socket("0.0.0.0:2083"), socket("[::]:2083")]
    );
    assert!((1..=2).contains(&config.radius.threads));
    assert_eq!(config.radius.coa_bind, None);
    assert_eq!(
        config.backup.folder,
        PathBuf::from("/var/backups/proxpanel")
    );
    assert_eq!(config.log.level, Level::Info);
}

#[test]
fn a_list_is_the_default_only_as_a_whole() {
    let config = parse("").expect("an empty file is valid");
    for list in [
        &config.web.listen,
        &config.web.https_listen,
        &config.radius.auth_listen,
        &config.radius.acct_listen,
        &config.radius.radsec_listen,
    ] {
        assert!(is_default_list(list), "{list:?}");
    }
    for list in [
        "",
        "[::]:80",
        "0.0.0.0:80",
        "[::]:80 0.0.0.0:80",
        "0.0.0.0:8080 [::]:8080",
        "0.0.0.0:80 [::]:443",
        "0.0.0.0:80 [::1]:80",
        "0.0.0.0:80 [::]:80 [::1]:81",
    ] {
        let written: Vec<SocketAddr> = list.split_whitespace().map(socket).collect();
        assert!(!is_default_list(&written), "{list}");
    }
}

#[test]
fn backups_are_where_the_file_says_or_beside_the_data() {
    let folder = |text: &str| parse(text).expect(text).backup.folder;
    assert_eq!(
        folder("data_dir = \"/srv/isp\""),
        Path::new("/srv/isp/backups")
    );
    assert_eq!(folder("[backup]\nfolder = \"/mnt/b\""), Path::new("/mnt/b"));
    let overrides = Overrides {
        data_dir: Some(PathBuf::from("run/data")),
        ..Overrides::default()
    };
    let moved = Config::parse("", Path::new("test.toml"), &overrides).expect("valid");
    assert_eq!(moved.backup.folder, Path::new("run/data/backups"));
    assert!(message("[backup]\nfolder = \"\"").contains("backup.folder is empty: name a folder"));
}

#[test]
fn the_packaged_file_and_its_commented_lines_both_say_the_defaults() {
    let packaged = include_str!("../../packaging/proxpanel.toml");
    let defaults = parse("").expect("defaults");
    assert_eq!(parse(packaged).expect("the packaged file"), defaults);
    // A setting is commented out as `#key = value`; prose has a space after the mark.
    let uncommented: String = packaged
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && setting.contains('=') => {
                format!("{setting}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let mut spelled_out =
        parse(&uncommented).expect("the packaged file with every setting spelled out");
    assert_eq!(spelled_out.radius.threads, 2);
    assert_eq!(
        spelled_out.radius.coa_bind,
        Some("192.0.2.1".parse().expect("address"))
    );
    let names = |name: &str| PathBuf::from(format!("/etc/ssl/panel/{name}.pem"));
    assert_eq!(
        spelled_out.web.certificate,
        Some((names("fullchain"), names("privkey")))
    );
    // These have no literal default: one depends on the machine, the others are unset.
    spelled_out.radius.threads = defaults.radius.threads;
    spelled_out.radius.coa_bind = None;
    spelled_out.web.certificate = None;
    assert_eq!(spelled_out, defaults);
    for key in [
        "version",
        "data_dir",
        "listen",
        "https_listen",
        "certificate",
        "key",
        "trusted_proxies",
        "auth_listen",
        "acct_listen",
        "radsec_listen",
        "threads",
        "coa_bind",
        "vendor_url",
        "vendor_key",
        "vendor_pin",
        "vendor_ca",
        "level",
    ] {
        assert!(
            uncommented
                .lines()
                .any(|line| line.starts_with(&format!("{key} ="))),
            "{key} is not in the packaged file"
        );
    }
}

#[test]
fn every_key_is_read() {
    let config = parse(
        "version = 1\ndata_dir = \"/srv/pp\"\n[web]\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\nhttps_listen = [\"[::1]:0\"]\ncertificate = \"/c\"\nkey = \"/k\"\ntrusted_proxies = [\"::1\"]\n\
         [radius]\nauth_listen = [\"[::1]:0\"]\nacct_listen = [\"[::1]:0\"]\nradsec_listen = []\nthreads = 64\ncoa_bind = \"192.0.2.9\"\n[log]\nlevel = \"trace\"\n",
    )
    .expect("valid");
    assert_eq!(config.data_dir, PathBuf::from("/srv/pp"));
    assert_eq!(
        config.web.listen,
        [socket("127.0.0.1:0"), socket("127.0.0.1:0")]
    );
    assert_eq!(config.web.https_listen, [socket("[::1]:0")]);
    assert_eq!(config.web.certificate, Some(("/c".into(), "/k".into())));
    assert_eq!(
        config.web.trusted_proxies,
        [IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])]
    );
    assert_eq!(config.radius.auth_listen, [socket("[::1]:0")]);
    assert_eq!(config.radius.acct_listen, [socket("[::1]:0")]);
    assert!(config.radius.radsec_listen.is_empty(), "switched off");
    assert_eq!(config.radius.threads, 64);
    assert_eq!(config.radius.coa_bind, Some(IpAddr::from([192, 0, 2, 9])));
    assert_eq!(config.log.level, Level::Trace);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let top = message("version = 1\n\nlisten = 5\n");
    assert!(
        top.starts_with("test.toml, line 3: unknown field `listen`"),
        "{top}"
    );
    let nested = message("[radius]\nthreads = 1\nthread = 2\n");
    assert!(
        nested.starts_with("test.toml, line 3: unknown field `thread`"),
        "{nested}"
    );
    let syntax = message("version = 1\nweb = [\n");
    assert!(syntax.starts_with("test.toml, line "), "{syntax}");
    let kind = message("[web]\nlisten = 80\n");
    assert!(
        kind.starts_with("test.toml, line 2: invalid type"),
        "{kind}"
    );
}

#[test]
fn one_message_for_each_bad_value() {
    let cases = [
        (
            "version = 2",
            "version = 2: this program understands version 1 only",
        ),
        ("data_dir = \"\"", "data_dir is empty"),
        ("[web]\nlisten = []", "web.listen is empty"),
        (
            "[web]\nlisten = [\"localhost:80\"]",
            "web.listen: \"localhost:80\" is not an address with a port",
        ),
        (
            "[web]\nlisten = [\"127.0.0.1\"]",
            "web.listen: \"127.0.0.1\" is not an address with a port",
        ),
        (
            "[web]\nlisten = [\"127.0.0.1:65536\"]",
            "\"127.0.0.1:65536\" is not",
        ),
        (
            "[web]\nlisten = [\"127.0.0.1:80\", \"127.0.0.1:80\"]",
            "web.listen has 127.0.0.1:80 twice",
        ),
        (
            "[web]\nlisten = [\"0.0.0.0:80\", \"127.0.0.1:80\"]",
            "web.listen has 0.0.0.0:80 and 127.0.0.1:80, which overlap",
        ),
        (
            "[web]\nhttps_listen = [\"x\"]",
            "web.https_listen: \"x\" is not an address with a port",
        ),
        (
            "[web]\nhttps_listen = [\"127.0.0.1:80\"]",
            "web.listen 0.0.0.0:80 and web.https_listen 127.0.0.1:80 want the same TCP port",
        ),
        (
            "[web]\ncertificate = \"/c\"",
            "web.certificate is set and web.key is not",
        ),
        (
            "[web]\nkey = \"/k\"",
            "web.key is set and web.certificate is not",
        ),
        (
            "[web]\ntrusted_proxies = [\"10.0.0.0/8\"]",
            "web.trusted_proxies: \"10.0.0.0/8\" is not an IP address",
        ),
        (
            "[web]\ntrusted_proxies = [\"::1\", \"::1\"]",
            "web.trusted_proxies has ::1 twice",
        ),
        (
            "[radius]\nauth_listen = [\"0.0.0.0:1813\"]",
            "radius.auth_listen 0.0.0.0:1813 and radius.acct_listen 0.0.0.0:1813 want the same UDP port",
        ),
        (
            "[radius]\nradsec_listen = [\"127.0.0.1:80\"]",
            "web.listen 0.0.0.0:80 and radius.radsec_listen 127.0.0.1:80 want the same TCP port",
        ),
        (
            "[radius]\nradsec_listen = [\"2083\"]",
            "radius.radsec_listen: \"2083\" is not an address with a port",
        ),
        (
            "[radius]\nthreads = 0",
            "radius.threads = 0: take a number from 1 to 64",
        ),
        (
            "[radius]\nthreads = 65",
            "radius.threads = 65: take a number from 1 to 64",
        ),
        (
            "[radius]\nthreads = -1",
            "radius.threads = -1: take a number from 1 to 64",
        ),
        (
            "[radius]\ncoa_bind = \"192.0.2.1:3799\"",
            "radius.coa_bind: \"192.0.2.1:3799\" is not an IP address",
        ),
        (
            "[log]\nlevel = \"Info\"",
            "log.level = \"Info\": take error, warn, info, debug or trace",
        ),
    ];
    for (text, expected) in cases {
        let found = message(text);
        assert!(found.contains("has 1 problem:\n"), "{text}: {found}");
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn all_problems_are_reported_together() {
    let found = message("version = 3\n[web]\nlisten = [\"x\", \"y\"]\n[radius]\nthreads = 0\n");
    assert!(found.contains("has 4 problems:"), "{found}");
    assert_eq!(found.lines().count(), 5);
}

#[test]
fn listeners_that_do_not_clash_are_allowed() {
    let cases = [
        "[web]\nlisten = [\"127.0.0.1:80\", \"127.0.0.2:80\", \"0.0.0.0:81\", \"[::]:80\"]",
        "[radius]\nauth_listen = [\"127.0.0.1:1812\"]\nacct_listen = [\"127.0.0.2:1812\"]",
        // A TCP port and a UDP port of the same number do not meet.
        "[web]\nlisten = [\"0.0.0.0:1812\"]",
        "[web]\nhttps_listen = []",
        "[web]\nlisten = [\"[::]:443\"]\nhttps_listen = [\"0.0.0.0:443\"]",
    ];
    for text in cases {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn lists_are_bounded() {
    let listen = |count: usize| {
        let list: Vec<String> = (0..count)
            .map(|n| format!("\"127.0.0.1:{}\"", 9000 + n))
            .collect();
        format!("[web]\nlisten = [{}]", list.join(","))
    };
    assert!(parse(&listen(MAX_LISTENERS)).is_ok());
    assert!(message(&listen(MAX_LISTENERS + 1)).contains("at most 16"));
    let proxies = |count: usize| {
        let list: Vec<String> = (0..count).map(|n| format!("\"10.0.0.{n}\"")).collect();
        format!("[web]\ntrusted_proxies = [{}]", list.join(","))
    };
    assert!(parse(&proxies(MAX_TRUSTED_PROXIES)).is_ok());
    assert!(message(&proxies(MAX_TRUSTED_PROXIES + 1)).contains("at most 64"));
}

#[test]
fn the_command_line_replaces_whole_lists_before_the_checks() {
    let overrides = Overrides {
        data_dir: Some(PathBuf::from("run/data")),
        web_listen: vec![socket("127.0.0.1:8080")],
        https_listen: vec![socket("127.0.0.1:8443")],
        auth_listen: vec![socket("127.0.0.1:0")],
        acct_listen: vec![socket("127.0.0.1:0")],
        radsec_listen: vec![socket("127.0.0.1:0")],
    };
    // The file's own lists clash; none of them is used.
    let text = "data_dir = \"\"\n[web]\nlisten = []\nhttps_listen = [\"bad\"]\n[radius]\nauth_listen = [\"bad\"]\nacct_listen = [\"bad\"]\nradsec_listen = [\"bad\"]\n";
    let config = Config::parse(text, Path::new("test.toml"), &overrides).expect("overridden");
    assert_eq!(config.data_dir, PathBuf::from("run/data"));
    assert_eq!(config.web.listen, overrides.web_listen);
    assert_eq!(config.web.https_listen, overrides.https_listen);
    assert_eq!(config.radius.auth_listen, overrides.auth_listen);
    assert_eq!(config.radius.acct_listen, overrides.acct_listen);
    assert_eq!(config.radius.radsec_listen, overrides.radsec_listen);

    let clash = Overrides {
        auth_listen: vec![socket("0.0.0.0:1813")],
        ..Overrides::default()
    };
    let found = Config::parse("", Path::new("test.toml"), &clash)
        .expect_err("clash")
        .to_string();
    assert!(found.contains("want the same UDP port"), "{found}");
}

#[test]
fn a_plain_listener_of_the_command_line_stands_alone() {
    let with = |web: &[&str], https: &[&str]| {
        let overrides = Overrides {
            web_listen: web.iter().map(|text| socket(text)).collect(),
            https_listen: https.iter().map(|text| socket(text)).collect(),
            ..Overrides::default()
        };
        let web = Config::parse("", Path::new("test.toml"), &overrides).expect("valid");
        (web.web.listen, web.web.https_listen)
    };
    let (plain, https) = with(&["127.0.0.1:8080"], &[]);
    assert_eq!((plain.len(), https.len()), (1, 0));
    let (plain, https) = with(&[], &["127.0.0.1:8443"]);
    assert_eq!((plain.len(), https.len()), (2, 1), "the file's plain ones");
    let (plain, https) = with(&[], &[]);
    assert_eq!((plain.len(), https.len()), (2, 2));
}

#[test]
fn a_named_file_must_exist_and_be_of_a_sane_size() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let missing = folder.path().join("missing.toml");
    let found = Config::load(Some(&missing), &Overrides::default()).expect_err("missing");
    assert!(matches!(found, ConfigError::Read { .. }), "{found}");
    assert!(found.to_string().contains("missing.toml"));

    let limit = usize::try_from(MAX_FILE_BYTES).expect("fits");
    let file = folder.path().join("large.toml");
    std::fs::write(&file, "#".repeat(limit)).expect("write");
    assert!(Config::load(Some(&file), &Overrides::default()).is_ok());
    std::fs::write(&file, "#".repeat(limit + 1)).expect("write");
    assert!(matches!(
        Config::load(Some(&file), &Overrides::default()),
        Err(ConfigError::TooLarge { .. })
    ));
}

#[test]
fn levels_survive_print_and_parse() {
    for level in [
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Debug,
        Level::Trace,
    ] {
        assert_eq!(level.to_string().parse(), Ok(level));
    }
}
