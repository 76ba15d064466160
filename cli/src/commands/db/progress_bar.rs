//! The progress of an export or import.

use indicatif::{ProgressBar, ProgressStyle};
use trueup_core::store::sql::transfer::{TransferProgress, TransferStage};

/// A progress bar on stderr, which is shown only on a terminal.
pub(super) struct TransferBar {
    bar: ProgressBar,
    stage: Option<TransferStage>,
}

impl TransferBar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{msg} {bar:24} {pos}/{len} rows");
        let bar = ProgressBar::new(0);
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, stage: None }
    }

    /// One that is never shown, for an export whose rows are on the terminal themselves.
    pub(super) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), stage: None }
    }

    pub(super) fn show(&mut self, progress: TransferProgress) {
        let TransferProgress { stage, done, total } = progress;
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            // Before it is drawn anew: it would be full with the length of the stage before.
            self.bar.set_length(total);
            self.bar.set_message(match stage {
                TransferStage::Exporting => "exporting",
                TransferStage::Checking => "checking",
                TransferStage::Importing => "importing",
                TransferStage::Verifying => "verifying",
            });
            self.bar.reset();
            // A stage is shown however short it is.
            self.bar.force_draw();
        }
        self.bar.set_position(done);
    }
}

impl Drop for TransferBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
