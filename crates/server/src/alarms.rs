//! What somebody must act on, in words for every page of the app. The log and the metrics say more.

use crate::app_state::App;

pub fn alarms(app: &App) -> Vec<String> {
    let store = app.store.metrics();
    let mut alarms = Vec::new();
    if store.log_stopped > 0 {
        alarms
            .push("The log stopped after a failed sync: events are refused. Restart the server to recover.".to_owned());
    }
    match app.integrity.damaged_files() {
        0 => {}
        count => alarms.push(format!(
            "The last verification found {count} damaged on disk. `frostpane verify` names them; restore them from a backup."
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
