//! `trueup-hub token`.

use support::home::Home;

use super::hub_process::{HubProcess, make_token, run_hub};

#[test]
fn a_token_is_printed_once_and_kept_as_a_digest() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "agent");
    assert!(token.starts_with("tuh_") && token.len() > 40, "{token}");
    let listed = run_hub(&home, &["token", "list"]).ok().stdout;
    assert!(listed.contains("laptop, agent, made "), "{listed}");
    let files = std::fs::read_dir(home.trueup_home()).unwrap();
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        let is_there = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!is_there, "{} holds the token", file.display());
    }
}

#[test]
fn a_name_has_one_token_at_a_time() {
    let home = Home::new();
    let first = make_token(&home, "laptop", "agent");
    let refused = run_hub(&home, &["token", "create", "laptop", "--role", "admin"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("laptop"), "{refused:?}");
    let refused = run_hub(&home, &["token", "create", "laptop", "--role", "admin", "--json"]);
    assert_eq!(refused.json()["error"]["code"], "denied", "{refused:?}");
    run_hub(&home, &["token", "revoke", "laptop"]).ok();
    let refused = run_hub(&home, &["token", "create", "laptop", "--role", "reader"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("was revoked at"), "{refused:?}");
    assert!(refused.stderr.contains("laptop-2"), "{refused:?}");
    let second = make_token(&home, "laptop-2", "reader");
    let listed = run_hub(&home, &["token", "list"]).ok().stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("laptop, agent, ") && lines[0].contains(", revoked "), "{listed}");
    assert!(lines[1].starts_with("laptop-2, reader, "), "{listed}");
    let hub = HubProcess::start(&home);
    assert_eq!(hub.get("/metrics", &first).status, 401);
    assert_eq!(hub.get("/metrics", &second).status, 200);
}

#[test]
fn a_token_that_was_revoked_before_is_told_so() {
    let home = Home::new();
    make_token(&home, "laptop", "agent");
    let first = run_hub(&home, &["token", "revoke", "laptop", "--json"]).ok().json();
    assert_eq!(first["data"]["was_revoked"], false);
    let printed = run_hub(&home, &["token", "revoke", "laptop"]).ok().stdout;
    let at = first["data"]["revoked_at"].as_str().unwrap();
    assert_eq!(printed, format!("token of laptop was revoked already, at {at}\n"));
    let again = run_hub(&home, &["token", "revoke", "laptop", "--json"]).ok().json();
    assert_eq!(
        (&again["data"]["was_revoked"], &again["data"]["revoked_at"]),
        (&true.into(), &at.into())
    );
}

#[test]
fn a_database_that_a_url_names_is_not_created() {
    let home = Home::new();
    let path = home.root().join("typo.db");
    let url = format!("sqlite:{}", path.display());
    for arguments in [&["serve", "--database", &url][..], &["--database", &url, "token", "list"]] {
        let output = run_hub(&home, arguments);
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.stderr.contains("trueup db migrate"), "{output:?}");
        assert!(!path.exists(), "{arguments:?}");
    }
}

#[test]
fn a_revoked_token_is_refused_by_a_hub_that_runs() {
    let home = Home::new();
    let token = make_token(&home, "laptop", "agent");
    let hub = HubProcess::start(&home);
    assert_eq!(hub.get("/metrics", &token).status, 200);
    run_hub(&home, &["token", "revoke", "laptop"]).ok();
    // It may be known for a moment longer.
    while hub.get("/metrics", &token).status == 200 {
        std::thread::yield_now();
    }
    assert_eq!(hub.get("/metrics", &token).status, 401);
}

#[test]
fn wrong_arguments_are_told() {
    let home = Home::new();
    for (arguments, code, told) in [
        (&["token", "create", "laptop"][..], 2, "--role"),
        (&["token", "create", "laptop", "--role", "king"], 2, "king"),
        (&["token", "create", "../laptop", "--role", "agent"], 2, "contains"),
        (&["token", "create", "", "--role", "agent"], 2, "empty"),
        (&["token", "revoke", "nobody"], 1, "nobody"),
        (&["serve", "--listen", "0.0.0.0:0"], 2, "--behind-proxy"),
        (&["serve", "--listen", "nowhere"], 2, "HOST:PORT"),
        (&["serve", "--listen", "localhost"], 2, "HOST:PORT"),
        (&["serve", "--listen", "localhost:0", "--tls-cert", "a", "--tls-key", "b"], 3, "a: "),
        (&["serve", "--tls-cert", "a.pem"], 2, "--tls-key"),
        (&["serve", "--tls-cert", "a.pem", "--tls-key", "b.pem"], 3, "a.pem"),
        (&["serve", "--database", "mysql://somewhere"], 3, "mysql"),
        (&["serve", "--database", "sqlite:relative"], 3, "absolute"),
    ] {
        let output = run_hub(&home, arguments);
        assert_eq!(output.code, Some(code), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(told), "{arguments:?}: {output:?}");
    }
}

#[test]
fn tokens_are_objects_for_scripts() {
    let home = Home::new();
    let made = run_hub(&home, &["token", "create", "ci", "--role", "reader", "--json"]).ok();
    assert!(made.json()["data"]["token"].as_str().unwrap().starts_with("tuh_"));
    run_hub(&home, &["token", "revoke", "ci", "--json"]).ok();
    let listed = run_hub(&home, &["token", "list", "--json"]).ok().json();
    let token = &listed["data"]["tokens"][0];
    assert_eq!(token["name"], "ci");
    assert_eq!(token["role"], "reader");
    assert!(token["revoked_at"].is_string(), "{token}");
    assert!(token.get("digest").is_none() && token.get("token").is_none(), "{token}");
}
