//! What is done with each key that SDKs are known to send (secrecy contract 3.3), as data.
//!
//! This is open mode: what is not listed here is scanned by the firewall and kept if it passes. The crowd gate of 3.2
//! (store a city, region, time zone or device model only where enough persons share it) does not exist yet, so these
//! four are dropped everywhere, also when a caller sets them; only the country is kept. That is the gate's answer for a
//! crowd of nobody, and loosening it later loses nothing that was promised.

pub mod closed_lists;
pub mod key_words;
pub mod reductions;
pub mod url;

use hashbrown::HashMap;

/// What happens to a value because of its key alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    Keep,
    Reduce(Reduction),
    /// Identifying: into the vault on profiles, dropped on events.
    Seal,
    Drop,
}

/// How a kept value is made coarser. The functions are in [`reductions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Browser,
    Os,
    Device,
    Manufacturer,
    SearchEngine,
    MajorVersion,
    /// The lower bound of a width bucket.
    Width,
    Url,
    /// A path without scheme and host.
    Path,
    Host,
    /// The allow-listed part of a query string.
    QueryString,
    /// `scheme://registrable-domain/`.
    Referrer,
    ReferringDomain,
    CountryCode,
    /// At most 100 scalars of text.
    Campaign,
    Elements,
    Classes,
    ElementId,
    /// A date without its time.
    Day,
    Transactions,
}

use Reduction::*;
use Treatment::{Drop, Keep, Reduce, Seal};

/// The table of 3.3, row by row. Identity keys are taken out before the firewall sees an event; those listed here are
/// the leftovers (aliases, stray copies) that simplified identity has no use for.
const TABLE: &[(Treatment, &str)] = &[
    (
        Drop,
        "distinct_id $device_id $user_id $distinct_id $identified_id $anon_id $anon_distinct_id alias $distinct_ids \
         $group_id $group_key $distinct_id_before_identity $preshuffle_distinct_id group_key",
    ),
    (Seal, "$name $first_name $last_name $email $phone $avatar"),
    (Drop, "ip $ip X-Forwarded-For $latitude $longitude"),
    (Reduce(CountryCode), "mp_country_code $country_code"),
    (Keep, "$geo_source"),
    (Drop, "$city $region $timezone $model $ios_device_model $android_model"),
    (Reduce(Browser), "$browser"),
    (Reduce(Os), "$os"),
    (Reduce(SearchEngine), "$search_engine"),
    (Reduce(Device), "$device"),
    (
        Reduce(Manufacturer),
        "$manufacturer $brand $ios_manufacturer $android_manufacturer $android_brand",
    ),
    (
        Reduce(MajorVersion),
        "$browser_version $os_version $ios_version $android_os_version $android_os $ios_os_version",
    ),
    (Reduce(Width), "$screen_width $viewportWidth $pageWidth"),
    (
        Drop,
        "$screen_height $viewportHeight $pageHeight $screen_dpi $watch_model $wifi $bluetooth_enabled $bluetooth_version \
         $radio $carrier $has_nfc $has_telephone $google_play_services $clientX $clientY $offsetX $offsetY $pageX $pageY \
         $screenX $screenY $x $y $scroll_top $scroll_height $max_scroll_view_depth",
    ),
    (
        Drop,
        "$android_devices $ios_devices idfa idfv gaid aaid advertising_id $ios_ifa",
    ),
    (
        Drop,
        "dclid fbclid gclid gbraid wbraid ko_click_id li_fat_id msclkid sccid ttclid twclid yclid _ga mc_eid _hsenc",
    ),
    (Reduce(Url), "$current_url $el_attr__href replay_start_url"),
    (Reduce(Host), "$host current_domain"),
    (Reduce(Path), "$pathname current_url_path"),
    (Keep, "current_url_protocol"),
    (Reduce(QueryString), "current_url_search"),
    (Reduce(Referrer), "$referrer $initial_referrer"),
    (Reduce(ReferringDomain), "$referring_domain $initial_referring_domain"),
    (Drop, "mp_keyword current_page_title $el_text $target"),
    (Keep, "$el_attr__role $el_attr__type"),
    (Reduce(Elements), "$elements"),
    (Reduce(Classes), "$el_classes"),
    (Reduce(ElementId), "$el_id"),
    (Keep, "$el_tag_name $event_type $mp_autocapture $captured_for_heatmap"),
    (
        Reduce(Campaign),
        "utm_source utm_medium utm_campaign utm_content utm_term utm_id utm_source_platform utm_campaign_id \
         utm_creative_format utm_marketing_tactic",
    ),
    (
        Keep,
        "mp_lib $lib_version $swift_lib_version $android_lib_version $ios_lib_version $app_version $app_build_number \
         $app_version_string $app_release $ios_app_version $ios_app_release $android_app_version \
         $android_app_version_code mp_processing_time_ms $import $scroll_percentage $scroll_checkpoint \
         $max_scroll_percentage $fold_line_percentage $duration $experiment_type",
    ),
    (
        Drop,
        "token mp_loader mp_sent_by_lib_version $had_persisted_distinct_id $mp_replay_id $mp_metadata $insert_id time \
         $ignore bucket $bucket",
    ),
    (Reduce(Day), "$created"),
    // Computed, never taken from a caller.
    (Drop, "$last_seen $mp_first_event_time"),
    (Reduce(Transactions), "$transactions"),
];

/// Rows whose keys are a prefix. The exact rows come first.
const PREFIXES: &[(Treatment, &str)] = &[
    (Drop, "$el_attr__"),
    (Drop, "replay_"),
    (Reduce(Campaign), "initial_utm_"),
    (Keep, "$ae_"),
];

/// The table, ready for look-ups.
pub struct Policy {
    exact: HashMap<&'static str, Treatment>,
}

impl Policy {
    pub fn open() -> Policy {
        let rows = TABLE
            .iter()
            .flat_map(|(treatment, keys)| keys.split_whitespace().map(|key| (key, *treatment)));
        Policy { exact: rows.collect() }
    }

    /// What the table says about a key, if it knows it.
    pub fn treatment(&self, key: &str) -> Option<Treatment> {
        let by_prefix = || {
            PREFIXES
                .iter()
                .find(|(_, prefix)| key.starts_with(prefix))
                .map(|(treatment, _)| *treatment)
        };
        self.exact.get(key).copied().or_else(by_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_listed_once() {
        let listed: usize = TABLE.iter().map(|(_, keys)| keys.split_whitespace().count()).sum();
        assert_eq!(Policy::open().exact.len(), listed);
    }

    #[test]
    fn exact_rows_come_before_prefixes() {
        let policy = Policy::open();
        assert_eq!(policy.treatment("$el_attr__role"), Some(Keep));
        assert_eq!(policy.treatment("$el_attr__title"), Some(Drop));
        assert_eq!(policy.treatment("initial_utm_source"), Some(Reduce(Campaign)));
        assert_eq!(policy.treatment("plan"), None);
    }
}
