//! Merges trueup's hooks into Codex's `hooks.json`, and takes exactly those out again. Pure.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::artifacts;

/// The hooks that are registered, with `${BIN}` for the directory of the binaries.
const HOOKS: &str = include_str!("../../codex/hooks.json");

/// Builds the hooks of the binaries in a directory.
pub(crate) fn build_hooks(bin: &Path) -> Map<String, Value> {
    let hooks: Value = serde_json::from_str(HOOKS).unwrap_or_default();
    let mut hooks = hooks.get("hooks").and_then(Value::as_object).cloned().unwrap_or_default();
    for handler in hooks.values_mut().flat_map(list_handlers_mut) {
        if let Some(Value::String(command)) = handler.get_mut("command") {
            let name = command.trim_start_matches("${BIN}/");
            *command = render_command(bin, name);
        }
    }
    hooks
}

/// Lists the commands of those hooks.
pub(crate) fn list_commands(bin: &Path) -> Vec<String> {
    artifacts::HOOK_BINARIES.map(|name| render_command(bin, name)).to_vec()
}

/// Renders the command of a binary. Codex gives it to a shell.
fn render_command(bin: &Path, name: &str) -> String {
    let path = bin.join(name).display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Adds hooks behind those of others, whose places stay: Codex remembers by its place that a hook is
/// trusted. Hooks that are there already stay as they are, and other ones of these commands go.
///
/// # Errors
///
/// What of the file is not as Codex has it.
pub(crate) fn merge_hooks(
    file: &mut Value,
    hooks: &Map<String, Value>,
    own: &[String],
) -> Result<(), String> {
    if has_hooks(file, hooks, own) {
        return Ok(());
    }
    remove_hooks(file, own)?;
    let all = hooks_of(file)?;
    for (event, groups) in hooks {
        let there = all.entry(event.clone()).or_insert_with(|| json!([]));
        let there = there.as_array_mut().ok_or_else(|| format!("hooks.{event} is not a list"))?;
        there.extend(groups.as_array().into_iter().flatten().cloned());
    }
    Ok(())
}

/// Returns whether a file has exactly these hooks of these commands.
fn has_hooks(file: &Value, hooks: &Map<String, Value>, own: &[String]) -> bool {
    let own_groups = |groups: &Value| -> Vec<Value> {
        let groups = groups.as_array().into_iter().flatten();
        groups.filter(|group| has_own(group, own)).cloned().collect()
    };
    let there = file.get("hooks").and_then(Value::as_object);
    let there: Map<String, Value> = there
        .into_iter()
        .flatten()
        .map(|(event, groups)| (event.clone(), Value::Array(own_groups(groups))))
        .filter(|(_, groups)| groups != &json!([]))
        .collect();
    there.len() == hooks.len() && hooks.iter().all(|(event, it)| there.get(event) == Some(it))
}

/// Takes out the handlers that run one of these commands, and what is empty without them.
///
/// # Errors
///
/// What of the file is not as Codex has it.
pub(crate) fn remove_hooks(file: &mut Value, own: &[String]) -> Result<(), String> {
    let all = hooks_of(file)?;
    all.retain(|_, groups| {
        let Some(list) = groups.as_array_mut() else { return true };
        let had_own = list.iter().any(|group| has_own(group, own));
        list.retain_mut(|group| {
            let had_own = has_own(group, own);
            let Some(handlers) = group.get_mut("hooks").and_then(Value::as_array_mut) else {
                return true;
            };
            handlers.retain(|handler| !is_own(handler, own));
            !(had_own && handlers.is_empty())
        });
        !(had_own && list.is_empty())
    });
    Ok(())
}

/// Returns whether nothing is left in a file that has to be kept.
pub(crate) fn is_empty(file: &Value) -> bool {
    let Some(object) = file.as_object() else { return false };
    let has_no_hooks = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    object.iter().all(|(key, value)| key == "hooks" && has_no_hooks(value))
}

/// Returns whether a file has a handler that runs one of these commands.
pub(crate) fn has_own_hooks(file: &Value, own: &[String]) -> bool {
    let events = file.get("hooks").and_then(Value::as_object).into_iter().flatten();
    let mut groups = events.flat_map(|(_, groups)| groups.as_array().into_iter().flatten());
    groups.any(|group| has_own(group, own))
}

fn has_own(group: &Value, own: &[String]) -> bool {
    let handlers = group.get("hooks").and_then(Value::as_array);
    handlers.into_iter().flatten().any(|handler| is_own(handler, own))
}

fn is_own(handler: &Value, own: &[String]) -> bool {
    let command = handler.get("command").and_then(Value::as_str);
    command.is_some_and(|command| own.iter().any(|it| it == command))
}

fn list_handlers_mut(groups: &mut Value) -> impl Iterator<Item = &mut Value> {
    let groups = groups.as_array_mut().into_iter().flatten();
    groups.flat_map(|group| {
        group.get_mut("hooks").and_then(Value::as_array_mut).into_iter().flatten()
    })
}

/// Returns the hooks by event; creates them where there are none.
fn hooks_of(file: &mut Value) -> Result<&mut Map<String, Value>, String> {
    let object = file.as_object_mut().ok_or("is not a JSON object")?;
    let hooks = object.entry("hooks").or_insert_with(|| json!({}));
    hooks.as_object_mut().ok_or_else(|| "`hooks` is not an object".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign() -> Value {
        json!({"description": "mine", "hooks": {
            "Stop": [{"hooks": [{"type": "command", "command": "mine"}]}],
            "PostCompact": [{"matcher": "x", "hooks": []}],
        }})
    }

    #[test]
    fn what_was_merged_is_taken_out_again_and_nothing_else() {
        let bin = Path::new("/p/bin");
        let (hooks, own) = (build_hooks(bin), list_commands(bin));
        for before in [json!({}), json!({"hooks": {}}), foreign()] {
            let mut file = before.clone();
            merge_hooks(&mut file, &hooks, &own).unwrap();
            assert!(has_hooks(&file, &hooks, &own), "{file}");
            let once = file.clone();
            merge_hooks(&mut file, &hooks, &own).unwrap();
            assert_eq!(file, once);
            remove_hooks(&mut file, &own).unwrap();
            assert_eq!(file["hooks"], before.get("hooks").cloned().unwrap_or_else(|| json!({})));
            assert_eq!(file.get("description"), before.get("description"));
        }
    }

    #[test]
    fn hooks_of_others_keep_their_places() {
        let bin = Path::new("/p/bin");
        let mut file = foreign();
        merge_hooks(&mut file, &build_hooks(bin), &list_commands(bin)).unwrap();
        assert_eq!(file["hooks"]["Stop"][0], foreign()["hooks"]["Stop"][0]);
        assert_eq!(file["hooks"]["Stop"][1]["hooks"][0]["command"], "/p/bin/checkpoint-push");
    }

    #[test]
    fn an_altered_hook_and_one_of_an_older_place_are_replaced() {
        let (old, new) = (Path::new("/old/bin"), Path::new("/new place/bin"));
        let own = [list_commands(old), list_commands(new)].concat();
        let mut file = foreign();
        merge_hooks(&mut file, &build_hooks(old), &own).unwrap();
        file["hooks"]["PreToolUse"][0]["matcher"] = json!("Never");
        merge_hooks(&mut file, &build_hooks(new), &own).unwrap();
        assert!(!file.to_string().contains("/old/bin") && !file.to_string().contains("Never"));
        let command = &file["hooks"]["PreToolUse"][0]["hooks"][0]["command"];
        assert_eq!(command, "'/new place/bin/pre-handoff-validate'");
    }

    #[test]
    fn a_handler_beside_one_of_ours_stays() {
        let own = list_commands(Path::new("/p/bin"));
        let mine = json!({"type": "command", "command": "mine"});
        let ours = json!({"type": "command", "command": "/p/bin/checkpoint-push"});
        let mut file = json!({"hooks": {"Stop": [{"hooks": [ours, mine]}]}});
        remove_hooks(&mut file, &own).unwrap();
        assert_eq!(file, json!({"hooks": {"Stop": [{"hooks": [mine]}]}}));
        assert!(!is_empty(&file) && is_empty(&json!({"hooks": {}})) && is_empty(&json!({})));
    }

    #[test]
    fn what_is_no_file_of_hooks_is_refused() {
        let bin = Path::new("/p/bin");
        for mut file in [json!([]), json!({"hooks": []}), json!({"hooks": {"Stop": {}}})] {
            merge_hooks(&mut file, &build_hooks(bin), &list_commands(bin)).unwrap_err();
        }
    }
}
