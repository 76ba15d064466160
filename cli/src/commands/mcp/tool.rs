//! A tool: its description for the client, and the check of the arguments of a call.

use serde_json::{Map, Value, json};

/// What an argument holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum ArgumentKind {
    Text,
    Flag,
    Count,
    OneOf(&'static [&'static str]),
}

/// An argument of a tool.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: ArgumentKind,
    pub(super) is_required: bool,
    /// What it is, where name and tool do not say it.
    pub(super) about: &'static str,
}

impl Argument {
    pub(super) const fn new(name: &'static str, kind: ArgumentKind, about: &'static str) -> Self {
        Self { name, kind, is_required: false, about }
    }

    pub(super) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Describes the argument as JSON Schema.
    fn to_schema(&self) -> Value {
        let mut schema = match self.kind {
            ArgumentKind::Text => json!({"type": "string"}),
            ArgumentKind::Flag => json!({"type": "boolean"}),
            ArgumentKind::Count => json!({"type": "integer", "minimum": 0}),
            ArgumentKind::OneOf(words) => json!({"type": "string", "enum": words}),
        };
        if !self.about.is_empty() {
            schema["description"] = json!(self.about);
        }
        schema
    }

    /// Reads a value as text. Models send numbers for texts and the other way round.
    fn read(&self, value: &Value) -> Result<String, String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err(format!("{} is neither text nor a number", self.name)),
        };
        let is_valid = match self.kind {
            ArgumentKind::Text => true,
            ArgumentKind::Flag => matches!(text.as_str(), "true" | "false"),
            ArgumentKind::Count => text.parse::<u32>().is_ok(),
            ArgumentKind::OneOf(words) => words.contains(&text.as_str()),
        };
        if is_valid { Ok(text) } else { Err(self.describe_expected()) }
    }

    fn describe_expected(&self) -> String {
        let name = self.name;
        match self.kind {
            ArgumentKind::Text => format!("{name} is a text"),
            ArgumentKind::Flag => format!("{name} is true or false"),
            ArgumentKind::Count => format!("{name} is a whole number from 0"),
            ArgumentKind::OneOf(words) => format!("{name} is one of {}", words.join(", ")),
        }
    }
}

/// A tool, which runs a command.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Whether no command that it runs changes anything.
    pub(super) is_reading: bool,
    pub(super) arguments: &'static [Argument],
    /// Builds the command line, without the program.
    pub(super) build_command: fn(&CallArguments) -> Result<Vec<String>, String>,
}

impl Tool {
    /// Describes the tool for a client.
    pub(super) fn to_description(&self) -> Value {
        let properties: Map<String, Value> = self
            .arguments
            .iter()
            .map(|argument| (argument.name.to_owned(), argument.to_schema()))
            .collect();
        let mut schema = json!({"type": "object", "properties": properties});
        let required = self.arguments.iter().filter(|argument| argument.is_required);
        let required: Vec<&str> = required.map(|argument| argument.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let mut description =
            json!({"name": self.name, "description": self.about, "inputSchema": schema});
        if self.is_reading {
            description["annotations"] = json!({"readOnlyHint": true});
        }
        description
    }

    /// Builds the command line of a call.
    ///
    /// # Errors
    ///
    /// What is wrong with the arguments, for the agent.
    pub(super) fn build_command_line(
        &self,
        given: &Map<String, Value>,
    ) -> Result<Vec<String>, String> {
        (self.build_command)(&self.check_arguments(given)?)
    }

    fn check_arguments(&self, given: &Map<String, Value>) -> Result<CallArguments, String> {
        let mut checked = Vec::new();
        for (name, value) in given {
            let Some(argument) = self.arguments.iter().find(|known| known.name == name) else {
                return Err(self.describe_unknown(name));
            };
            if !value.is_null() {
                checked.push((argument.name, argument.read(value)?));
            }
        }
        let checked = CallArguments(checked);
        let mut required = self.arguments.iter().filter(|argument| argument.is_required);
        match required.find(|argument| checked.text(argument.name).is_none()) {
            Some(missing) => Err(format!("{} is missing", missing.name)),
            None => Ok(checked),
        }
    }

    fn describe_unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.arguments.iter().map(|argument| argument.name).collect();
        format!("there is no argument {name:?}; there are {}", known.join(", "))
    }
}

/// The arguments of a call, checked.
#[derive(Debug)]
pub(super) struct CallArguments(Vec<(&'static str, String)>);

impl CallArguments {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str())
    }

    pub(super) fn has_flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Returns an argument that this use of the tool needs.
    pub(super) fn need(&self, name: &str, use_: &str) -> Result<&str, String> {
        self.text(name).ok_or_else(|| format!("{use_} needs {name}"))
    }
}

/// A command line in the making. A value never becomes an option, whatever it begins with.
#[derive(Debug)]
pub(super) struct CommandWords(Vec<String>);

impl CommandWords {
    /// Begins with the words of a command.
    pub(super) fn new(command: &str) -> Self {
        Self(command.split(' ').map(str::to_owned).collect())
    }

    /// Adds a word of the command.
    pub(super) fn word(mut self, word: &str) -> Self {
        self.0.push(word.to_owned());
        self
    }

    /// Adds options for the arguments that were given, by the same names.
    pub(super) fn options(mut self, arguments: &CallArguments, names: &[&str]) -> Self {
        for name in names {
            if let Some(text) = arguments.text(name) {
                self.0.push(format!("--{}={text}", name.replace('_', "-")));
            }
        }
        self
    }

    /// Adds flags for the arguments that are true, by the same names.
    pub(super) fn flags(mut self, arguments: &CallArguments, names: &[&str]) -> Self {
        let set = names.iter().filter(|name| arguments.has_flag(name));
        self.0.extend(set.map(|name| format!("--{}", name.replace('_', "-"))));
        self
    }

    /// Adds an option with this value.
    pub(super) fn option(mut self, name: &str, value: &str) -> Self {
        self.0.push(format!("--{name}={value}"));
        self
    }

    /// Ends the line with values that are no options.
    pub(super) fn values(mut self, values: &[&str]) -> Vec<String> {
        if !values.is_empty() {
            self.0.push("--".to_owned());
            self.0.extend(values.iter().map(|value| (*value).to_owned()));
        }
        self.0
    }
}
