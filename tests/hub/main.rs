//! `trueup-hub` as its users meet it: real processes, real clients.
