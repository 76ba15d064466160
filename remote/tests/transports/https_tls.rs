//! `https://` with certificates: who is trusted, and what is wrong with those who are not.
//!
//! The system's authorities and the proxy are named by variables of the process, so each case is a
//! run of this test program with another environment.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;

use trueup_core::settings::TlsRoots;
use trueup_remote::Transport as _;

use crate::support::{REQUEST, assert_line, database, late};
use support::certificates::{Authority, Identity, self_signed};
use support::network::http_server::{HttpServer, Reply};

fn start(identity: Identity) -> HttpServer {
    HttpServer::start_with(Some(identity), |_| Reply::json(r#""answered""#))
}

/// Makes one exchange in a process whose system trusts the authorities of a file; returns the
/// answer or the line of the error.
fn exchange_trusting(roots: &Path, url: &str) -> String {
    exchange_with("SSL_CERT_FILE", roots.as_os_str(), url)
}

/// Makes one exchange in a process with a variable; returns the answer or the line of the error.
fn exchange_with(variable: &str, value: &OsStr, url: &str) -> String {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["https_tls::exchange_for_another_process", "--exact", "--ignored", "--nocapture"]);
    run.env(variable, value).env("TEST_URL", url);
    let output = run.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("RESULT ").map(|(_, line)| line));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
#[ignore = "the other tests of this module run it"]
fn exchange_for_another_process() {
    let mut described = database(&std::env::var("TEST_URL").unwrap());
    described.roots = TlsRoots::System;
    let outcome = described.open_transport().unwrap().exchange(REQUEST, late());
    println!("RESULT {}", outcome.unwrap_or_else(|error| error.to_string()));
}

#[test]
fn the_systems_authorities_are_trusted_when_the_setting_says_so() {
    let authority = Authority::new();
    let (roots, server) = (authority.file(), start(authority.sign("localhost")));
    let url = format!("https://localhost:{}/?via=postgrest", server.port);
    assert_eq!(exchange_trusting(&roots, &url), "answered");
    let error = database(&url).open_transport().unwrap().exchange(REQUEST, late()).unwrap_err();
    let problem = "the server's certificate is signed by an unknown authority";
    assert_line(&error, &format!("https://localhost:{}: {problem}", server.port));
    assert!(!error.may_have_committed());
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let authority = Authority::new();
    let roots = authority.file();
    for (identity, problem) in [
        (authority.sign_expired("localhost"), "the server's certificate has expired"),
        (authority.sign("elsewhere"), "the server's certificate is for another host"),
        (self_signed("localhost"), "the server's certificate is signed by an unknown authority"),
    ] {
        let server = start(identity);
        let url = format!("https://localhost:{}", server.port);
        assert_eq!(
            exchange_trusting(&roots, &url),
            format!("https://localhost:{}: {problem}", server.port)
        );
        assert!(server.requests().is_empty());
    }
}

#[test]
fn a_server_without_tls_is_said_to_have_none() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // As web servers do when TLS comes to a port without it.
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 32]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.read(&mut [0; 4096]);
    });
    let url = format!("https://localhost:{port}/?via=postgrest");
    let error = database(&url).open_transport().unwrap().exchange(REQUEST, late()).unwrap_err();
    assert_line(&error, &format!("https://localhost:{port}: the server does not support TLS"));
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let proxy = HttpServer::start(|_| Reply::new("407 Who are you", "", ""));
    let address = format!("http://me:s3cret@127.0.0.1:{}", proxy.port);
    let line =
        exchange_with("HTTPS_PROXY", OsStr::new(&address), "https://db.invalid/?via=postgrest");
    assert_eq!(line, "https://db.invalid: the proxy refused to connect");
    let requests = proxy.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests.first().map(|it| it.line.as_str()), Some("CONNECT db.invalid:443"));
}
