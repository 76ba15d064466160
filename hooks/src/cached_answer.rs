//! The start of a session whose database cannot be used: the local cache answers.

use trueup_core::hook::HookResponse;
use trueup_core::model::FieldValue;
use trueup_core::reconcile::{CacheReading, Policy, Reading, reconcile};
use trueup_core::sync::observe_without_database;
use trueup_core::text::one_line;

use crate::hook_context::render_findings;
use crate::{HookContext, HookOutcome};

/// Longest value of the cache that is shown, in characters.
const MAX_VALUE_CHARS: usize = 120;

/// Answers from the local cache while the database is unreachable, and says how old it may be.
/// `note` goes to stderr.
pub(crate) fn answer_from_cache(context: &HookContext, reason: &str, note: String) -> HookOutcome {
    let observation = observe_without_database(&context.payload.session, reason, &context.run);
    let policy = Policy { create_cache: false };
    let divergences = reconcile(&observation.snapshot, policy).divergences;
    let mut cache_origin = "so this is the local copy, which may be outdated".to_owned();
    let cache_text = match &observation.snapshot.cache {
        Reading::Fresh(cache) => {
            cache_origin = match &cache.session {
                Some(owner) if *owner == context.payload.session => {
                    describe_own_copy(context, cache, cache_origin)
                }
                Some(owner) => format!(
                    "and the local copy belongs to session {owner}, not to this one: it describes \
                     that session's work, which this session does not hold"
                ),
                None => "and the local copy does not say which session it belongs to".to_owned(),
            };
            let lines: Vec<String> = cache
                .fields
                .iter()
                .map(|(field, value)| match value {
                    FieldValue::Flag(flag) => {
                        format!("{}: {flag}", field.key())
                    }
                    FieldValue::Text(text) => format!(
                        "{}: {}",
                        field.key(),
                        one_line(text.as_deref().unwrap_or("none"), MAX_VALUE_CHARS)
                    ),
                })
                .collect();
            context.new_delimiter().wrap_lines(&lines.join("\n"))
        }
        _ => "There is no local cache either: it is unknown what this session holds.".to_owned(),
    };
    let findings = render_findings(&divergences).unwrap_or_default();
    let message = format!(
        "trueup: the database is unreachable, {cache_origin}. Do not hand off work until `trueup doctor` \
         reports that the database is back.\n{findings}\n{cache_text}"
    );
    let response = HookResponse {
        system_message: render_findings(&divergences),
        context: Some(("SessionStart", message)),
        ..HookResponse::default()
    };
    HookOutcome { response, notes: vec![note], ..HookOutcome::default() }
}

/// Says of which database the copy of the session is, if not of the one at this address.
fn describe_own_copy(context: &HookContext, cache: &CacheReading, otherwise: String) -> String {
    let run = &context.run;
    let here = run.databases().last_known_at(&run.settings.database_address());
    match (here, &cache.lineage) {
        (Some(here), Some(of_cache)) if here != *of_cache => {
            "and the local copy is of another database than the one at this address".to_owned()
        }
        (None, Some(_)) => "and nothing was ever read from this address, so the local copy may be \
                            of another database"
            .to_owned(),
        _ => otherwise,
    }
}
