//! Faults of a shared database and of the way to it, as the user of a command meets them.
//!
//! Every case is a row of a table: how the database is reached, and what the command says. What
//! must hold in each of them is checked in one place: [`scene::Scene::check`].

mod crashes;
mod following;
mod hooks;
mod http_answers;
mod kills;
mod logins;
mod name_lookup;
mod network;
mod overload;
mod scene;
mod standby;
