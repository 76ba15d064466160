//! `trueup queue add`: adding the phases of an item with their dependencies.

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ItemCase, PhaseCase};
use crate::commands::phase_names::warn_of_typing_error;
use crate::number_argument::{parse_natural, parse_whole_number};
use crate::output::Output;
use clap::Args;
use serde_json::{Map, Value, json};
use trueup_core::model::phase::{NewPhases, PhaseName, PhasePlanError, plan_phases};
use trueup_core::model::{AdwId, EventKind, ItemKey, Phase, QueueId};
use trueup_core::store::PhaseFilter;
use trueup_core::text::pluralize;

use super::render::{phase_line, phase_views};

#[derive(Debug, Clone, Args)]
pub(crate) struct QueueAddArgs {
    /// Item key
    pub(crate) item: ItemKey,
    /// Phases, in order, also of own names [default: plan, validate, build, lint, test, review, document, ship, cleanup,
    /// verify]
    #[arg(long, value_name = "P,…", value_delimiter = ',')]
    pub(crate) phases: Vec<PhaseName>,
    /// Dependencies by phase number: 4=1,3 or 4=1,3;5=4; 4= for none
    #[arg(long, value_name = "N=N,…")]
    pub(crate) depends: Vec<String>,
    /// Priority; lower numbers come first, 10 is urgent
    #[arg(long, value_name = "N", default_value_t = trueup_core::model::phase::DEFAULT_PRIORITY, allow_negative_numbers = true, value_parser = parse_whole_number::<i64>)]
    pub(crate) priority: i64,
    /// Id of the workflow, whose metadata is agents/<ID>/adw_state.json
    #[arg(long, value_name = "ID")]
    pub(crate) adw: Option<AdwId>,
    /// Issue number
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_natural)]
    pub(crate) issue: Option<i64>,
    /// Parent issue number
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_natural)]
    pub(crate) parent_issue: Option<i64>,
    /// Data for the scripts of the phases
    #[arg(long, value_name = "JSON", value_parser = parse_json_object)]
    pub(crate) data: Option<Map<String, Value>>,
}

fn parse_json_object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) fn cmd_add(context: &CommandContext, arguments: QueueAddArgs) -> CommandResult {
    let names =
        if arguments.phases.is_empty() { PhaseName::USUAL.to_vec() } else { arguments.phases };
    let phases = plan_phases(&names, &arguments.depends)
        .map_err(|error| plan_error_to_command_error(&error))?;
    let item = arguments.item;
    let store = &mut *context.open_for_change()?;
    context.find_active_session(store)?;
    let filter = PhaseFilter { item: Some(item.clone()), ..PhaseFilter::default() };
    let first = QueueId::for_phase(&item, 1);
    if context.find_replay(store, "phase", Some(first.as_str()), &[EventKind::Added])?.is_some() {
        return Ok(build_added_output(&store.list_phases(&filter)?));
    }
    if store.load_item(&item)?.is_none() {
        let case = ItemCase::ItemToAddToNotFound { item: (&item).into() };
        return Err(CommandError::new(case, format!("item {item} does not exist")));
    }
    let existing_phases = store.list_phases(&filter)?;
    if !existing_phases.is_empty() {
        let message = format!(
            "item {item} already has {}",
            pluralize(existing_phases.len(), "phase", "phases")
        );
        let case = PhaseCase::PhasesExist { item: (&item).into() };
        return Err(CommandError::new(case, message)
            .with_data(json!({"rows": phase_views(&existing_phases)})));
    }
    let new_phases = NewPhases {
        item,
        phases,
        priority: arguments.priority,
        issue_number: arguments.issue,
        feature_id: arguments.parent_issue,
        adw_id: arguments.adw.map(|id| id.to_string()),
        data: arguments.data,
    };
    let provenance = context.provenance(&context.resolve_actor(store)?, "queue add");
    Ok(build_added_output(&store.add_phases(&new_phases, &provenance)?))
}

fn build_added_output(phases: &[Phase]) -> Output {
    let text = phases.iter().map(|row| phase_line("added ", row));
    Output::page(text.collect::<Vec<_>>(), json!({"rows": phase_views(phases)}))
        .with_warnings(phases.iter().filter_map(|phase| warn_of_typing_error(&phase.name)))
}

fn plan_error_to_command_error(error: &PhasePlanError) -> CommandError {
    let message = format!("--depends: {error}");
    match error {
        PhasePlanError::Syntax(_) | PhasePlanError::DuplicateNumber(_) => {
            CommandError::usage("trueup queue add --help", message)
        }
        PhasePlanError::UnknownNumber(..) => {
            CommandError::new(PhaseCase::PhaseToDependOnNotFound, message)
        }
        PhasePlanError::Cycle(_) => CommandError::new(PhaseCase::PhaseCycle, message),
    }
}
