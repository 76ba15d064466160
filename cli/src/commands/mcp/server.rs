//! The server: answers requests one after the other, and keeps its session alive between them.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use serde_json::{Map, Value, json};

use super::answers::{
    ClientInfo, Dialect, build_call_result, describe_connection, describe_tools, describe_versions,
};
use super::input::Input;
use super::message::{Line, Message, Request, RequestError, build_answer, parse_line};
use super::session_keeper::SessionKeeper;
use super::tool_run::run_command;
use super::tools::TOOLS;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult};
use crate::page::Page;
use crate::printer::{OutputStream, clean_line};

/// A connection with a client.
pub(super) struct Server<'c> {
    context: &'c CommandContext,
    session: SessionKeeper<'c>,
    output: OutputStream,
    /// How many tools were called.
    calls: u64,
}

impl<'c> Server<'c> {
    pub(super) fn new(context: &'c CommandContext) -> CommandResult<Self> {
        let session = SessionKeeper::new(context)?;
        Ok(Self { context, session, output: OutputStream::new(true), calls: 0 })
    }

    /// Answers until the connection ends, and returns how many tools were called.
    ///
    /// # Errors
    ///
    /// When the answers cannot be written.
    pub(super) fn serve(mut self, inputs: &Receiver<Input>) -> CommandResult<u64> {
        let served = self.serve_inputs(inputs);
        self.session.end();
        match served {
            // The client is gone, which ends a connection as well.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(self.calls),
        }
    }

    fn serve_inputs(&mut self, inputs: &Receiver<Input>) -> io::Result<()> {
        loop {
            match inputs.recv_timeout(self.session.idle_time()) {
                Ok(Input::Line(bytes)) => {
                    if let Some(answer) = self.answer_line(&bytes) {
                        self.output.print_item(|| answer, Page::default)?;
                    }
                }
                Ok(Input::LongLine) => {
                    let error = RequestError::invalid_request("the message is too long");
                    let answer = build_answer(&Value::Null, Err(error));
                    self.output.print_item(|| answer, Page::default)?;
                }
                Err(RecvTimeoutError::Timeout) => self.session.keep_while_idle(),
                Ok(Input::End) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Answers a line; nothing where it has no request.
    fn answer_line(&mut self, bytes: &[u8]) -> Option<Value> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        match parse_line(bytes) {
            Ok(Line::One(message)) => self.answer_message(message),
            Ok(Line::Batch(messages)) => {
                let answers: Vec<Value> =
                    messages.into_iter().filter_map(|it| self.answer_message(it)).collect();
                (!answers.is_empty()).then_some(Value::Array(answers))
            }
            Err(error) => Some(build_answer(&Value::Null, Err(error))),
        }
    }

    fn answer_message(&mut self, message: Message) -> Option<Value> {
        match message {
            Message::Request(request) => {
                let result = self.answer_request(&request);
                Some(build_answer(&request.id, result))
            }
            Message::Invalid(id) => {
                let error = RequestError::invalid_request("this is no JSON-RPC 2.0 request");
                Some(build_answer(&id, Err(error)))
            }
            Message::Unanswered => None,
        }
    }

    fn answer_request(&mut self, request: &Request) -> Result<Value, RequestError> {
        let params = &request.params;
        let dialect = Dialect::from_params(params)?;
        if let Some(client) = ClientInfo::from_params(params) {
            self.session.meet_client(client);
        }
        match request.method.as_str() {
            "initialize" => {
                // What keeps the session from being registered is said by each call.
                let _ = self.session.keep();
                Ok(describe_connection(params))
            }
            "server/discover" => Ok(describe_versions(dialect)),
            "ping" => Ok(dialect.complete(json!({}))),
            "tools/list" => Ok(describe_tools(dialect)),
            "tools/call" => self.call_tool(params).map(|result| dialect.complete(result)),
            method => Err(RequestError::unknown_method(method)),
        }
    }

    fn call_tool(&mut self, params: &Map<String, Value>) -> Result<Value, RequestError> {
        let name = params.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| RequestError::invalid_params("name is missing"))?;
        let tool = TOOLS.iter().find(|tool| tool.name == name);
        let tool =
            tool.ok_or_else(|| RequestError::invalid_params(format!("there is no tool {name:?}")))?;
        let no_arguments = Map::new();
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => &no_arguments,
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Err(RequestError::invalid_params("arguments is no object")),
        };
        let arguments = &self.name_held_item(name, arguments);
        let words = match tool.build_command_line(arguments) {
            Ok(words) => words,
            Err(problem) => return Ok(build_call_result(&format!("{name}: {problem}"), true)),
        };
        if let Err(error) = self.session.keep() {
            return Ok(build_call_result(&render_error(name, &error), true));
        }
        self.calls += 1;
        Ok(run_command(self.context, self.session.spoken_for(), &words))
    }

    /// Names the item of a release that sets a status, which is the one held unless it says so.
    fn name_held_item(&self, tool: &str, arguments: &Map<String, Value>) -> Map<String, Value> {
        let mut named = arguments.clone();
        let is_given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
        if tool == "release" && is_given("status") && !is_given("item") {
            // Where it cannot be found, the tool says that it is missing.
            let held = self.session.find_held_item().ok().flatten();
            named.extend(held.map(|item| ("item".to_owned(), json!(item))));
        }
        named
    }
}

/// Renders an error as the command would print it.
fn render_error(name: &str, error: &CommandError) -> String {
    let message = error.full_message();
    let hint = format!("hint: {}", error.render_hint(""));
    let first = format!("{name}: {message}");
    let lines: Vec<String> = first.lines().chain([hint.as_str()]).map(clean_line).collect();
    lines.join("\n")
}
