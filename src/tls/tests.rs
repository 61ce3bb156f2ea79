//! Which certificate is shown, over starts, choices, damaged files and renewals.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::time::DAY;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn pair(name: &str) -> Pair {
    self_signed::make(&[name.to_owned()], NOW).unwrap()
}

fn open(folder: &Path, chosen: Source) -> Certificates {
    Certificates::open(folder, chosen, None, NOW).unwrap()
}

fn shown(certificates: &Certificates) -> Fingerprint {
    let shown = certificates.shown.0.load();
    Fingerprint(crate::crypto::sha256(shown.cert.first().unwrap()))
}

#[test]
fn the_first_start_makes_one_that_later_starts_find() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), Source::SelfSigned);
    let in_use = first.in_use();
    assert_eq!((in_use.source, &in_use.fault), (Source::SelfSigned, &None));
    assert_eq!(shown(&first), in_use.facts.fingerprint);
    let file = folder.path().join("tls/self-signed.pem");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&folder.path().join("tls")), 0o700);
    assert_eq!(
        fs::read_dir(folder.path().join("tls")).unwrap().count(),
        1,
        "no draft is left behind"
    );
    let second = open(folder.path(), Source::SelfSigned);
    assert_eq!(shown(&second), shown(&first));
}

#[test]
fn one_that_cannot_be_used_is_replaced_by_the_self_signed_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let own = open(folder.path(), Source::Own);
    let in_use = own.in_use();
    assert_eq!(in_use.source, Source::SelfSigned);
    assert!(in_use.fault.as_ref().unwrap().contains("own.pem"));
    // Once it is there, the next look takes it.
    own.store(Source::Own, &pair("own.example")).unwrap();
    assert!(own.reload(NOW).unwrap());
    let in_use = own.in_use();
    assert_eq!((in_use.source, &in_use.fault), (Source::Own, &None));
    assert_eq!(in_use.facts.names, ["own.example"]);
    assert!(!own.reload(NOW).unwrap(), "nothing has changed since");

    // A damaged file leaves the one in use, and says so until it is mended.
    let file = folder.path().join("tls/own.pem");
    let good = fs::read(&file).unwrap();
    fs::write(&file, "damaged").unwrap();
    let before = shown(&own);
    assert!(matches!(own.reload(NOW), Err(TlsError::NoKey)));
    assert_eq!(shown(&own), before);
    assert!(own.in_use().fault.is_some());
    fs::write(&file, good).unwrap();
    assert!(!own.reload(NOW).unwrap());
    assert_eq!(own.in_use().fault, None);
    fs::write(&file, "damaged").unwrap();
    assert_eq!(
        open(folder.path(), Source::Own).in_use().source,
        Source::SelfSigned
    );
}

#[test]
fn a_choice_holds_only_when_there_is_something_to_show() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = open(folder.path(), Source::SelfSigned);
    let before = shown(&certificates);
    assert!(matches!(
        certificates.choose(Source::Acme),
        Err(TlsError::File { .. })
    ));
    assert_eq!(shown(&certificates), before);
    assert!(!certificates.reload(NOW).unwrap(), "the choice stayed");
    certificates
        .store(Source::Acme, &pair("a.example"))
        .unwrap();
    assert_eq!(shown(&certificates), before, "stored is not shown");
    assert_eq!(
        certificates.stored(Source::Acme).unwrap().names,
        ["a.example"]
    );
    certificates.choose(Source::Acme).unwrap();
    assert_eq!(certificates.in_use().source, Source::Acme);
    assert_ne!(shown(&certificates), before);
    certificates.choose(Source::SelfSigned).unwrap();
    assert_eq!(shown(&certificates), before);
}

#[test]
fn files_of_the_configuration_win_and_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let put = |path: &Path, pair: &Pair| fs::write(path, pair.pem()).unwrap();
    let (one, other) = (pair("one.example"), pair("other.example"));
    put(&certificate, &one);
    put(&key, &one);
    let configured = Configured {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    let opened = |now| {
        Certificates::open(folder.path(), Source::Own, Some(configured.clone()), now).unwrap()
    };
    let certificates = opened(NOW);
    assert_eq!(certificates.in_use().source, Source::Configured);
    assert_eq!(shown(&certificates), one.facts().fingerprint);
    // Between the two files of a renewal they do not fit; nothing is lost meanwhile.
    put(&certificate, &other);
    assert!(matches!(certificates.reload(NOW), Err(TlsError::Mismatch)));
    assert_eq!(shown(&certificates), one.facts().fingerprint);
    put(&key, &other);
    assert!(certificates.reload(NOW).unwrap());
    assert_eq!(shown(&certificates), other.facts().fingerprint);
    fs::remove_file(&key).unwrap();
    let without = opened(NOW.plus(DAY));
    assert_eq!(without.in_use().source, Source::SelfSigned);
    assert!(without.in_use().fault.as_ref().unwrap().contains("k.pem"));
}

#[test]
fn a_folder_that_takes_no_file_does_not_keep_the_panel_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tls"), "a file, no folder").unwrap();
    let certificates = open(folder.path(), Source::SelfSigned);
    assert_eq!(
        certificates.in_use().facts.fingerprint,
        shown(&certificates)
    );
}

#[test]
fn a_file_too_large_to_be_one_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.pem");
    let limit = usize::try_from(files::LARGEST_FILE).unwrap();
    fs::write(&path, "#".repeat(limit)).unwrap();
    assert_eq!(files::read(&path).unwrap().len(), limit);
    fs::write(&path, "#".repeat(limit + 1)).unwrap();
    assert!(matches!(files::read(&path), Err(TlsError::TooLarge { .. })));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = open(folder.path(), Source::SelfSigned);
    let pair = pair("a.example");
    let printed = format!(
        "{certificates:?} {pair:?} {:?}",
        certificates.server_config()
    );
    assert!(!printed.contains("PRIVATE KEY"));
    for line in pair.pem().lines().filter(|line| line.len() > 40) {
        assert!(!printed.contains(line));
    }
}

#[test]
fn sources_survive_their_words() {
    for source in [Source::SelfSigned, Source::Own, Source::Acme] {
        assert_eq!(Source::parse(source.word()), source);
    }
    assert_eq!(Source::parse("configured"), Source::SelfSigned);
}
