//! A session whose database is reached by HTTPS, and servers that answer otherwise meanwhile.

use std::sync::{Arc, Mutex};

use support::network::http_server::{HttpServer, Reply};

use super::super::http_answers::{Answer, doubts, exchange, hanging, is_commit, refusals};
use super::super::scene::{Server, check_each};
use super::fixture::RemoteSession;
use super::outlast::Pulls;

/// How many steps a session does while its server answers otherwise.
const STEPS: usize = 3;

/// What a server does with the next requests.
#[derive(Clone, Copy)]
enum Mode {
    /// It carries them out.
    CarryOut,
    /// It answers this.
    Refuse(fn() -> Reply),
    /// It carries them out, and answers this to those that commit.
    Forget(fn() -> Reply),
}

/// A server that carries requests out, or does not.
struct Gateway {
    url: String,
    mode: Arc<Mutex<Mode>>,
}

impl Gateway {
    fn start(server: &'static Server) -> Self {
        let mode = Arc::new(Mutex::new(Mode::CarryOut));
        let current = Arc::clone(&mode);
        let identity = server.authority.sign("localhost");
        let http = HttpServer::start_with(Some(identity), move |request| {
            let mode = *current.lock().unwrap();
            match mode {
                Mode::Refuse(reply) => reply(),
                Mode::Forget(reply) if is_commit(request) => {
                    exchange(&server.postgres, request);
                    reply()
                }
                _ => exchange(&server.postgres, request),
            }
        });
        let root = server.authority.file().display().to_string();
        let place = format!("localhost:{}/path?via=postgrest&sslrootcert={root}", http.port);
        Self { url: format!("https://{place}"), mode }
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

fn check(server: &'static Server, name: &str, mode: Mode, pulls: Pulls) {
    let gateway = Gateway::start(server);
    let session = RemoteSession::start(server, &gateway.url);
    let (begin, end) = (|| gateway.set(mode), |()| gateway.set(Mode::CarryOut));
    session.outlast(name, pulls, 0..STEPS, begin, end);
}

#[test]
fn a_refusal_by_https_holds_no_hook_up_and_loses_nothing() {
    let Some(server) = Server::shared() else { return };
    let answers: Vec<Answer> = refusals().into_iter().chain(doubts()).chain([hanging()]).collect();
    check_each(&answers, |answer| {
        check(server, answer.name, Mode::Refuse(answer.reply), Pulls::Fail);
    });
}

#[test]
fn an_answer_by_https_that_is_lost_again_and_again_repeats_nothing() {
    let Some(server) = Server::shared() else { return };
    let answers: Vec<Answer> = doubts().into_iter().chain([hanging()]).collect();
    check_each(&answers, |answer| {
        check(server, answer.name, Mode::Forget(answer.reply), Pulls::MaySucceed);
    });
}
