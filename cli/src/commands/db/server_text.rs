//! A server of a shared database in one line.

use trueup_remote::ServerFacts;

/// Describes a server: version, encryption, round trip, and how far its clock is from this
/// machine's.
pub(crate) fn describe_server(facts: &ServerFacts) -> String {
    let encryption = match (facts.uses_tls, facts.certificate_days_left) {
        (false, _) => "no TLS".to_owned(),
        (true, None) => "TLS".to_owned(),
        (true, Some(days)) if days < 0 => "TLS, its certificate has expired".to_owned(),
        (true, Some(days)) => format!("TLS, certificate valid for {days} days"),
    };
    let (software, version) = (facts.software.name(), &facts.version);
    let round_trip = facts.round_trip.as_secs_f64() * 1000.0;
    let clock = facts.clock_ahead.as_millis();
    format!("{software} {version}, {encryption}, round trip {round_trip:.1} ms, clock {clock:+} ms")
}
