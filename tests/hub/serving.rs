//! Starting, stopping, TLS, and a database that is not there.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use support::certificates::self_signed;
use support::home::Home;

use super::http_client::RawRequest;
use super::hub_process::{HubProcess, make_token, run_hub};

#[test]
fn a_hub_that_is_told_to_stop_answers_what_was_asked_and_ends() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    let mut stream = TcpStream::connect(hub.address).unwrap();
    let request = RawRequest::new("GET", "/readyz").header("connection", "keep-alive");
    stream.write_all(&request.render(hub.address)).unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    hub.terminate();
    // An idle connection does not keep it.
    let (is_well, printed) = hub.wait();
    assert!(is_well, "{printed}");
    assert!(printed.contains("stopped"), "{printed}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let home = Home::new();
    let hub = HubProcess::start(&home);
    let output = run_hub(&home, &["serve", "--listen", &hub.address.to_string()]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains(&hub.address.to_string()), "{output:?}");
    assert!(output.stderr.contains("--listen"), "{output:?}");
}

#[test]
fn tls_is_spoken_with_a_certificate_whose_names_are_the_hubs() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "reader");
    let identity = self_signed("hub.example");
    let (certificate, key) = (home.root().join("hub.pem"), home.root().join("hub.key"));
    std::fs::write(&certificate, identity.certificate).unwrap();
    std::fs::write(&key, identity.key).unwrap();
    let private = Command::new("chmod").arg("600").arg(&key).status().unwrap();
    assert!(private.success());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let hub = HubProcess::start_with(
        &home,
        &["--listen", "127.0.0.1:0", "--tls-cert", &text(&certificate), "--tls-key", &text(&key)],
    );
    let ask = |name: &str, host: &str| {
        Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code} %{http_version}",
            ])
            .args(["--cacert", &text(&certificate)])
            .args(["--connect-to", &format!("{name}:443:{}", hub.address)])
            .args(["--header", &format!("authorization: Bearer {token}")])
            .args(["--header", &format!("host: {host}")])
            .arg(format!("https://{name}/metrics"))
            .output()
            .unwrap()
    };
    let printed = |name, host| {
        let output = ask(name, host);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}: {}", String::from_utf8_lossy(&output.stderr));
        said
    };
    assert_eq!(printed("hub.example", "hub.example"), "200 2");
    assert_eq!(printed("hub.example", "other.example"), "421 2");
    assert!(!ask("other.example", "other.example").status.success(), "the certificate is checked");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let home = Home::new();
    let identity = self_signed("hub.example");
    let (certificate, key) = (home.root().join("hub.pem"), home.root().join("hub.key"));
    std::fs::write(&certificate, identity.certificate).unwrap();
    std::fs::write(&key, identity.key).unwrap();
    Command::new("chmod").arg("644").arg(&key).status().unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let output = run_hub(&home, &["serve", "--tls-cert", certificate, "--tls-key", key]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("hub.key"), "{output:?}");
}

#[test]
fn a_database_that_is_not_there_is_told_at_the_start() {
    let home = Home::new();
    let url = "postgres://nobody@127.0.0.1:1/trueup?sslmode=disable";
    let output = run_hub(&home, &["serve", "--listen", "127.0.0.1:0", "--database", url]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("postgres://127.0.0.1:1/trueup"), "{output:?}");
}
