//! The metadata file of a workflow: reading, changing, and what is wrong with it.

use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{
    JsonDocument, LockedChange, MetadataError, MetadataFile, check_metadata, find_last_writer,
    metadata_path, unparsable_finding, unreadable_finding,
};
use trueup_core::model::AdwId;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, MetadataCase};

/// Returns the metadata file of a workflow of the project.
pub(super) fn metadata_file(context: &CommandContext, id: &AdwId) -> MetadataFile {
    MetadataFile::new(&context.run.project.dir, id)
}

pub(super) fn display_path(id: &AdwId) -> String {
    metadata_path(id).to_string_lossy().into_owned()
}

/// Builds the finding of a file that cannot be read, so that the other files are still checked.
pub(super) fn unusable_file_finding(id: &AdwId, error: &MetadataError) -> Divergence {
    let place = display_path(id);
    match error {
        MetadataError::Unparsable { error, .. } => unparsable_finding(id, &place, error),
        other => unreadable_finding(id, &place, &other.reason()),
    }
}

/// Builds the error of a file that cannot be read. A file that cannot be parsed is also a finding.
pub(super) fn to_command_error(id: &AdwId, error: &MetadataError) -> CommandError {
    let mut command_error = CommandError::from(error);
    if let MetadataError::Unparsable { error, .. } = error {
        command_error.divergences = vec![unparsable_finding(id, &display_path(id), error)];
    }
    command_error
}

pub(super) fn not_found_error(id: &AdwId) -> CommandError {
    let message = format!("{} does not exist", display_path(id));
    CommandError::new(MetadataCase::MetadataNotFound { id: id.into() }, message)
}

/// Describes the writer of a file: the one it names, or else its owner.
pub(super) fn describe_writer(file: &MetadataFile, document: &JsonDocument) -> Option<String> {
    let owner = || file.owner_uid().map(|uid| format!("the user with uid {uid}"));
    find_last_writer(document).or_else(owner)
}

/// Lists the findings on a file that was read.
pub(super) fn list_findings(file: &MetadataFile, document: &JsonDocument) -> Vec<Divergence> {
    let writer = describe_writer(file, document);
    check_metadata(file.id(), &display_path(file.id()), document, writer.as_deref())
}

/// Renders findings as warnings.
pub(super) fn render_messages(divergences: &[Divergence]) -> Vec<String> {
    divergences.iter().map(|d| d.message.clone()).collect()
}

/// Changes a file under its lock.
pub(super) fn change_locked<T>(
    context: &CommandContext,
    file: &MetadataFile,
    mut decide: impl FnMut(Option<JsonDocument>) -> CommandResult<(Option<JsonDocument>, T)>,
) -> CommandResult<T> {
    /// An error of the decision, or of the file.
    enum Stop {
        Failure(CommandError),
        File(MetadataError),
    }
    impl From<MetadataError> for Stop {
        fn from(error: MetadataError) -> Self {
            Self::File(error)
        }
    }
    let lock = context.run.settings.paths.lock_of(file.path());
    let change = LockedChange { lock: &lock, patience: context.deadline().remaining() };
    file.update(change, |old| decide(old).map_err(Stop::Failure)).map_err(|stop| match stop {
        Stop::Failure(error) => error,
        Stop::File(error) => to_command_error(file.id(), &error),
    })
}
