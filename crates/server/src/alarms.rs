//! What somebody must act on, in words for every page of the app. The log and the metrics say more.

use crate::app_state::App;

pub fn alarms(app: &App) -> Vec<String> {
    let store = app.store.metrics();
    let mut alarms = Vec::new();
    if store.log_stopped > 0 {
        alarms
            .push("The log stopped after a failed sync: events are refused. Restart the server to recover.".to_owned());
    }
    // What was set aside before the last start is known before the next verification.
    match app.integrity.damaged_files().max(store.damaged_segments) {
        0 => {}
        count => alarms.push(format!(
            "Damaged on disk: {count}. Questions that need what is damaged fail. `frostpane verify` names the files; restore them from a backup."
        )),
    }
    if store.retention_overdue > 0 {
        alarms.push(
            "Events past retention could not be removed from the disk. They are in no answer; the log says why."
                .to_owned(),
        );
    }
    alarms
}
