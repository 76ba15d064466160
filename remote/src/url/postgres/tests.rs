use std::ffi::OsStr;

use trueup_core::settings::DatabaseUrl;

use super::*;

fn remote(text: &str) -> RemoteUrl {
    match DatabaseUrl::parse(OsStr::new(text)).unwrap() {
        DatabaseUrl::Remote(url) => url,
        other => panic!("{other}"),
    }
}

fn parse(text: &str) -> Result<PostgresUrl, UrlError> {
    PostgresUrl::parse(&remote(text), &PasswordSources::default())
}

fn addresses(text: &str) -> Vec<String> {
    let url = parse(text).unwrap();
    url.hosts.iter().map(|(host, port)| url.address_of(host, *port).to_string()).collect()
}

#[test]
fn hosts_and_ports_are_those_of_libpq() {
    assert_eq!(addresses("postgres://me:s3cret@db/work"), ["postgres://db:5432/work"]);
    assert_eq!(
        addresses("postgresql://db:1,[::1]:2/w"),
        ["postgres://db:1/w", "postgres://[::1]:2/w"]
    );
    assert_eq!(addresses("postgres://a,b:6/w"), ["postgres://a:5432/w", "postgres://b:6/w"]);
    assert_eq!(addresses("postgres:///w?host=/run/pg&port=7"), ["postgres://%2Frun%2Fpg:7/w"]);
    assert_eq!(addresses("postgres://%2Frun%2Fpg/w"), ["postgres://%2Frun%2Fpg:5432/w"]);
    assert_eq!(addresses("postgres:///w?hostaddr=10.0.0.1"), ["postgres://10.0.0.1:5432/w"]);
    assert_eq!(
        addresses("postgres:///w?host=a,b&port=1,2"),
        ["postgres://a:1/w", "postgres://b:2/w"]
    );
}

#[test]
fn user_password_and_options_are_decoded() {
    let url = parse(
        "postgres://m%40e:p%3As%2Fs@db/w?sslmode=verify-full&sslrootcert=/c%20a.pem\
         &target_session_attrs=primary&connect_timeout=3&application_name=x&channel_binding=require",
    )
    .unwrap();
    assert_eq!(url.config.get_user(), Some("m@e"));
    assert_eq!(url.config.get_password(), Some("p:s/s".as_bytes()));
    assert_eq!(url.config.get_application_name(), Some("x"));
    assert_eq!(url.connect_timeout(), Some(Duration::from_secs(3)));
    assert_eq!(url.ssl_mode, SslMode::VerifyFull);
    assert_eq!(url.root, Some(RootOption::File("/c a.pem".into())));
    assert_eq!(url.session_attributes, SessionAttributes::Primary);
    assert_eq!(parse("postgres://db/w").unwrap().ssl_mode, SslMode::Prefer);
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_nothing_else_is_shown() {
    let prefix = "the URL of the database";
    for (option, problem) in [
        ("sslcert=/s3cret", "has an unsupported option: sslcert"),
        ("S3cret=1", "has an unsupported option: …"),
        (
            "sslmode=s3cret",
            "has an invalid sslmode; allowed: disable, prefer, require, verify-ca, verify-full",
        ),
        (
            "target_session_attrs=s3cret",
            "has an invalid target_session_attrs; allowed: any, read-write, read-only, primary, \
             standby",
        ),
        ("sslrootcert=s3cret", "has an invalid sslrootcert; allowed: an absolute path, system"),
        ("connect_timeout=s3cret", "has an invalid connect_timeout; allowed: seconds"),
        ("port=s3cret", "has an invalid port; allowed: numbers up to 65535"),
        ("port=1,2,3", "is malformed: one port, or as many ports as hosts are needed"),
        ("hostaddr=s3cret", "has an invalid hostaddr; allowed: IP addresses"),
    ] {
        let error = parse(&format!("postgres://me:s3cret@db/w?{option}")).unwrap_err();
        assert_eq!(error.to_string(), format!("{prefix} {problem}"));
    }
    let error = parse("postgres://a/w?host=b").unwrap_err();
    assert_eq!(error.to_string(), format!("{prefix} is malformed: it names hosts twice"));
    let error = parse("postgres:///w").unwrap_err();
    assert_eq!(error.to_string(), format!("{prefix} is malformed: it names no host"));
    let error = parse("postgres://me:s3cret@db:s3cret/w").unwrap_err().to_string();
    assert!(!error.contains("s3cret"), "{error}");
    let url = parse("postgres://me:s3cret@db/w").unwrap();
    assert_eq!(format!("{url:?}"), r#"PostgresUrl { hosts: [(Tcp("db"), 5432)], .. }"#);
}
