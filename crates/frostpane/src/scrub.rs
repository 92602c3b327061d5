//! Verification in the background: everything on disk is read again from time to time, slowly.
//!
//! Damage that nobody reads is damage that nobody mends while there still is a backup without it.

use crate::places::Places;
use crate::verify::verify_running;
use server::App;
use std::sync::Arc;
use std::time::Duration;

/// How long after the start the first pass begins: what a start has to do comes first.
const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);

/// Verifies again and again until the process ends. Reading only, it may be ended at any moment.
pub fn start(places: &Places, app: &Arc<App>, every_hours: u64, rate: u64) {
    if every_hours == 0 {
        return;
    }
    let (places, app) = (places.clone(), app.clone());
    std::thread::spawn(move || {
        let every = Duration::from_secs(every_hours * 60 * 60);
        std::thread::sleep(FIRST_AFTER.min(every));
        loop {
            if let Err(error) = verify_running(&places, &app, rate) {
                tracing::warn!(cause = %format!("{error:#}"), "The files could not be verified");
            }
            std::thread::sleep(every);
        }
    });
}
