//! What `sslmode` means, with a real server and with servers that show other certificates.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use trueup_remote::Transport as _;

use crate::support::postgres_server::PostgresServer;
use crate::support::{REQUEST, assert_line, failure_of, late, open};
use support::certificates::{Authority, Identity, self_signed};
use support::network::tls_server::accept_tls;

/// Returns how many connections of this name are encrypted, of how many.
fn encrypted(server: &PostgresServer, name: &str) -> String {
    let query = "select count(*) filter (where ssl), count(*) from pg_stat_ssl \
                 join pg_stat_activity using (pid) where application_name";
    server.run_sql("work", &format!("{query} = '{name}'")).trim().to_owned()
}

#[test]
fn every_mode_connects_to_a_server_with_a_trusted_certificate() {
    let Some(server) = PostgresServer::shared() else { return };
    let root = server.authority.file();
    for (mode, root, expected) in [
        ("disable", None, "0|1"),
        ("prefer", None, "1|1"),
        ("require", None, "1|1"),
        ("require", Some(&root), "1|1"),
        ("verify-ca", Some(&root), "1|1"),
        ("verify-full", Some(&root), "1|1"),
    ] {
        let name = format!("tls-{mode}-{}", root.is_some());
        let root = root.map_or(String::new(), |path| format!("&sslrootcert={}", path.display()));
        let rest = format!("work?sslmode={mode}&application_name={name}{root}");
        let mut transport = open(&server.url("client", &rest));
        assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST, "{name}");
        assert_eq!(encrypted(&server, &name), expected, "{name}");
    }
}

#[test]
fn channel_binding_is_used_where_it_is_asked_for() {
    let Some(server) = PostgresServer::shared() else { return };
    let rest = "work?sslmode=require&channel_binding=require";
    assert_eq!(open(&server.url("client", rest)).exchange(REQUEST, late()).unwrap(), REQUEST);
    let error =
        failure_of(&server.url("client", "work?sslmode=disable&channel_binding=require"), late());
    assert_line(
        &error,
        &format!(
            "postgres://localhost:{}/work: the server asks for a way to log in that trueup does \
             not support",
            server.port
        ),
    );
}

#[test]
fn prefer_takes_what_the_server_admits() {
    let Some(server) = PostgresServer::shared() else { return };
    for name in ["encrypted", "plain"] {
        let mut transport = open(&server.url("client", name));
        assert_eq!(transport.exchange(REQUEST, late()).unwrap(), REQUEST, "{name}");
    }
    for (name, mode) in [("encrypted", "disable"), ("plain", "require")] {
        let error = failure_of(&server.url("client", &format!("{name}?sslmode={mode}")), late());
        let problem = "the server admits no such connection";
        assert_line(&error, &format!("postgres://localhost:{}/{name}: {problem}", server.port));
    }
}

#[test]
fn the_real_server_is_not_trusted_without_its_authority() {
    let Some(server) = PostgresServer::shared() else { return };
    let problem = "the server's certificate is signed by an unknown authority";
    for mode in ["verify-ca", "verify-full"] {
        let error = failure_of(&server.url("client", &format!("work?sslmode={mode}")), late());
        assert_line(&error, &format!("postgres://localhost:{}/work: {problem}", server.port));
    }
    let root = server.authority.file().display().to_string();
    let url = format!(
        "postgres://client:s3cret@127.0.0.1:{}/work?sslrootcert={root}&sslmode=",
        server.port
    );
    assert_eq!(open(&format!("{url}verify-ca")).exchange(REQUEST, late()).unwrap(), REQUEST);
    let error = failure_of(&format!("{url}verify-full"), late());
    let problem = "the server's certificate is for another host";
    assert_line(&error, &format!("postgres://127.0.0.1:{}/work: {problem}", server.port));
}

/// Starts what looks like a server until the handshake is over, and answers no login.
fn start_handshake_server(identity: Option<Identity>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0; 8]).unwrap();
            match &identity {
                None => stream.write_all(b"N").unwrap(),
                Some(identity) => {
                    stream.write_all(b"S").unwrap();
                    let mut stream = accept_tls(stream, identity);
                    // The login, of which nothing is answered.
                    let _ = stream.read(&mut [0]);
                }
            }
        }
    });
    port
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let authority = Authority::new();
    let root = authority.file().display().to_string();
    let own = self_signed("localhost");
    let own_file = tempfile::NamedTempFile::new().unwrap();
    fs::write(own_file.path(), &own.certificate).unwrap();
    let own_root = own_file.path().display().to_string();
    let closed = "the connection was closed before the request was sent";
    for (identity, mode, root, problem) in [
        (None, "require", &root, "the server does not support TLS"),
        (
            Some(authority.sign_expired("localhost")),
            "verify-ca",
            &root,
            "the server's certificate has expired",
        ),
        (
            Some(authority.sign("elsewhere")),
            "verify-full",
            &root,
            "the server's certificate is for another host",
        ),
        (Some(authority.sign("elsewhere")), "verify-ca", &root, closed),
        (
            Some(self_signed("localhost")),
            "verify-full",
            &root,
            "the server's certificate is signed by an unknown authority",
        ),
        (
            Some(Authority::new().sign("localhost")),
            "require",
            &root,
            "the server's certificate is signed by an unknown authority",
        ),
        // A server whose own certificate is the one that is trusted.
        (Some(own), "verify-full", &own_root, closed),
    ] {
        let port = start_handshake_server(identity);
        let url =
            format!("postgres://me:s3cret@localhost:{port}/w?sslmode={mode}&sslrootcert={root}");
        assert_line(
            &failure_of(&url, late()),
            &format!("postgres://localhost:{port}/w: {problem}"),
        );
    }
}

#[test]
fn a_file_without_certificates_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let url = format!("postgres://me:s3cret@db/w?sslmode=verify-ca&sslrootcert={path}");
    let error = crate::support::database(&url).open_transport().unwrap_err();
    let problem = format!("sslrootcert {path}: no certificate in PEM");
    assert_line(&error, &format!("postgres://db:5432/w: {problem}"));
}
