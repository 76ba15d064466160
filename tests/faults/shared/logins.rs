//! Servers that cannot be trusted or do not let the user in.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use support::certificates::{Authority, Identity, self_signed};
use support::network::http_server::{HttpServer, Reply};
use support::network::tls_server::accept_tls;
use support::tied_process::free_port;

use super::scene::{Case, Failure, Scene, Server, url_by};

#[test]
fn who_is_not_let_in_is_told_why() {
    let Some(server) = Server::shared() else { return };
    let port = server.postgres.port;
    let url = |user: &str, database: &str| {
        format!("postgres://{user}@127.0.0.1:{port}/{database}?sslmode=disable")
    };
    let cases = [
        Case::new(
            "wrong password",
            url("agent:s3cret-wrong", "work"),
            Failure::unavailable("the server refused the password", "check user and password"),
        ),
        Case::new(
            "no password",
            url("agent", "work"),
            Failure::unavailable("asks for a password, and none is configured", "PGPASSWORD"),
        ),
        Case::new(
            "no database",
            url("agent:s3cret-p", "absent"),
            Failure::unavailable("the database does not exist", "check the name of the database"),
        ),
        Case::new(
            "no right to connect",
            url("agent:s3cret-p", "closed"),
            Failure::not_permitted("may not connect to the database", "GRANT CONNECT"),
        ),
        Case::new(
            "no schema",
            url("agent:s3cret-p", "empty"),
            Failure {
                code: "store_missing",
                ..Failure::unavailable("there is no trueup database", "trueup db migrate")
            },
        ),
        Case::new(
            "no rights",
            url("powerless:s3cret-p", "work"),
            Failure::not_permitted("permission denied", "GRANT trueup_client TO the role"),
        ),
        Case::new(
            "read-only",
            url("readonly:s3cret-p", "work"),
            // The user alone may not write, but a standby that takes over says the same.
            Failure::unavailable("the server is read-only", "name the primary server")
                .at_deadline(),
        ),
        Case::new(
            "nothing listens",
            url_by("agent", free_port()),
            Failure::unavailable("the connection was refused", "that the server runs"),
        ),
    ];
    Scene::new(server).check_all(&cases);
}

/// Starts what looks like a server of PostgreSQL until the handshake is over, and answers no login.
pub(super) fn start_handshake_server(identity: Option<Identity>) -> u16 {
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
                    let _ = accept_tls(stream, identity).read(&mut [0]);
                }
            }
        }
    });
    port
}

/// Starts a server of HTTP without TLS, to which the begin of TLS is no request.
pub(super) fn start_plain_server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0]).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            // Closing with unread bytes would reset the connection, and the answer be lost.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    port
}

/// Starts a server of HTTP, which nobody trusts who looks at its certificate.
fn start_https_server(identity: Identity) -> u16 {
    HttpServer::start_with(Some(identity), |_| Reply::json("")).port
}

#[test]
fn a_certificate_that_is_not_trusted_ends_the_attempt() {
    let Some(server) = Server::shared() else { return };
    let authority = &server.authority;
    let root = authority.file().display().to_string();
    let postgres_url = |port: u16| {
        format!(
            "postgres://agent:s3cret-p@localhost:{port}/work\
             ?sslmode=verify-full&sslrootcert={root}"
        )
    };
    let https_url = |port: u16| format!("https://localhost:{port}/s3cret?sslrootcert={root}");
    let no_tls = Failure::unavailable("does not support TLS", "turn on TLS on the server");
    let unknown = Failure::unavailable("signed by an unknown authority", "sslrootcert=FILE");
    let mut cases = vec![
        Case::new("no TLS", postgres_url(start_handshake_server(None)), no_tls),
        Case::new("no HTTPS", https_url(start_plain_server()), no_tls),
    ];
    let stranger = Authority::new();
    let identities: [(&str, &dyn Fn() -> Identity, Failure); 4] = [
        (
            "expired",
            &|| authority.sign_expired("localhost"),
            Failure::unavailable("certificate has expired", "renew the server's certificate"),
        ),
        (
            "another host",
            &|| authority.sign("elsewhere"),
            Failure::unavailable("certificate is for another host", "use the name"),
        ),
        ("self-signed", &|| self_signed("localhost"), unknown),
        ("another authority", &|| stranger.sign("localhost"), unknown),
    ];
    for (name, make, failure) in identities {
        let (postgres, https) = (start_handshake_server(Some(make())), start_https_server(make()));
        cases.push(Case::new(format!("{name} by postgres"), postgres_url(postgres), failure));
        cases.push(Case::new(format!("{name} by https"), https_url(https), failure));
    }
    Scene::new(server).check_all(&cases);
}
