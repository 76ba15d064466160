//! The arguments of the program.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::str::FromStr;

use crate::LoadError;

/// What is left of the command line.
#[derive(Debug)]
pub(crate) struct Arguments(VecDeque<String>);

impl Arguments {
    pub(crate) fn from_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Takes the next one.
    pub(crate) fn next(&mut self, what: &str) -> Result<String, LoadError> {
        self.0.pop_front().ok_or_else(|| format!("{what} is missing").into())
    }

    /// Takes an option with its value, if it is there.
    pub(crate) fn option(&mut self, name: &str) -> Result<Option<String>, LoadError> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        let value = self.0.remove(at).ok_or_else(|| format!("{name} needs a value"))?;
        Ok(Some(value))
    }

    /// Takes an option that must be there.
    pub(crate) fn required<T: FromStr>(&mut self, name: &str) -> Result<T, LoadError> {
        let value = self.option(name)?.ok_or_else(|| format!("{name} is missing"))?;
        value.parse().map_err(|_| format!("{name} cannot be {value}").into())
    }

    /// Takes an option that names a file.
    pub(crate) fn file(&mut self, name: &str) -> Result<Option<PathBuf>, LoadError> {
        Ok(self.option(name)?.map(PathBuf::from))
    }

    /// Takes an option without a value; returns whether it is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|word| word == name);
        found.is_some_and(|at| self.0.remove(at).is_some())
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), LoadError> {
        match self.0.front() {
            None => Ok(()),
            Some(word) => Err(format!("{word} is not understood").into()),
        }
    }
}
