// Generated from openapi.json by `npm run schema`. Do not edit.
export interface paths {
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The running session */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
            };
        };
        put?: never;
        /** Signs in with a one-time code */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SignInBody"];
                };
            };
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
            };
        };
        /** Signs out */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a report definition */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Explained"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/schema": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events and properties met so far */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SchemaView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/values": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Frequent values of a property */
        get: {
            parameters: {
                query: {
                    property: string;
                    event?: string;
                    scope?: string;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ValuesView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Newest events; recorded */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LiveView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Persons by number */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PeopleBody"];
                };
            };
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PeopleView"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/people/{person}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One person by number */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    person: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProfileView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/people/{person}/reveal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Shows who a person is; recorded */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    person: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RevealBody"];
                };
            };
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RevealView"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Finds a person by identifier; recorded */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["LookupBody"];
                };
            };
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LookupView"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who saw whom */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    before?: number;
                    person?: number;
                    class?: components["schemas"]["Class"];
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LedgerView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a site needs to send events */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SetupView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Saved reports */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedReport"][];
                    };
                };
            };
        };
        put?: never;
        /** Saves a report */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SaveBody"];
                };
            };
            responses: {
                /** @description Done. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedReport"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/reports/{report}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One saved report */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    report: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedReport"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Deletes a saved report */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    report: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs here */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StatusView"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A question. */
        Report: {
            /** Format: int32 */
            version?: number;
            range: components["schemas"]["DateRange"];
            timezone?: string | null;
            filter?: unknown;
            question: components["schemas"]["Question"];
        };
        DateRange: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
        };
        Question: (components["schemas"]["Insights"] & {
            /** @enum {string} */
            kind: "insights";
        }) | (components["schemas"]["Funnel"] & {
            /** @enum {string} */
            kind: "funnel";
        }) | (components["schemas"]["Retention"] & {
            /** @enum {string} */
            kind: "retention";
        });
        /** @description Which events a metric, step or cohort looks at. */
        EventSelector: {
            event?: string | null;
            filter?: unknown;
        };
        /**
         * @description Length of a time bucket. Weeks begin on Monday.
         * @enum {string}
         */
        Unit: "minute" | "hour" | "day" | "week" | "month" | "quarter";
        /** @description Numbers over time. */
        Insights: {
            metrics: components["schemas"]["Metric"][];
            unit: components["schemas"]["Unit"];
            breakdown?: unknown[];
            /** Format: int64 */
            limit?: number;
            compare_previous?: boolean;
        };
        Metric: {
            event?: string | null;
            filter?: unknown;
            measure: components["schemas"]["Measure"];
        };
        /** @description What is counted. In each bucket, and once over the whole range for the total. */
        Measure: "total" | "unique" | "per_person" | {
            sum: {
                property: unknown;
            };
        } | {
            mean: {
                property: unknown;
            };
        } | {
            min: {
                property: unknown;
            };
        } | {
            max: {
                property: unknown;
            };
        };
        /** @description How many persons go through steps in order. */
        Funnel: {
            steps: components["schemas"]["EventSelector"][];
            /** Format: int64 */
            window_ms: number;
            /** Format: int64 */
            tie_ms?: number;
            attempt?: components["schemas"]["Attempt"];
            unit?: null | components["schemas"]["Unit"];
            breakdown?: unknown;
            /** Format: int64 */
            limit?: number;
        };
        /** @enum {string} */
        Attempt: "first" | "furthest";
        /** @description How many persons come back. */
        Retention: {
            born: components["schemas"]["EventSelector"];
            returning: components["schemas"]["EventSelector"];
            unit: components["schemas"]["Unit"];
            /** Format: int32 */
            intervals: number;
            interval_rule?: components["schemas"]["Intervals"];
            cohorts?: components["schemas"]["Cohorts"];
            on_or_after?: boolean;
            breakdown?: unknown;
            /** Format: int64 */
            limit?: number;
        };
        /** @enum {string} */
        Intervals: "rolling" | "calendar";
        /** @enum {string} */
        Cohorts: "birth" | "recurring";
        Answer: (components["schemas"]["InsightsAnswer"] & {
            /** @enum {string} */
            kind: "insights";
        }) | (components["schemas"]["FunnelAnswer"] & {
            /** @enum {string} */
            kind: "funnel";
        }) | (components["schemas"]["RetentionAnswer"] & {
            /** @enum {string} */
            kind: "retention";
        });
        InsightsAnswer: {
            buckets: string[];
            series: components["schemas"]["Series"][];
            /** Format: int64 */
            segments_total: number;
            previous?: null | components["schemas"]["InsightsAnswer"];
        };
        Series: {
            /** Format: int64 */
            metric: number;
            segment: unknown[];
            values: number[];
            /**
             * Format: double
             * @description Over the whole range; for persons not the sum of the buckets.
             */
            total: number;
        };
        FunnelAnswer: {
            overall: components["schemas"]["FunnelSegment"][];
            buckets: string[];
            trend: components["schemas"]["FunnelSegment"][][];
            /** Format: int64 */
            segments_total: number;
        };
        FunnelSegment: {
            segment: unknown[];
            steps: components["schemas"]["FunnelStep"][];
        };
        FunnelStep: {
            /** Format: int64 */
            count: number;
            /** Format: double */
            mean_ms_from_previous?: number | null;
            /** Format: double */
            mean_ms_from_start?: number | null;
        };
        RetentionAnswer: {
            buckets: string[];
            segments: components["schemas"]["RetentionSegment"][];
            /** Format: int64 */
            segments_total: number;
        };
        RetentionSegment: {
            segment: unknown[];
            cohorts: components["schemas"]["Cohort"][];
        };
        Cohort: {
            /** Format: int64 */
            born: number;
            returned: number[];
        };
        /** @description How an answer came about. */
        Explanation: {
            definition: string;
            /** Format: int64 */
            watermark: number;
            /** Format: int64 */
            rows_read: number;
            /** Format: int64 */
            bytes_read: number;
            /** Format: double */
            took_ms: number;
            digest: string;
            class: components["schemas"]["Class"];
        };
        Explained: {
            answer: components["schemas"]["Answer"];
            explanation: components["schemas"]["Explanation"];
        };
        /** @enum {string} */
        Class: "D0" | "D1" | "D2" | "D3";
        TierView: {
            code: string;
            label: string;
            warning?: string | null;
        };
        ProjectView: {
            /** Format: int64 */
            id: number;
            name: string;
            timezone: string;
        };
        SessionView: {
            /** Format: int64 */
            account: number;
            role: string;
            /** Format: int64 */
            expires_ms: number;
            tier: components["schemas"]["TierView"];
            projects: components["schemas"]["ProjectView"][];
        };
        SignInBody: {
            code: string;
        };
        SchemaView: {
            events: components["schemas"]["EventView"][];
            properties: components["schemas"]["PropertyView"][];
            groups: string[];
        };
        EventView: {
            name: string;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            first_ms: number;
            /** Format: int64 */
            last_ms: number;
        };
        PropertyView: {
            name: string;
            scope: string;
            kinds: string[];
        };
        ValuesView: {
            values: components["schemas"]["ValueView"][];
        };
        ValueView: {
            value: unknown;
            /** Format: int64 */
            rows: number;
        };
        EventRowView: {
            /** Format: int64 */
            seq: number;
            event: string;
            /** Format: int64 */
            person: number;
            /** Format: int64 */
            time_ms: number;
            properties: unknown;
        };
        LiveView: {
            events: components["schemas"]["EventRowView"][];
            /** Format: int64 */
            next: number;
        };
        PeopleBody: {
            filter?: unknown;
            sort?: null | components["schemas"]["SortBody"];
            /** Format: int64 */
            limit?: number;
            /** Format: int64 */
            offset?: number;
        };
        SortBody: {
            property: string;
            descending?: boolean;
        };
        PersonView: {
            /** Format: int64 */
            person: number;
            properties: unknown;
            /** Format: int64 */
            last_seen_ms?: number | null;
        };
        PeopleView: {
            /** Format: int64 */
            total: number;
            people: components["schemas"]["PersonView"][];
        };
        ProfileView: {
            /** Format: int64 */
            person: number;
            merged_from: number[];
            properties: unknown;
            /** Format: int64 */
            last_seen_ms?: number | null;
            /** Format: int64 */
            first_event_ms?: number | null;
            /** Format: int64 */
            events_total: number;
            events: components["schemas"]["EventRowView"][];
        };
        PurposeBody: {
            code: components["schemas"]["PurposeCode"];
            /** @description 10 to 500 characters. */
            text: string;
        };
        /** @enum {string} */
        PurposeCode: "support" | "fraud" | "security" | "legal" | "access_request" | "incident" | "migration" | "product_research";
        RevealBody: {
            purpose: components["schemas"]["PurposeBody"];
        };
        RevealView: {
            fields: unknown;
            identifiers: components["schemas"]["IdentifierView"][];
            /** Format: int64 */
            ledger_seq: number;
        };
        IdentifierView: {
            kind: string;
            value: string;
        };
        LookupBody: {
            identifier: string;
            purpose: components["schemas"]["PurposeBody"];
        };
        LookupView: {
            /** Format: int64 */
            person: number | null;
        };
        LedgerEntryView: {
            /** Format: int64 */
            seq: number;
            /** Format: int64 */
            time_ms: number;
            actor: string;
            action: string;
            /** @enum {string} */
            decision: "released" | "refused";
            class: components["schemas"]["Class"];
            /** Format: int64 */
            persons_count: number;
            persons: number[];
            fields: string[];
            purpose_code?: string | null;
            question_digest: string;
        };
        LedgerView: {
            entries: components["schemas"]["LedgerEntryView"][];
        };
        SetupView: {
            token?: string | null;
            endpoint: string;
            script: string;
            /** Format: int64 */
            first_event_ms?: number | null;
        };
        SavedReport: {
            /** Format: int64 */
            id: number;
            name: string;
            report: components["schemas"]["Report"];
        };
        SaveBody: {
            name: string;
            report: components["schemas"]["Report"];
        };
        StatusView: {
            version: string;
            tier: components["schemas"]["TierView"];
            /** Format: int64 */
            events: number;
            /** Format: int64 */
            uptime_s: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
