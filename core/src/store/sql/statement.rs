//! SQL texts under names, and the columns they select.
//!
//! Every text is known at build time: an engine prepares a text once, and a database behind a
//! network can refuse whatever is not registered. Columns have names, which the compiler turns
//! into their places, so a column that is added or moved cannot shift the meaning of the others.

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number, a counter or a flag, which is 0 or 1.
    Integer,
    /// A text for a column that is JSON where the database has such columns.
    Json,
}

/// An SQL text under a name, for each dialect.
#[derive(Debug)]
pub struct Statement {
    name: &'static str,
    sqlite: &'static str,
    postgres: Option<&'static str>,
    params: &'static [Kind],
    is_repeated: bool,
    is_sign_of_life: bool,
    is_for_hub: bool,
}

impl Statement {
    /// A statement that runs once in most operations; its parameters are `?1`, `?2` and so on.
    pub const fn new(name: &'static str, sqlite: &'static str, params: &'static [Kind]) -> Self {
        Self {
            name,
            sqlite,
            postgres: None,
            params,
            is_repeated: false,
            is_sign_of_life: false,
            is_for_hub: false,
        }
    }

    /// Marks a statement that one process runs several times: an engine keeps it prepared.
    #[must_use]
    pub const fn repeated(self) -> Self {
        Self { is_repeated: true, ..self }
    }

    /// Marks a write of one row that causes no event: where many write, it does not wait for its
    /// turn among them.
    #[must_use]
    pub const fn sign_of_life(self) -> Self {
        Self { is_sign_of_life: true, ..self }
    }

    /// Marks a statement that a shared database runs for hubs and its owner alone.
    #[must_use]
    pub const fn for_hub(self) -> Self {
        Self { is_for_hub: true, ..self }
    }

    /// Gives the text for PostgreSQL, with the parameters written as for SQLite.
    #[must_use]
    pub const fn with_postgres(self, text: &'static str) -> Self {
        Self { postgres: Some(text), ..self }
    }

    /// The name, unique among all statements.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The text that SQLite understands.
    pub const fn sqlite(&self) -> &'static str {
        self.sqlite
    }

    /// The text that PostgreSQL understands, given the functions with SQLite's names that its
    /// schema defines.
    pub const fn postgres(&self) -> &'static str {
        match self.postgres {
            Some(text) => text,
            None => self.sqlite,
        }
    }

    /// What each parameter takes.
    pub const fn params(&self) -> &'static [Kind] {
        self.params
    }

    /// Whether one process runs it several times.
    pub const fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Whether a shared database runs it for hubs and its owner alone.
    pub const fn is_for_hub(&self) -> bool {
        self.is_for_hub
    }

    /// Whether it is a write of one row that causes no event.
    pub const fn is_sign_of_life(&self) -> bool {
        self.is_sign_of_life
    }
}

/// Names the place of a column in the rows of a statement.
pub trait Column: Copy {
    /// The place, counted from 0.
    fn place(self) -> usize;
}

impl Column for usize {
    fn place(self) -> usize {
        self
    }
}

/// The length of texts that are joined.
pub(super) const fn joined_length(parts: &[&str]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// Joins texts into as many bytes as they have.
pub(super) const fn join_bytes<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut joined = [0; LENGTH];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            joined[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    joined
}

/// Joins constant texts into one at build time.
macro_rules! joined {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::store::sql::statement::joined_length(PARTS)] =
            $crate::store::sql::statement::join_bytes(PARTS);
        match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("texts joined are a text"),
        }
    }};
}
pub(super) use joined;

/// The kind of a parameter by its word.
macro_rules! kind {
    (text) => {
        $crate::store::sql::statement::Kind::Text
    };
    (int) => {
        $crate::store::sql::statement::Kind::Integer
    };
    (json) => {
        $crate::store::sql::statement::Kind::Json
    };
}
pub(super) use kind;

/// Defines the statements of a module, and `STATEMENTS`, the list of them all.
///
/// Behind the name stand the kinds of the parameters, `text`, `int` or `json`. A text is one
/// constant or several that are joined. `@repeated` keeps it prepared, `@sign_of_life` lets it pass those who
/// wait for their turn; `@for_hub` is refused to other clients; a text behind `=> postgres` is for that dialect alone.
macro_rules! statements {
    ($(
        $(#[$attribute:meta])*
        $name:ident($($param:ident),*) = $(@$mark:ident)? $($part:expr),+ $(=> postgres $($other:expr),+)?;
    )+) => {
        $(
            $(#[$attribute])*
            pub(in crate::store) static $name: $crate::store::sql::statement::Statement =
                $crate::store::sql::statement::Statement::new(
                    concat!(module_path!(), "::", stringify!($name)),
                    $crate::store::sql::statement::joined!($($part),+),
                    &[$($crate::store::sql::statement::kind!($param)),*],
                )
                $(.$mark())?
                $(.with_postgres($crate::store::sql::statement::joined!($($other),+)))?;
        )+

        /// All statements of this module.
        pub(in crate::store) const STATEMENTS: &[&$crate::store::sql::statement::Statement] =
            &[$(&$name),+];
    };
}
pub(super) use statements;

/// Defines the columns that rows of one kind have: an enum of their names, whose constant `SQL`
/// lists them for a `SELECT`.
macro_rules! columns {
    (
        $(#[$attribute:meta])*
        $vis:vis enum $name:ident { $first:ident = $first_sql:literal $(, $column:ident = $sql:literal)* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $vis enum $name {
            $first,
            $($column),*
        }

        impl $name {
            /// The list of the columns.
            pub(in crate::store) const SQL: &str = concat!($first_sql $(, ", ", $sql)*);
        }

        impl $crate::store::sql::statement::Column for $name {
            fn place(self) -> usize {
                self as usize
            }
        }
    };
}
pub(super) use columns;
