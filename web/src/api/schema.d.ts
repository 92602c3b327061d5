// Generated from openapi.json by `npm run schema`. Do not edit.
export interface paths {
    "/api/v1/projects/{project}/annotations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Annotations of the project, by their time. */
        get: {
            parameters: {
                query?: {
                    /** @description Words that must all be in the name or the text, in any case. */
                    search?: string;
                    /** @description Only annotations at or after this instant. */
                    from_ms?: number;
                    /** @description Only annotations before this instant. */
                    to_ms?: number;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnnotationView"][];
                    };
                };
            };
        };
        put?: never;
        /** Writes an annotation. */
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
                    "application/json": components["schemas"]["AnnotationBody"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnnotationView"];
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
    "/api/v1/projects/{project}/annotations/{annotation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One annotation. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    annotation: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnnotationView"];
                    };
                };
            };
        };
        /** Changes an annotation: all of it, from the version named in `If-Match`. */
        put: {
            parameters: {
                query?: never;
                header: {
                    /** @description the version that was changed, as `"3"` */
                    "If-Match": string;
                };
                path: {
                    project: number;
                    annotation: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AnnotationBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AnnotationView"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Deletes an annotation. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    annotation: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/api/v1/projects/{project}/boards": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Boards of the project, by number. */
        get: {
            parameters: {
                query?: {
                    /** @description Words that must all be in the name or the text, in any case. */
                    search?: string;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BoardView"][];
                    };
                };
            };
        };
        put?: never;
        /** Makes a board. */
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
                    "application/json": components["schemas"]["BoardBody"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BoardView"];
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
    "/api/v1/projects/{project}/boards/{board}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One board. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    board: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BoardView"];
                    };
                };
            };
        };
        /** Changes a board: all of it, from the version named in `If-Match`. */
        put: {
            parameters: {
                query?: never;
                header: {
                    /** @description the version that was changed, as `"3"` */
                    "If-Match": string;
                };
                path: {
                    project: number;
                    board: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["BoardBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["BoardView"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Deletes a board; the reports on it stay. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    board: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/api/v1/projects/{project}/boards/{board}/cards/{card}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers one card: its saved report, with the board's range and filter. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    board: number;
                    card: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CardQuestion"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CardAnswer"];
                    };
                };
                /** @description there is no such board or card (any more), or, with `at` = `/report`, the card's report was deleted */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/cohorts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Saved cohorts of the project, by number. */
        get: {
            parameters: {
                query?: {
                    /** @description Words that must all be in the name or the text, in any case. */
                    search?: string;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"][];
                    };
                };
            };
        };
        put?: never;
        /** Saves a cohort under a name. Its definition is tried out first. */
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
                    "application/json": components["schemas"]["CohortBody"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"];
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
    "/api/v1/projects/{project}/cohorts/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The members of a cohort now, saved or not, by number. Recorded as a disclosure of everyone in the page. */
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
                    "application/json": components["schemas"]["CohortMembersBody"];
                };
            };
            responses: {
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
    "/api/v1/projects/{project}/cohorts/persons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which persons a list of identifiers belongs to. Every look-up is recorded with its purpose, a miss too. */
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
                    "application/json": components["schemas"]["IdentifiersBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PersonsView"];
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
    "/api/v1/projects/{project}/cohorts/size": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** How many are in a cohort now, saved or not. */
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
                    "application/json": components["schemas"]["CohortDefinition"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortSize"];
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
    "/api/v1/projects/{project}/cohorts/{cohort}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One saved cohort. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    cohort: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"];
                    };
                };
            };
        };
        /**
         * Changes a saved cohort: all of it, from the version named in `If-Match`. A frozen one keeps its members as long as its
         *     rule stays.
         */
        put: {
            parameters: {
                query?: never;
                header: {
                    /** @description the version that was changed, as `"3"` */
                    "If-Match": string;
                };
                path: {
                    project: number;
                    cohort: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CohortBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Forgets a saved cohort. Its number is not given out again; reports that use it are refused from now on. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    cohort: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/api/v1/projects/{project}/cohorts/{cohort}/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fixes who is in a cohort to those who are now. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    cohort: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"];
                    };
                };
                /** @description `conflict`: it was changed meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        /** Lets a frozen cohort follow its definition again. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    cohort: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CohortView"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/computed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All computed properties of the project. */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ComputedView"][];
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
    "/api/v1/projects/{project}/computed/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Saves a computed property under the name, replacing one that has it. */
        put: {
            parameters: {
                query?: never;
                header?: {
                    /** @description the version to replace, as `"3"`; any without it */
                    "If-Match"?: string | null;
                };
                path: {
                    project: number;
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ComputedBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ComputedView"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Forgets a computed property. What uses it is refused from now on. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/api/v1/projects/{project}/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Entries of the disclosure ledger. Reading it discloses nothing new about persons: numbers and field names. */
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    /** @description Only entries before this number, for older pages. */
                    before?: number;
                    /** @description Only entries that showed this person. */
                    person?: number;
                    /** @description Only entries of at least this class: `D1`, `D2`, `D3`. */
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
    "/api/v1/projects/{project}/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest events. Recorded as a disclosure of the persons in them; nothing new records nothing. */
        get: {
            parameters: {
                query?: {
                    /** @description Only events received after this one; 0 or absent for the newest. */
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
    "/api/v1/projects/{project}/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which person an identifier belongs to. A miss is an answer too, and recorded. */
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
    "/api/v1/projects/{project}/lookup-tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All lookup tables of the project. */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LookupTableView"][];
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
    "/api/v1/projects/{project}/lookup-tables/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Uploads a lookup table as CSV under the name, replacing one that has it. The first line names the columns, the first
         *     column is the key. A column that holds identities or secrets refuses the table.
         */
        put: {
            parameters: {
                query?: never;
                header?: {
                    /** @description the version to replace, as `"3"`; any without it */
                    "If-Match"?: string | null;
                };
                path: {
                    project: number;
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example plan,price
                     *     pro,20
                     *     free,0
                     */
                    "text/csv": string;
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LookupTableView"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Forgets a lookup table. What uses it is refused from now on. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    project: number;
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
    "/api/v1/projects/{project}/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** People with their ordinary properties. Recorded as a disclosure of everyone in the page. */
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
        /** One person by number: ordinary properties and what they did. */
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
        /** Who a person is. Needs a purpose, and is recorded in the vault's ledger and in the owner's. */
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
    "/api/v1/projects/{project}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers a report definition, exactly, with how the number came about. Who only looks at what others saved may ask a
         *     saved report's question, over any days.
         */
        post: {
            parameters: {
                query?: {
                    /** @description `json` (the default) or `csv`. Without it, `Accept: text/csv` asks for CSV too. */
                    format?: string;
                };
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Explained"];
                        "text/csv": string;
                    };
                };
                /** @description the definition is refused, with where and why */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/projects/{project}/query/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The persons that one number of a report's answer counts. Recorded as a disclosure of everyone in the page. */
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
                    "application/json": components["schemas"]["MembersBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PeopleView"];
                    };
                };
                /** @description the report has no such number, or is refused */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
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
        /** Saved reports of the project, by number. */
        get: {
            parameters: {
                query?: {
                    /** @description Words that must all be in the name or the text, in any case. */
                    search?: string;
                    /** @description Only reports whose question is of this kind, like `insights` or `funnel`. */
                    kind?: string;
                };
                header?: never;
                path: {
                    project: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
        /** Saves a report under a name. */
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
        /** One saved report. */
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
        /** Changes a saved report: all of it, from the version named in `If-Match`. */
        put: {
            parameters: {
                query?: never;
                header: {
                    /** @description the version that was changed, as `"3"` */
                    "If-Match": string;
                };
                path: {
                    project: number;
                    report: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SaveBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SavedReport"];
                    };
                };
                /** @description `conflict`: somebody else was faster */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
        /** Forgets a saved report. Cards of boards that show it then say that it was deleted. */
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
    "/api/v1/projects/{project}/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long events are kept. Older ones are in no answer from the next UTC day on, and leave the disk within a week. */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RetentionView"];
                    };
                };
            };
        };
        /** Changes how long events are kept. What falls out of it is gone for good: a longer time later brings nothing back. */
        put: {
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
                    "application/json": components["schemas"]["RetentionBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RetentionView"];
                    };
                };
                /** @description not an owner, admin or privacy officer */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        post?: never;
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
        /** Events and properties that the project has, for pickers. */
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
    "/api/v1/projects/{project}/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Token, endpoint, and whether anything has arrived yet. */
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
    "/api/v1/projects/{project}/sql": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The views with their columns, as they are now. */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SqlViews"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Answers one SELECT. Numbers over ten or more persons each are aggregates; everything else is recorded as a disclosure
         *     of the persons it is about.
         */
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
                    "application/json": components["schemas"]["SqlBody"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "columns": [
                         *         {
                         *           "name": "event",
                         *           "type": "text"
                         *         },
                         *         {
                         *           "name": "persons",
                         *           "type": "number"
                         *         }
                         *       ],
                         *       "rows": [
                         *         [
                         *           "Page viewed",
                         *           1204
                         *         ],
                         *         [
                         *           "Sign up",
                         *           86
                         *         ]
                         *       ],
                         *       "cut": false,
                         *       "limit": 100,
                         *       "explanation": {
                         *         "definition": "Numbers over ten or more persons each; at most 100 rows of the statement.",
                         *         "watermark": 48211,
                         *         "rows_read": 50000,
                         *         "bytes_read": 1000000,
                         *         "took_ms": 32,
                         *         "digest": "5f7c…",
                         *         "class": "D0"
                         *       }
                         *     }
                         */
                        "application/json": components["schemas"]["ExplainedRows"];
                    };
                };
                /** @description the statement is refused, with line and column */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
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
        /** The most frequent values of a property in the last 31 days. */
        get: {
            parameters: {
                query: {
                    property: string;
                    event?: string;
                    /** @description `event` (default) or `user`. */
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
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The current sign-in. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description not signed in */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        put?: never;
        /** Exchanges a login code for a session cookie. The code works once. */
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
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description unknown, used or expired code */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        /** Ends the current sign-in, at once and everywhere. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
        /** What runs here. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
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
        /** @description What is shown of the persons' numbers of events. */
        Aggregate: "mean" | "median" | {
            /**
             * Format: double
             * @description 0 to 100.
             */
            percentile: number;
        } | "min" | "max";
        /** @description A note at a time. Stored as JSON of a catalog document of kind `annotation`. */
        Annotation: {
            /**
             * Format: int64
             * @description The instant; what decides where a chart shows it.
             */
            time_ms: number;
            /** @description The same as `YYYY-MM-DD HH:MM:SS` in the project's time zone. */
            date: string;
            /** @description What happened, as plain text. */
            description: string;
            tags?: string[];
        };
        /**
         * @description An annotation as it is written.
         * @example {
         *       "date": "2026-08-03 14:00",
         *       "description": "Release 2.0",
         *       "tags": [
         *         "release"
         *       ]
         *     }
         */
        AnnotationBody: {
            /** @description `YYYY-MM-DD`, or with a time `YYYY-MM-DD HH:MM[:SS]`, in the project's time zone. A day means its beginning. */
            date: string;
            /** @description What happened: 1 to 500 characters of plain text. */
            description: string;
            /** @description Words to find it by; at most 10. */
            tags?: string[];
        };
        AnnotationView: components["schemas"]["RecordView"] & {
            annotation: components["schemas"]["Annotation"];
        };
        /** @description The numbers that answer a [`Report`]. */
        Answer: (components["schemas"]["InsightsAnswer"] & {
            /** @enum {string} */
            kind: "insights";
        }) | (components["schemas"]["FunnelAnswer"] & {
            /** @enum {string} */
            kind: "funnel";
        }) | (components["schemas"]["RetentionAnswer"] & {
            /** @enum {string} */
            kind: "retention";
        }) | (components["schemas"]["FrequencyAnswer"] & {
            /** @enum {string} */
            kind: "frequency";
        }) | (components["schemas"]["StickinessAnswer"] & {
            /** @enum {string} */
            kind: "stickiness";
        }) | (components["schemas"]["LifecycleAnswer"] & {
            /** @enum {string} */
            kind: "lifecycle";
        }) | (components["schemas"]["FlowAnswer"] & {
            /** @enum {string} */
            kind: "flow";
        });
        /** @enum {string} */
        Attempt: "first" | "furthest";
        /** @description Which events of an attempt give it its segments. */
        Attribution: "first" | "last" | "any" | {
            /** @description The step listed at this index. */
            step: number;
        };
        /**
         * @description A board. Its name, number and version stand beside it.
         *
         *     Cards lie in a grid of 12 columns and flow in their order: each stands right of the one before, and in the next line
         *     where it does not fit any more. So no two cards can overlap, the order on screen is the order for a keyboard and a
         *     screen reader, and a narrow screen shows the same order in one column.
         * @example {
         *       "description": "What we look at on Mondays.",
         *       "range": {
         *         "last_days": 30
         *       },
         *       "filter": "properties[\"plan\"] == \"pro\"",
         *       "cards": [
         *         {
         *           "id": 1,
         *           "width": 12,
         *           "height": 1,
         *           "text": "## Sign-ups\nGoal: **200** a week."
         *         },
         *         {
         *           "id": 2,
         *           "width": 6,
         *           "height": 3,
         *           "report": 4,
         *           "chart": "columns"
         *         }
         *       ]
         *     }
         */
        Board: {
            /** @description What it is for, as plain text. */
            description?: string;
            range?: components["schemas"]["BoardRange"] | null;
            /** @description Applies to every report on the board, as `filter_rule` says. */
            filter?: unknown;
            filter_rule?: components["schemas"]["FilterRule"];
            cards?: components["schemas"]["Card"][];
        };
        BoardBody: {
            name: string;
            board: components["schemas"]["Board"];
        };
        /** @description Days that stay, or days that move with the calendar. */
        BoardRange: components["schemas"]["DateRange"] | components["schemas"]["LastDays"];
        BoardView: components["schemas"]["RecordView"] & {
            board: components["schemas"]["Board"];
        };
        /** @description A saved report, or text. */
        Card: {
            /**
             * Format: int32
             * @description Number of the card on its board; stays when cards are moved.
             */
            id: number;
            /**
             * Format: int32
             * @description Columns of the 12, at least 3.
             */
            width: number;
            /**
             * Format: int32
             * @description Rows of the grid, 1 to 8. A card of text grows with its text.
             */
            height: number;
            /** @description Shown instead of the name of the report. */
            title?: string | null;
            /**
             * Format: int64
             * @description Number of a saved report. Either this or `text`.
             */
            report?: number | null;
            /** @description Shown instead of the chart that the report was saved with. */
            chart?: string | null;
            /** @description Plain text with a little Markdown: headings, lists, **bold**, *italic*, `code`, links. No HTML. */
            text?: string | null;
        };
        /** @description A card's report, the question that was asked of it, and the answer. */
        CardAnswer: {
            saved: components["schemas"]["SavedReport"];
            /** @description The report's question with the board's range and filter in it. */
            report: components["schemas"]["Report"];
            explained: components["schemas"]["Explained"];
        };
        /**
         * @description What is asked of a card beside what the board says.
         * @example {
         *       "range": {
         *         "last_days": 7
         *       }
         *     }
         */
        CardQuestion: {
            range?: components["schemas"]["BoardRange"] | null;
        };
        /**
         * @description How closely an answer comes to single persons (secrecy contract 5.1).
         * @enum {string}
         */
        Class: "D0" | "D1" | "D2" | "D3";
        Cohort: {
            /**
             * Format: int64
             * @description Persons born in the bucket.
             */
            born: number;
            /** @description Persons who returned in interval 0, 1, …; ends with the last interval that has begun. */
            returned: number[];
            /**
             * Format: int32
             * @description How many of these intervals, from the first on, are over for everybody of the cohort.
             */
            complete: number;
        };
        /**
         * @example {
         *       "name": "Regular listeners",
         *       "cohort": {
         *         "rule": {
         *           "kind": "did",
         *           "events": {
         *             "event": "Song played"
         *           },
         *           "count": {
         *             "at_least": 3
         *           },
         *           "when": {
         *             "last_days": 30
         *           }
         *         }
         *       }
         *     }
         */
        CohortBody: {
            name: string;
            cohort: components["schemas"]["CohortDefinition"];
        };
        /** @description How often. */
        CohortCount: {
            /** Format: int64 */
            at_least: number;
        } | {
            /** Format: int64 */
            at_most: number;
        } | {
            /** Format: int64 */
            exactly: number;
        };
        /**
         * @description A cohort as it is saved.
         * @example {
         *       "rule": {
         *         "kind": "all",
         *         "rules": [
         *           {
         *             "kind": "did",
         *             "events": {
         *               "event": "Song played"
         *             },
         *             "count": {
         *               "at_least": 3
         *             },
         *             "when": {
         *               "last_days": 30
         *             }
         *           },
         *           {
         *             "kind": "not",
         *             "rule": {
         *               "kind": "profile",
         *               "filter": "properties[\"plan\"] == \"premium\""
         *             }
         *           }
         *         ]
         *       }
         *     }
         */
        CohortDefinition: {
            /** Format: int32 */
            version?: number;
            /** @description What it is for, in its owner's words. */
            description?: string;
            rule: components["schemas"]["CohortRule"];
            frozen?: components["schemas"]["Frozen"] | null;
        };
        CohortMembersBody: {
            cohort: components["schemas"]["CohortDefinition"];
            limit?: number;
            offset?: number;
        };
        CohortRule: {
            rules: components["schemas"]["CohortRule"][];
            /** @enum {string} */
            kind: "all";
        } | {
            rules: components["schemas"]["CohortRule"][];
            /** @enum {string} */
            kind: "any";
        } | {
            rule: components["schemas"]["CohortRule"];
            /** @enum {string} */
            kind: "not";
        } | {
            events: components["schemas"]["EventSelector"];
            count: components["schemas"]["CohortCount"];
            when: components["schemas"]["CohortWindow"];
            /** @enum {string} */
            kind: "did";
        } | {
            steps: components["schemas"]["EventSelector"][];
            /**
             * Format: int64
             * @description Time from the first step within which the last must happen, in milliseconds.
             */
            window_ms: number;
            /** @description When the first step happened. */
            when: components["schemas"]["CohortWindow"];
            /** @enum {string} */
            kind: "sequence";
        } | {
            filter: unknown;
            /** @enum {string} */
            kind: "profile";
        } | {
            report: components["schemas"]["Report"];
            cell: components["schemas"]["ReportCell"];
            /** @enum {string} */
            kind: "cell";
        } | {
            persons: number[];
            /** @enum {string} */
            kind: "persons";
        } | {
            /** Format: int64 */
            cohort: number;
            /** @enum {string} */
            kind: "cohort";
        };
        CohortSize: {
            /**
             * Format: int64
             * @description Persons, exactly.
             */
            size: number;
            /** @description The definition in words. */
            words: string;
        };
        CohortView: components["schemas"]["RecordView"] & {
            /** @description A frozen one comes without its members: ask for these by `{"kind": "cohort"}`. */
            cohort: components["schemas"]["CohortDefinition"];
            /** @description The definition in words. */
            words: string;
        };
        /** @description When events count. */
        CohortWindow: "ever" | {
            /**
             * Format: int32
             * @description The last so many times 24 hours.
             */
            last_days: number;
        } | {
            range: components["schemas"]["DateRange"];
        };
        /** @enum {string} */
        Cohorts: "birth" | "first_ever" | "recurring";
        /**
         * @description What the answer is compared to. The comparison shows the segments of the answer, in their order, and the same ranges
         *     of numbers.
         */
        Compare: {
            /** @description The range with both ends moved back. In a shorter month a day is the month's last. */
            shift: {
                /** Format: int32 */
                count: number;
                unit: components["schemas"]["ShiftUnit"];
            };
        } | {
            /** @description The same range, but only events that this filter keeps too: those of a cohort, say. */
            where: {
                filter: unknown;
            };
        };
        /**
         * @example {
         *       "formula": "properties[\"price\"] - lookup(\"products\", \"cost\", properties[\"sku\"])"
         *     }
         */
        ComputedBody: {
            /** @description An expression, which may use other computed properties. */
            formula: unknown;
        };
        ComputedView: components["schemas"]["RecordView"] & {
            /** @description The formula as text. */
            formula: string;
        };
        /** @description The weighted mean of an interval is `returned / born`; nobody was born where no cohort is complete. */
        CurvePoint: {
            /** Format: int64 */
            born: number;
            /** Format: int64 */
            returned: number;
        };
        DateRange: {
            /** Format: date */
            from: string;
            /** Format: date */
            to: string;
        };
        /** @enum {string} */
        DayCount: "exactly" | "at_least";
        /**
         * @description Whether the answer went out.
         * @enum {string}
         */
        Decision: "released" | "refused";
        DurationBin: {
            /** Format: int64 */
            from_ms: number;
            /**
             * Format: int64
             * @description Excluded; absent for the bin behind the last edge.
             */
            to_ms?: number | null;
            /** Format: int64 */
            count: number;
        };
        /**
         * @description The duration at place `percent / 100 × (count − 1)` of all durations in ascending order, counted from 0; between two
         *     places, as far between their two durations.
         */
        DurationPercentile: {
            /** Format: int32 */
            percent: number;
            /** Format: double */
            ms: number;
        };
        /** @description How long something took, exactly, over everybody who is counted. */
        Durations: {
            /**
             * Format: double
             * @description The 50th percentile.
             */
            median_ms: number;
            /** @description As asked for and in that order. */
            percentiles: components["schemas"]["DurationPercentile"][];
            /** @description Every bin from the first to the last that holds any; empty if no histogram is asked for. */
            histogram: components["schemas"]["DurationBin"][];
        };
        EventRowView: {
            /**
             * Format: int64
             * @description Place in the order of arrival.
             */
            seq: number;
            event: string;
            /**
             * Format: int64
             * @description 0: nobody.
             */
            person: number;
            /** Format: int64 */
            time_ms: number;
            properties: unknown;
        };
        /** @description Which events a metric, step or cohort looks at. */
        EventSelector: {
            /** @description Event name; absent for any event. */
            event?: string | null;
            filter?: unknown;
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
        /** @description Events that end an attempt which they come between. */
        Exclusion: {
            /** @description Event name; absent for any event. */
            event?: string | null;
            filter?: unknown;
            /** @description Index of the step from which on the event is excluded. */
            from?: number;
            /** @description Index of the step up to which it is; the last when absent. */
            to?: number | null;
        };
        /** @description Tells events of one name apart by a value. */
        Expansion: {
            /** @description Absent for every event. */
            event?: string | null;
            property: unknown;
        };
        /** @description An answer with how it came about. */
        Explained: {
            answer: components["schemas"]["Answer"];
            explanation: components["schemas"]["Explanation"];
        };
        /** @description Rows with how they came about. */
        ExplainedRows: components["schemas"]["SqlRows"] & {
            explanation: components["schemas"]["Explanation"];
        };
        /** @description What a number means, how fresh it is and what it took. */
        Explanation: {
            /** @description The question in words. */
            definition: string;
            /**
             * Format: int64
             * @description Sequence number of the last event that the answer can include. It depends on no question.
             */
            watermark: number;
            /**
             * Format: int64
             * @description Rows that were read, rounded up to the next 10,000 and at least that: the exact figure would tell how many events
             *     a few persons have, who need not be in the answer.
             */
            rows_read: number;
            /**
             * Format: int64
             * @description Bytes that were read, rounded up to the next 1,000,000 and at least that.
             */
            bytes_read: number;
            /**
             * Format: double
             * @description Whole milliseconds, rounded up: about what the asker's own clock says.
             */
            took_ms: number;
            /** @description SHA-256 of the question's canonical JSON, in hexadecimal. */
            digest: string;
            class: components["schemas"]["Class"];
            /** @description The answer was kept from when the same was asked before. Nothing that it depends on has changed since. */
            from_cache: boolean;
            /** @description Somebody asked the same at the same time, and it was computed once for both. */
            shared: boolean;
            /**
             * Format: int64
             * @description How long the question could have run.
             */
            time_limit_ms: number;
        };
        /**
         * @description How the filter of a board meets the filter of a report.
         * @enum {string}
         */
        FilterRule: "narrow" | "replace";
        /**
         * @description What people do before, between and after anchors.
         *
         *     *Looked at* are the person's events in order of time, then reception; nobody's events have no flow. Events that the
         *     report's filter drops or `hide` names are as if they had not happened, except that sessions are made before
         *     either. Of the rest all can be anchors, and those that `only` names (all, when it is empty) are *steps*.
         *
         *     An *occurrence* starts at an event of the first anchor whose time lies in the range. Each further anchor is the next
         *     event of its selector after the one before, within reach. *Within reach* is: not later than `window_ms` after the start,
         *     and for steps before it not earlier than `window_ms` before; without `window_ms`, in the start's session. A start
         *     that misses an anchor makes no occurrence. Counted are, by [`FlowCount`]:
         *     - `person`: of each person the first occurrence;
         *     - `session`: of each session the first occurrence that starts in it;
         *     - `total`: every occurrence, in order, where the next one starts after the last anchor of the one before.
         *
         *     What was started and not completed is *incomplete*: persons (or sessions) with a start and no occurrence, or, with
         *     `total`, each start that is neither an occurrence nor inside one.
         *
         *     The *node* of an event is its name, and the value of the first expansion for it, if there is one. A value that
         *     is a list of several distinct elements is the JSON text of these.
         *
         *     A *path* is, in order: the last `before` steps before the first anchor, the anchors, in each gap between two anchors the
         *     first `between` steps and, where there are more, one `more` for all others, and the first `after` steps after the
         *     last anchor. *Repeats are collapsed* before that counting: of neighbours with equal nodes in the path, of an
         *     event that `collapse` names, only one stays, and of steps beside an equal anchor the anchor.
         *
         *     A path with fewer than `before` steps before has *begun* at its first node. One with fewer than `after` steps after
         *     ends at its last node: the *window ended* if the person has a later step that is not within reach (at any time
         *     that is stored), else they *dropped off*. So for every node, `count` is the links into it plus `began` (but for the
         *     first column), and the links out of it plus `dropped_off` plus `window_ended` (but for the last column).
         *
         *     *Sessions* (see [`super::SESSION_TIMEOUT_MS`]) are made of the events of the range.
         * @example {
         *       "anchors": [
         *         {
         *           "event": "Sign up"
         *         },
         *         {
         *           "event": "Purchase"
         *         }
         *       ],
         *       "before": 1,
         *       "between": 3,
         *       "after": 2,
         *       "window_ms": 86400000,
         *       "collapse": "all",
         *       "hide": [
         *         "Heartbeat"
         *       ],
         *       "expand": [
         *         {
         *           "event": "Page view",
         *           "property": "properties[\"page\"]"
         *         }
         *       ]
         *     }
         */
        Flow: {
            /** @description One to five events that every path goes through, in order. */
            anchors: components["schemas"]["EventSelector"][];
            /**
             * Format: int32
             * @description Steps to show before the first anchor.
             */
            before?: number;
            /**
             * Format: int32
             * @description Steps to show in each gap between two anchors.
             */
            between?: number;
            /**
             * Format: int32
             * @description Steps to show after the last anchor.
             */
            after?: number;
            /**
             * Format: int64
             * @description Reach of a path from its start, in milliseconds; one session when absent.
             */
            window_ms?: number | null;
            /** Format: int64 */
            session_timeout_ms?: number;
            count?: components["schemas"]["FlowCount"];
            expand?: components["schemas"]["Expansion"][];
            collapse?: components["schemas"]["Repeats"];
            /** @description Events that are as if they had not happened. */
            hide?: string[];
            /** @description The only events that are steps; all when empty. */
            only?: string[];
            /**
             * @description Nodes to show in each column: the largest by count, then by name and value. All others of the column are one
             *     `other`, whose persons are counted once.
             */
            nodes?: number;
            /** @description Whole paths to list, the most frequent first. */
            paths?: number;
            /** @description Value on the event that the occurrence starts with. */
            breakdown?: unknown;
            limit?: number;
        };
        FlowAnswer: {
            /** @description What each column is, in order. */
            columns: components["schemas"]["FlowColumn"][];
            /** @description First over everybody (empty segment), then by segment, most paths first. */
            segments: components["schemas"]["FlowSegment"][];
            /** @description Segments before the limit. */
            segments_total: number;
        };
        /**
         * @description The persons of the paths that a number of a flow counts.
         * @example {
         *       "number": {
         *         "link": {
         *           "from": {
         *             "column": 1,
         *             "kind": "event",
         *             "event": "Page view",
         *             "value": [
         *               "/pricing"
         *             ]
         *           },
         *           "to": {
         *             "column": 2,
         *             "kind": "other"
         *           }
         *         }
         *       }
         *     }
         */
        FlowCell: {
            number: components["schemas"]["FlowNumber"];
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        FlowColumn: {
            part: components["schemas"]["FlowPart"];
            /**
             * Format: int32
             * @description The anchor, from 0, that the column is or follows; the first one for columns before it.
             */
            anchor: number;
            /**
             * Format: int32
             * @description How many steps away from that anchor, from 1; 0 for an anchor.
             */
            distance: number;
        };
        /** @enum {string} */
        FlowCount: "person" | "session" | "total";
        /** @description Paths that go from one node to another: the next one of the path, whatever columns it skips. */
        FlowLink: {
            from: components["schemas"]["NodePlace"];
            to: components["schemas"]["NodePlace"];
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            persons: number;
        };
        FlowNode: components["schemas"]["NodeName"] & {
            /**
             * Format: int64
             * @description Of `other` the distinct nodes it stands for, of `more` the steps.
             */
            stands_for: number;
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            persons: number;
            began: components["schemas"]["FlowTotal"];
            dropped_off: components["schemas"]["FlowTotal"];
            window_ended: components["schemas"]["FlowTotal"];
        };
        /**
         * @description A number of a flow. Nodes stand by their names and not by their places, so that a number means the same when other
         *     nodes become more frequent. `other` is each node that the answer does not show for the segment; such a node may also be
         *     named by itself.
         */
        FlowNumber: "complete" | "incomplete" | {
            /** @description Paths with a node in the column. */
            reached: {
                column: number;
            };
        } | {
            /** @description Paths with this node. */
            node: {
                at: components["schemas"]["PathStep"];
                side?: components["schemas"]["FlowSide"];
            };
        } | {
            /** @description Paths in which the one node is followed by the other. */
            link: {
                from: components["schemas"]["PathStep"];
                to: components["schemas"]["PathStep"];
            };
        } | {
            /** @description Paths of exactly these nodes. */
            path: {
                steps: components["schemas"]["PathStep"][];
                side?: components["schemas"]["FlowSide"];
            };
        };
        /** @enum {string} */
        FlowPart: "before" | "anchor" | "between" | "more" | "after";
        FlowPath: {
            steps: components["schemas"]["PathStep"][];
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            persons: number;
            dropped_off: components["schemas"]["FlowTotal"];
            window_ended: components["schemas"]["FlowTotal"];
        };
        FlowSegment: {
            segment: unknown[];
            complete: components["schemas"]["FlowTotal"];
            incomplete: components["schemas"]["FlowTotal"];
            /** @description One per column. */
            steps: components["schemas"]["FlowStep"][];
            /** @description By column and node of their beginning, then of their end. */
            links: components["schemas"]["FlowLink"][];
            /** @description The most frequent whole paths. */
            paths: components["schemas"]["FlowPath"][];
            /** @description Distinct paths before the limit. */
            paths_total: number;
        };
        /**
         * @description Which of the paths with a node.
         * @enum {string}
         */
        FlowSide: "through" | "began" | "dropped_off" | "window_ended";
        FlowStep: {
            /** @description Paths that have a node in this column: the sum of its nodes. */
            reached: components["schemas"]["FlowTotal"];
            /** @description Largest first; `other` last. */
            nodes: components["schemas"]["FlowNode"][];
        };
        /** @description A count in the unit of [`FlowCount`], and the distinct persons behind it. */
        FlowTotal: {
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            persons: number;
        };
        /**
         * @description Of the persons active in a bucket, how many were active in at least 1, 2, … of its parts.
         *
         *     A person is *active* in a part (an hour or day by the clock of the report's time zone) that holds an event of `active`.
         *     Only the days of the range count, so a bucket that the range cuts has fewer parts.
         *
         *     With a breakdown, a segment is answered as if only its events had happened: who is active in two segments in one
         *     hour each is active in two hours, but in one hour of either segment.
         * @example {
         *       "kind": "frequency",
         *       "active": {
         *         "event": "API Called"
         *       },
         *       "unit": "day",
         *       "part": "hour",
         *       "limit": 10
         *     }
         */
        Frequency: {
            active: components["schemas"]["EventSelector"];
            /** @description Day, week or month. */
            unit: components["schemas"]["Unit"];
            /** @description Hour, or day within a week or month. */
            part: components["schemas"]["Unit"];
            /** @description Value on the event. */
            breakdown?: unknown;
            limit?: number;
        };
        FrequencyAnswer: {
            /** @description Bucket starts, every bucket of the range. */
            buckets: string[];
            /** @description Whether a bucket is cut by the range or not over at the time of asking. */
            partial: boolean[];
            /** @description First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first. */
            segments: components["schemas"]["FrequencySegment"][];
            segments_total: number;
        };
        /** @description Those active in at least so many parts of a bucket. */
        FrequencyCell: {
            bucket: number;
            at_least: number;
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        FrequencySegment: {
            segment: unknown[];
            /**
             * @description Per bucket the persons active in at least 1, 2, … parts: never more than the number before. As many numbers as the
             *     longest bucket of the unit has parts: 24, 168 or 744 hours, 7 or 31 days (more only where a clock went back by so
             *     much that a bucket of the range has more).
             */
            at_least: number[][];
        };
        /** @description The members of a moment. */
        Frozen: {
            /** Format: int64 */
            at_ms: number;
            /** @description Person numbers in order as lengths of runs, by turns of numbers left out and numbers in, from 0 on. */
            runs: number[];
        };
        /**
         * @description How many go through steps.
         *
         *     # Attempts
         *     An *attempt* starts at an event of a step that may come first, whose time lies in the range. Each further step takes
         *     the earliest (then first received) event of a step that may come next which is not used yet in this attempt, is not
         *     earlier than the step before minus `tie_ms`, nor earlier than the start minus `tie_ms`, and is not later than the
         *     start plus `window_ms`; the attempt ends at the first step without one. So events within `tie_ms` of each other may
         *     come in either order. Events after `to` can complete an attempt that started before.
         *
         *     An event *lies between* two steps of an attempt if it is later than the earlier one plus `tie_ms`, earlier than the
         *     later one minus `tie_ms`, and not used in the attempt: an event that could just as well have come before the first
         *     or after the second does not lie between them.
         *
         *     - [`Order::Ordered`]: the steps come as they are listed.
         *     - [`Order::Any`]: an anchored step keeps its place; a run of steps without anchor comes in any order. An event that
         *       may be several of them is the first listed. What the answer says of the step at index `i` then is about the
         *       `i + 1`th step that an attempt takes, whichever it is.
         *     - [`Order::Strict`]: as ordered, and no other event of the person, of any name, lies between the start and any step.
         *       The report's filter decides which events there are: an event that it drops is in nobody's way.
         *
         *     # Conditions on attempts
         *     - *Sessions*: with `window_sessions = n` all steps must lie in the session of the start or in the `n − 1` after it,
         *       besides the window in time. Sessions are made of all events of the person from the start of the range minus
         *       `tie_ms` to its end plus `window_ms` (see [`super::SESSION_TIMEOUT_MS`]).
         *     - *Held properties*: all steps of an attempt have the same value of each. Values are compared as a breakdown shows
         *       them (a list is its distinct elements in order). An event on which one of them is not set is no step.
         *     - *Exclusions*: an excluded event that lies between the step at index `from` and a later one, up to that at `to`,
         *       ends the attempt before that one; so the attempt counts up to the step before. Steps are counted as the attempt
         *       takes them. An excluded event with another value of a held property does not matter; one without a value does.
         *     - *First time*: an event is such a step only if it is the first (then first received) of all events ever, also before
         *       the range, that the step's selectors and the report's filter let through for this person.
         *
         *     # What is counted
         *     - [`FunnelCount::Uniques`]: persons. One attempt is counted per person for the whole range, and one per person and
         *       bucket (by the time of the start) for the trend: with [`Attempt::First`] the earliest start, with
         *       [`Attempt::Furthest`] the one with most steps, then the earliest start.
         *     - [`FunnelCount::Totals`]: attempts that do not overlap. The next attempt of a person starts at their earliest possible
         *       start after the one before is over: after the last of its events (in order of time, then reception) if it took all
         *       steps; at or after the first event that ended it (an exclusion, or any event of a strict funnel); after the
         *       window, in time or sessions, otherwise. An attempt without a next step is ended by such an event too.
         *     - [`FunnelCount::Sessions`]: sessions. Only steps within the session of the start count, and one attempt is counted per
         *       session, chosen as for persons, in the bucket of its start.
         *
         *     # Segments
         *     A counted attempt is in the segments of the values that `attribution` takes from the events of its steps. An attempt
         *     that has no such event, because it does not come to the step in question, is in the segment `null`.
         * @example {
         *       "steps": [
         *         {
         *           "event": "Sign up",
         *           "first_time": true
         *         },
         *         {
         *           "any_of": [
         *             {
         *               "event": "Invite"
         *             },
         *             {
         *               "event": "Create project",
         *               "filter": "properties[\"template\"] != \"demo\""
         *             }
         *           ]
         *         },
         *         {
         *           "event": "Upgrade"
         *         }
         *       ],
         *       "window_ms": 604800000,
         *       "exclusions": [
         *         {
         *           "event": "Cancel",
         *           "from": 0,
         *           "to": 2
         *         }
         *       ],
         *       "hold": [
         *         "properties[\"workspace\"]"
         *       ],
         *       "breakdown": "properties[\"plan\"]",
         *       "attribution": "last",
         *       "count": "uniques",
         *       "times": {
         *         "percentiles": [
         *           50,
         *           90
         *         ],
         *         "histogram": true
         *       },
         *       "unit": "week"
         *     }
         */
        Funnel: {
            steps: components["schemas"]["StepSelector"][];
            /**
             * Format: int64
             * @description Time from the first step within which the last must happen, in milliseconds.
             */
            window_ms: number;
            /**
             * Format: int32
             * @description Sessions from that of the first step on within which the last must happen too.
             */
            window_sessions?: number | null;
            /**
             * Format: int64
             * @description Longest gap within a session, in milliseconds.
             */
            session_timeout_ms?: number;
            /** Format: int64 */
            tie_ms?: number;
            order?: components["schemas"]["Order"];
            exclusions?: components["schemas"]["Exclusion"][];
            /** @description Up to three expressions that have the same value on all steps of an attempt. */
            hold?: unknown[];
            count?: components["schemas"]["FunnelCount"];
            attempt?: components["schemas"]["Attempt"];
            unit?: components["schemas"]["Unit"] | null;
            /** @description Value on the events of the counted attempt that `attribution` says. */
            breakdown?: unknown;
            attribution?: components["schemas"]["Attribution"];
            times?: components["schemas"]["TimesToConvert"] | null;
            limit?: number;
        };
        FunnelAnswer: {
            /** @description The whole range, first over everybody (empty segment), then by segment, largest first step first. */
            overall: components["schemas"]["FunnelSegment"][];
            /** @description Bucket starts; empty without a unit. */
            buckets: string[];
            /** @description One entry per bucket, each like `overall` with the same segments. */
            trend: components["schemas"]["FunnelSegment"][][];
            /** @description Segments before the limit. */
            segments_total: number;
        };
        /** @description Those who came to a step of a funnel, or those of them who came no further. */
        FunnelCell: {
            /** @description Index of the step, from 0. */
            step: number;
            side?: components["schemas"]["FunnelSide"];
            /** @description Index of the trend's bucket; the whole range when absent. */
            bucket?: number | null;
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        /** @enum {string} */
        FunnelCount: "uniques" | "totals" | "sessions";
        FunnelSegment: {
            segment: unknown[];
            steps: components["schemas"]["FunnelStep"][];
        };
        /** @enum {string} */
        FunnelSide: "reached" | "dropped_off";
        FunnelStep: {
            /**
             * Format: int64
             * @description Persons (attempts, sessions) whose counted attempt reached this step.
             */
            count: number;
            /**
             * Format: double
             * @description Mean milliseconds from the step before, over those persons; absent for the first step and where count is 0.
             *     A step that came before its predecessor by the tie rule counts as 0 ms.
             */
            mean_ms_from_previous?: number | null;
            /**
             * Format: double
             * @description Mean milliseconds from the first step, likewise.
             */
            mean_ms_from_start?: number | null;
            times_from_previous?: components["schemas"]["Durations"] | null;
            times_from_start?: components["schemas"]["Durations"] | null;
        };
        IdentifierView: {
            /** @description `user` or `device`. */
            kind: string;
            value: string;
        };
        IdentifiersBody: {
            /** @description User ids, device ids or e-mail addresses. They go to the vault and are kept nowhere. */
            identifiers: string[];
            purpose: components["schemas"]["PurposeBody"];
        };
        /**
         * @description Numbers over time.
         *
         *     Metrics have letters by position: the first is A, the second B. Every metric is measured in each bucket of the range,
         *     and once over the whole range for its total. What lies in a *bucket* depends on the options:
         *     - Without them it is the events of the bucket's time that lie in the range.
         *     - With `cumulative` it is the events from the range's beginning to the bucket's end.
         *     - With `rolling` it is the events of that many whole buckets, of which the bucket is the last, also of those before
         *       the range; but none after `to`. Totals stay those of the range.
         *
         *     So persons, values and percentiles are those of all these events together, not sums or means of smaller buckets.
         *
         *     A segment belongs to the answer when a metric selects an event of it in the time that one of the metric's numbers is
         *     measured over. Formulas are evaluated on the finished numbers: per segment in each bucket, and on the totals.
         * @example {
         *       "metrics": [
         *         {
         *           "event": "Order completed",
         *           "measure": {
         *             "sum": {
         *               "property": "revenue"
         *             }
         *           }
         *         },
         *         {
         *           "event": "Order completed",
         *           "measure": "unique",
         *           "hidden": true
         *         }
         *       ],
         *       "formulas": [
         *         {
         *           "name": "Revenue per buyer",
         *           "formula": "round(A / B)"
         *         }
         *       ],
         *       "unit": "week",
         *       "breakdown": [
         *         "user[\"plan\"]",
         *         {
         *           "value": "items",
         *           "edges": {
         *             "at": [
         *               1,
         *               5,
         *               10
         *             ]
         *           }
         *         }
         *       ],
         *       "limit": 10,
         *       "other": true,
         *       "rolling": 4,
         *       "compare": {
         *         "shift": {
         *           "count": 1,
         *           "unit": "year"
         *         }
         *       }
         *     }
         */
        Insights: {
            metrics: components["schemas"]["Metric"][];
            formulas?: components["schemas"]["NamedFormula"][];
            unit: components["schemas"]["Unit"];
            /** @description Values that split every metric into segments. */
            breakdown?: unknown[];
            /**
             * @description How many segments are shown, largest first (by the sum over all metrics, hidden ones too, of their range totals,
             *     then by segment value). The answer says how many there were.
             */
            limit?: number;
            /**
             * @description Also show the segments beyond the limit together, as one. It is measured over their events: an event in several of
             *     them counts once, and so does a person. An event that is in a shown segment too counts in both.
             */
            other?: boolean;
            cumulative?: boolean;
            /**
             * Format: int32
             * @description Number of buckets, 2 to 366.
             */
            rolling?: number | null;
            /** @description Also answer the same question for the range of equal length that ends the day before `from`. */
            compare_previous?: boolean;
            compare?: components["schemas"]["Compare"] | null;
            /**
             * Format: int64
             * @description See [`super::SESSION_TIMEOUT_MS`].
             */
            session_timeout_ms?: number;
        };
        InsightsAnswer: {
            /** @description Start of each bucket as local time: `2026-08-01` for days and longer, `2026-08-01 13:05:00` for shorter. */
            buckets: string[];
            /** @description Whether the range holds only a part of the bucket, or it was not over at the time of asking; one per bucket. */
            partial?: boolean[];
            /** @description Ordered by metric, then by the segment order of [`Insights::limit`], then the other segments together. */
            series: components["schemas"]["Series"][];
            /** @description Segments before the limit. */
            segments_total: number;
            previous?: components["schemas"]["InsightsAnswer"] | null;
        };
        /**
         * @description Those whose events one number of a metric is measured over: its bucket's with everything that `cumulative`, `rolling` or
         *     days of activity add to that. Of them are
         *     - with a sum, mean, median, percentile, smallest or largest number, the persons of events that have a number;
         *     - with distinct values, the persons of events that have a value;
         *     - with sessions, the persons of the sessions counted;
         *     - with everything else, the persons of all events that the metric selects.
         *
         *     A hidden metric has numbers too. A formula has none of its own: ask for a metric that it is made of.
         * @example {
         *       "metric": 0,
         *       "bucket": 3,
         *       "segment": [
         *         "pro",
         *         "1 - 5"
         *       ]
         *     }
         */
        InsightsCell: {
            /** @description Index in [`Insights::metrics`]. */
            metric: number;
            /** @description Index of the bucket; the total when absent. */
            bucket?: number | null;
            /** @description As the answer gives it, ranges of numbers by their names; empty without breakdown and for `other`. */
            segment?: unknown[];
            /** @description The segments beyond the limit together. Nobody, where there are none. */
            other?: boolean;
            /** @description The number of [`super::InsightsAnswer::previous`], what the answer is compared to, in its own buckets. */
            previous?: boolean;
        };
        /** @enum {string} */
        Intervals: "rolling" | "calendar";
        /** @description The last so many days, today included. */
        LastDays: {
            /** Format: int32 */
            last_days: number;
        };
        LedgerEntryView: {
            /** Format: int64 */
            seq: number;
            /** Format: int64 */
            time_ms: number;
            actor: string;
            action: string;
            /** @description `released` or `refused`. */
            decision: components["schemas"]["Decision"];
            class: components["schemas"]["Class"];
            /** Format: int64 */
            persons_count: number;
            /** @description The first of them, by number. */
            persons: number[];
            fields: string[];
            purpose_code?: components["schemas"]["PurposeCode"] | null;
            question_digest: string;
        };
        LedgerView: {
            /** @description Newest first. */
            entries: components["schemas"]["LedgerEntryView"][];
        };
        /**
         * @description Per bucket the persons who are new, returning, resurrected and dormant.
         *
         *     A person is *active* in a bucket that holds an event of `active` of theirs. Buckets are *whole* here: one that holds a
         *     day of the range counts with all its days, because half a week has other neighbours than a week. Buckets that have
         *     not begun at the time of asking are not in the answer.
         *
         *     In a bucket, a person is
         *     - *new* if it is the first they are active in, of all time or of the time looked back;
         *     - *returning* if they are active in it and in the bucket before;
         *     - *resurrected* if they are active in it, not in the bucket before, but in an earlier one;
         *     - *dormant* if they are not active in it, but were in the bucket before.
         *
         *     So those active in a bucket are its new, returning and resurrected persons, and those of the bucket before are its
         *     returning and dormant ones.
         *
         *     With a breakdown, a person is what they are over all their events, and shown in the segment of their first event (by
         *     time, then reception) of `active` in the bucket, a dormant one in that of the bucket before.
         * @example {
         *       "kind": "lifecycle",
         *       "active": {
         *         "event": "API Called"
         *       },
         *       "unit": "week",
         *       "limit": 10
         *     }
         */
        Lifecycle: {
            active: components["schemas"]["EventSelector"];
            /** @description Day, week or month. */
            unit: components["schemas"]["Unit"];
            /**
             * Format: int32
             * @description How many days before the first bucket are looked at, at least one bucket's (1, 7 or 31); all there are when
             *     absent.
             */
            look_back_days?: number | null;
            breakdown?: unknown;
            limit?: number;
        };
        LifecycleAnswer: {
            /** @description Bucket starts, up to the last that has begun. */
            buckets: string[];
            /** @description Whether a bucket is not over at the time of asking: its dormant persons may still come. */
            partial: boolean[];
            /** @description First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first. */
            segments: components["schemas"]["LifecycleSegment"][];
            segments_total: number;
        };
        LifecycleBucket: {
            /** Format: int64 */
            new: number;
            /** Format: int64 */
            returning: number;
            /** Format: int64 */
            resurrected: number;
            /** Format: int64 */
            dormant: number;
        };
        /** @description Those who are in a stage in a bucket. */
        LifecycleCell: {
            /** @description Index of the bucket, begun or not. */
            bucket: number;
            stage: components["schemas"]["LifecycleStage"];
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        LifecycleSegment: {
            segment: unknown[];
            /** @description One per bucket. */
            buckets: components["schemas"]["LifecycleBucket"][];
        };
        /** @enum {string} */
        LifecycleStage: "new" | "returning" | "resurrected" | "dormant";
        LiveView: {
            /** @description Newest first. */
            events: components["schemas"]["EventRowView"][];
            /**
             * Format: int64
             * @description What to send as `after` next time.
             */
            next: number;
        };
        LookupBody: {
            /** @description A user id, a device id or an e-mail address. */
            identifier: string;
            purpose: components["schemas"]["PurposeBody"];
        };
        LookupTableView: components["schemas"]["RecordView"] & {
            /** @description The column whose values are looked for. */
            key: string;
            /** @description The columns that can be asked for. */
            columns: string[];
            rows: number;
        };
        LookupView: {
            /** Format: int64 */
            person?: number | null;
        };
        /**
         * @description What is counted. In each bucket, and once over the whole range for the total.
         *
         *     *Percentile* p of n numbers in order, the first being number 0: the number at place p/100 · (n − 1); between two
         *     places, on the straight line from the one to the other. The median is percentile 50. (DuckDB: `quantile_cont`.)
         */
        Measure: "total" | "unique" | "per_person" | {
            /**
             * @description Distinct persons in the `days` calendar days that end with the bucket's last day in the range (DAU, WAU and MAU for
             *     1, 7 and 30), also in those before the range. The total is that of the last bucket. In hours, the hours that begin
             *     at most `days` · 24 hours before the bucket's end.
             */
            active: {
                /** Format: int32 */
                days: number;
            };
        } | "sessions" | {
            /**
             * @description Number of events of each person that has any; over these numbers the aggregate. 0 where there is none. Events of
             *     nobody do not count, so that they make no segment either.
             */
            frequency: {
                aggregate: components["schemas"]["Aggregate"];
            };
        } | {
            /** @description Sum of a number; values that are not numbers count as 0. */
            sum: {
                property: unknown;
            };
        } | {
            /** @description Mean of a number over the events that have one; 0 where none has. */
            mean: {
                property: unknown;
            };
        } | {
            /** @description Median of a number over the events that have one; 0 where none has. */
            median: {
                property: unknown;
            };
        } | {
            /** @description Percentile of a number over the events that have one; 0 where none has. */
            percentile: {
                property: unknown;
                /**
                 * Format: double
                 * @description 0 to 100.
                 */
                percentile: number;
            };
        } | {
            /**
             * @description Smallest number; 0 where no event has one. It is single persons' number: an answer that shows it discloses whose it
             *     is, if they are few. So do percentiles 0 and 100, and extremes of frequency.
             */
            min: {
                property: unknown;
            };
        } | {
            /** @description Largest number; 0 where no event has one. Like the smallest. */
            max: {
                property: unknown;
            };
        } | {
            /** @description Distinct values, told apart as a breakdown does: of a list its elements; what is not set does not count. */
            distinct: {
                property: unknown;
            };
        };
        /**
         * @example {
         *       "report": {
         *         "range": {
         *           "from": "2026-08-01",
         *           "to": "2026-08-31"
         *         },
         *         "question": {
         *           "kind": "funnel",
         *           "window_ms": 86400000,
         *           "steps": [
         *             {
         *               "event": "Sign up"
         *             },
         *             {
         *               "event": "Upgrade"
         *             }
         *           ]
         *         }
         *       },
         *       "cell": {
         *         "kind": "funnel",
         *         "step": 0,
         *         "side": "dropped_off"
         *       },
         *       "limit": 50
         *     }
         */
        MembersBody: {
            report: components["schemas"]["Report"];
            cell: components["schemas"]["ReportCell"];
            limit?: number;
            offset?: number;
        };
        Metric: {
            /** @description Event name; absent for any event. */
            event?: string | null;
            filter?: unknown;
            measure: components["schemas"]["Measure"];
            /** @description Not in the answer itself; for formulas alone. */
            hidden?: boolean;
        };
        /** @description A formula with the name it is shown by. */
        NamedFormula: {
            /** @description The formula itself when empty. */
            name?: string;
            /** @example round(100 * A / (A + B)) */
            formula: string;
        };
        /** @enum {string} */
        NodeKind: "event" | "other" | "more";
        NodeName: {
            kind: components["schemas"]["NodeKind"];
            /** @description Of kind `event` only. */
            event?: string | null;
            /** @description Empty where the event is not expanded. */
            value?: unknown[];
        };
        NodePlace: {
            column: number;
            /** @description Place in the column's nodes. */
            node: number;
        };
        /** @enum {string} */
        Order: "ordered" | "any" | "strict";
        /** @description A node in its column. In a whole path, rare nodes stand by their own names. */
        PathStep: components["schemas"]["NodeName"] & {
            column: number;
        };
        PeopleBody: {
            /** @description Over profile properties: `properties["plan"] == "pro"`, or the tree form. */
            filter?: unknown;
            sort?: components["schemas"]["SortBody"] | null;
            limit?: number;
            offset?: number;
        };
        PeopleView: {
            /** Format: int64 */
            total: number;
            people: components["schemas"]["PersonView"][];
        };
        PersonView: {
            /** Format: int64 */
            person: number;
            properties: unknown;
            /** Format: int64 */
            last_seen_ms?: number | null;
        };
        PersonsView: {
            /** @description Persons found, each once, in ascending order: for a list in a cohort. */
            persons: number[];
            /** @description How many identifiers belong to nobody. */
            unknown: number;
        };
        ProfileView: {
            /** Format: int64 */
            person: number;
            /** @description Numbers that were merged into this person. */
            merged_from: number[];
            properties: unknown;
            /** Format: int64 */
            last_seen_ms?: number | null;
            /** Format: int64 */
            first_event_ms?: number | null;
            /** Format: int64 */
            events_total: number;
            /** @description Newest first, at most a hundred. */
            events: components["schemas"]["EventRowView"][];
        };
        ProjectView: {
            /** Format: int32 */
            id: number;
            name: string;
            timezone: string;
        };
        PropertyView: {
            name: string;
            /** @description `event` or `user`. */
            scope: string;
            /** @description Value types seen: `string`, `number`, `bool`, `json`. */
            kinds: string[];
        };
        PurposeBody: {
            code: components["schemas"]["PurposeCode"];
            /** @description 10 to 500 characters. Sealed in the vault; the ledger holds a salted digest of it. */
            text: string;
        };
        /**
         * @description The closed list of purposes (secrecy contract, GT-12). A text goes with each; the code is what can be counted.
         * @enum {string}
         */
        PurposeCode: "support" | "fraud" | "security" | "legal" | "access_request" | "incident" | "migration" | "product_research";
        Question: (components["schemas"]["Insights"] & {
            /** @enum {string} */
            kind: "insights";
        }) | (components["schemas"]["Funnel"] & {
            /** @enum {string} */
            kind: "funnel";
        }) | (components["schemas"]["Retention"] & {
            /** @enum {string} */
            kind: "retention";
        }) | (components["schemas"]["Frequency"] & {
            /** @enum {string} */
            kind: "frequency";
        }) | (components["schemas"]["Stickiness"] & {
            /** @enum {string} */
            kind: "stickiness";
        }) | (components["schemas"]["Lifecycle"] & {
            /** @enum {string} */
            kind: "lifecycle";
        }) | (components["schemas"]["Flow"] & {
            /** @enum {string} */
            kind: "flow";
        });
        /** @description What is known about every document. */
        RecordView: {
            /**
             * Format: int64
             * @description Number of the document; never given to another one of its kind.
             */
            id: number;
            name: string;
            /**
             * Format: int64
             * @description One more with each change; a change names the one it was made from.
             */
            version: number;
            /** Format: int64 */
            created_ms: number;
            /** @description Who made it: `account:1`, or a machine's credential. Empty where it was not recorded. */
            created_by: string;
            /** Format: int64 */
            changed_ms: number;
            changed_by: string;
        };
        /** @description The events whose repeats are one. */
        Repeats: "none" | "all" | {
            events: string[];
        };
        /** @description A question. */
        Report: {
            /**
             * Format: int32
             * @description Version of this format; [`VERSION`].
             */
            version?: number;
            range: components["schemas"]["DateRange"];
            /** @description IANA name; the project's time zone when absent. */
            timezone?: string | null;
            /** @description Applies to every event that the question looks at. */
            filter?: unknown;
            question: components["schemas"]["Question"];
        };
        /**
         * @description One number of an answer that is about persons. Its *members* are exactly the persons that the number counts, or whose
         *     events it is measured over, whether or not the limit lets the answer show it: nothing is ever cut.
         * @example {
         *       "kind": "funnel",
         *       "step": 1,
         *       "side": "dropped_off",
         *       "segment": [
         *         "pro"
         *       ]
         *     }
         */
        ReportCell: (components["schemas"]["InsightsCell"] & {
            /** @enum {string} */
            kind: "insights";
        }) | (components["schemas"]["FunnelCell"] & {
            /** @enum {string} */
            kind: "funnel";
        }) | (components["schemas"]["RetentionCell"] & {
            /** @enum {string} */
            kind: "retention";
        }) | (components["schemas"]["FrequencyCell"] & {
            /** @enum {string} */
            kind: "frequency";
        }) | (components["schemas"]["StickinessCell"] & {
            /** @enum {string} */
            kind: "stickiness";
        }) | (components["schemas"]["LifecycleCell"] & {
            /** @enum {string} */
            kind: "lifecycle";
        }) | (components["schemas"]["FlowCell"] & {
            /** @enum {string} */
            kind: "flow";
        });
        /**
         * @description How many persons come back.
         *
         *     [`Cohorts::Birth`]: a person is *born* at their first event of `born` in the range and belongs to that bucket's
         *     cohort. [`Cohorts::FirstEver`]: at the first such event there is of them; if that lies before the range, they are in
         *     no cohort. [`Cohorts::Recurring`]: in every bucket with such an event, born at the first in the bucket. The report's
         *     filter and that of `born` are part of what "such" means, before the range too.
         *
         *     Between two births of one instant, the one received first decides the segment.
         *
         *     A *return* is an event of `returning` strictly later than the birth. It falls into *unit* number
         *     `floor((return − birth) / unit)` after the birth with [`Intervals::Rolling`], a unit being 24 hours, 7 times or 30
         *     times 24 hours; with [`Intervals::Calendar`] into the number of bucket boundaries between the two, so that a month
         *     is the calendar's. Returns after `to` count.
         *
         *     Each unit is an *interval*, or as many in a row as `brackets` says: brackets 1, 1, 2, 4 by day are the intervals day 0,
         *     day 1, days 2–3 and days 4–7. Interval 0 holds the birth. A return beyond the last interval counts in none (but see
         *     `on_or_after`).
         *
         *     A cohort shows the intervals whose earliest possible start has come by the time of asking: the start of the cohort's
         *     bucket plus the units before the interval (rolling), or the start of that bucket after it (calendar). Of these, the
         *     *complete* ones are over for everybody: the end of the cohort's bucket or of the range, whichever is earlier, plus the
         *     units up to the interval's end (rolling), or the end of the interval's last bucket (calendar), has come. The others
         *     still fill. With `on_or_after`, a return that is yet to come counts in complete intervals too.
         * @example {
         *       "kind": "retention",
         *       "born": {
         *         "event": "Sign up"
         *       },
         *       "returning": {},
         *       "unit": "day",
         *       "intervals": 4,
         *       "brackets": [
         *         1,
         *         1,
         *         2,
         *         4,
         *         7
         *       ],
         *       "cohorts": "first_ever",
         *       "limit": 10
         *     }
         */
        Retention: {
            born: components["schemas"]["EventSelector"];
            returning: components["schemas"]["EventSelector"];
            /** @description Day, week or month. */
            unit: components["schemas"]["Unit"];
            /**
             * Format: int32
             * @description Number of the last interval; with brackets, one less than there are.
             */
            intervals: number;
            /** @description Length of each interval in units; all are of one unit when empty. */
            brackets?: number[];
            interval_rule?: components["schemas"]["Intervals"];
            cohorts?: components["schemas"]["Cohorts"];
            /** @description A return in a later interval counts in every earlier one too ("on or after"). */
            on_or_after?: boolean;
            /** @description Value on the birth event. */
            breakdown?: unknown;
            limit?: number;
        };
        RetentionAnswer: {
            /** @description Bucket starts of the cohorts, every bucket of the range. */
            buckets: string[];
            /** @description First over everybody (empty segment), then by segment, largest number of births first. */
            segments: components["schemas"]["RetentionSegment"][];
            segments_total: number;
        };
        RetentionBody: {
            /**
             * Format: int32
             * @description Days that events are kept, 1 to 36,500; absent for ever.
             */
            days?: number | null;
            /** @description Events that are kept for another number of days, by name. */
            events?: {
                [key: string]: number;
            };
        };
        /** @description Those born in a cohort, or those of them who returned in an interval, or who did not. */
        RetentionCell: {
            /** @description Index of the cohort's bucket. */
            bucket: number;
            /**
             * Format: int32
             * @description Number of the interval, begun or not; all who were born when absent.
             */
            interval?: number | null;
            side?: components["schemas"]["RetentionSide"];
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        RetentionSegment: {
            segment: unknown[];
            /** @description One per bucket. */
            cohorts: components["schemas"]["Cohort"][];
            /** @description One per interval: the cohorts in which it is complete, together. */
            curve: components["schemas"]["CurvePoint"][];
        };
        /** @enum {string} */
        RetentionSide: "returned" | "not_returned";
        RetentionView: {
            /**
             * Format: int32
             * @description Days that events are kept; absent for ever.
             */
            days?: number | null;
            /** @description Events that are kept for another number of days, by name. */
            events: {
                [key: string]: number;
            };
            /** @description Rows past retention could not be removed from the disk when that was last tried. They are in no answer all the same. */
            overdue: boolean;
        };
        RevealBody: {
            purpose: components["schemas"]["PurposeBody"];
        };
        RevealView: {
            fields: unknown;
            identifiers: components["schemas"]["IdentifierView"][];
            /**
             * Format: int64
             * @description The entry that records this.
             */
            ledger_seq: number;
        };
        /**
         * @example {
         *       "name": "Weekly visitors",
         *       "description": "People who viewed a page.",
         *       "last_days": 90,
         *       "report": {
         *         "range": {
         *           "from": "2026-06-01",
         *           "to": "2026-08-31"
         *         },
         *         "question": {
         *           "kind": "insights",
         *           "metrics": [
         *             {
         *               "event": "Page viewed",
         *               "measure": "unique"
         *             }
         *           ],
         *           "unit": "week"
         *         }
         *       }
         *     }
         */
        SaveBody: {
            name: string;
            description?: string;
            report: components["schemas"]["Report"];
            /** Format: int32 */
            last_days?: number | null;
            chart?: string | null;
        };
        SavedReport: components["schemas"]["RecordView"] & {
            description: string;
            report: components["schemas"]["Report"];
            /**
             * Format: int32
             * @description Asks for the last so many days, today included, instead of the range in `report`.
             */
            last_days?: number | null;
            /** @description How the app shows the answer. */
            chart?: string | null;
        };
        SchemaView: {
            /** @description Most frequent first. */
            events: components["schemas"]["EventView"][];
            properties: components["schemas"]["PropertyView"][];
            /** @description Group and reference keys. */
            groups: string[];
        };
        Series: {
            /** @description Index in [`Insights::metrics`]; formulas go on behind them. */
            metric: number;
            segment: unknown[];
            /** @description All segments beyond the limit; `segment` is empty then. */
            other?: boolean;
            /** @description One per bucket; null where a formula has no result. */
            values: (number | null)[];
            /**
             * Format: double
             * @description Over the whole range; for persons not the sum of the buckets.
             */
            total?: number | null;
        };
        /** @description Who is signed in, what they may look at, and how well this installation keeps its keys. */
        SessionView: {
            /** Format: int64 */
            account: number;
            role: string;
            /** Format: int64 */
            expires_ms: number;
            tier: components["schemas"]["TierView"];
            projects: components["schemas"]["ProjectView"][];
            /** @description What somebody must act on; shown on every page. */
            alarms: string[];
        };
        SetupView: {
            /** @description Public by nature: it goes into pages. */
            token?: string | null;
            /** @description Where SDKs send to: this server as the caller reached it. */
            endpoint: string;
            /** @description The stock browser SDK, served from here. */
            script: string;
            /**
             * Format: int64
             * @description When the first event came; absent while none has.
             */
            first_event_ms?: number | null;
        };
        /** @enum {string} */
        ShiftUnit: "day" | "week" | "month" | "quarter" | "year";
        SignInBody: {
            /** @description The part of the login link behind `#`. */
            code: string;
        };
        SortBody: {
            property: string;
            descending?: boolean;
        };
        /**
         * @description A statement to answer.
         * @example {
         *       "sql": "select event, count(*) as events, count(distinct person) as persons\nfrom events\nwhere time >= '2026-03-01'\ngroup by event\nhaving count(distinct person) >= 10\norder by events desc",
         *       "limit": 100
         *     }
         */
        SqlBody: {
            /** @description One SELECT over `events`, `persons` and `groups`. */
            sql: string;
            /** @description Most rows wanted, 1 to 10,000. The answer says whether there are more. */
            limit?: number;
        };
        /** @description A column of a view or of an answer. */
        SqlColumn: {
            name: string;
            /** @description `text`, `number`, `boolean`, `timestamp`, `list` or `other`. */
            type: string;
        };
        /** @description The rows that answer a statement. */
        SqlRows: {
            columns: components["schemas"]["SqlColumn"][];
            /** @description One list of values per row. Instants are RFC 3339 texts; numbers that JSON has not are null. */
            rows: unknown[][];
            /** @description Whether there are more rows than these. */
            cut: boolean;
            /** @description Rows that were asked for at most. */
            limit: number;
        };
        /** @description A view, for a page that shows what there is to ask about. */
        SqlView: {
            name: string;
            columns: components["schemas"]["SqlColumn"][];
        };
        /** @description What there is to ask about. */
        SqlViews: {
            views: components["schemas"]["SqlView"][];
        };
        StatusView: {
            version: string;
            tier: components["schemas"]["TierView"];
            /**
             * Format: int64
             * @description Events stored, over all projects.
             */
            events: number;
            /** Format: int64 */
            uptime_s: number;
        };
        /** @description A step: one event by name and filter, or any of several. */
        StepSelector: {
            /** @description Event name; absent for any event, or where `any_of` is given. */
            event?: string | null;
            filter?: unknown;
            /** @description Instead of `event` and `filter`: an event that one of these selects is the step. */
            any_of?: components["schemas"]["EventSelector"][];
            /** @description Only the person's first such event ever. */
            first_time?: boolean;
            /** @description The step keeps its place in a funnel of any order. */
            anchored?: boolean;
        };
        /**
         * @description Of the persons active in a week or month, how many were active on exactly and on at least 1, 2, … of its days.
         *
         *     Counts as [`super::Frequency`] by day does: days of the report's time zone, only those of the range, each segment as if
         *     only its events had happened.
         * @example {
         *       "kind": "stickiness",
         *       "active": {
         *         "event": "API Called"
         *       },
         *       "unit": "week",
         *       "limit": 10
         *     }
         */
        Stickiness: {
            active: components["schemas"]["EventSelector"];
            /** @description Week or month. */
            unit: components["schemas"]["Unit"];
            /** @description Value on the event. */
            breakdown?: unknown;
            limit?: number;
        };
        StickinessAnswer: {
            /** @description Bucket starts, every bucket of the range. */
            buckets: string[];
            /** @description Whether a bucket is cut by the range or not over at the time of asking. */
            partial: boolean[];
            /** @description Days of each bucket that lie in the range and have begun at the time of asking. */
            days: number[];
            /** @description First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first. */
            segments: components["schemas"]["StickinessSegment"][];
            segments_total: number;
        };
        StickinessBucket: {
            /** @description Persons active on exactly 1, 2, … 7 (31) days. */
            exactly: number[];
            /** @description Persons active on at least 1, 2, … days. The first number is all who were active. */
            at_least: number[];
            /**
             * Format: double
             * @description Persons active on a mean day as a share of those active in the bucket: the days of activity of all persons
             *     together, divided by `days` and by the persons. What is called DAU/WAU and DAU/MAU. Absent where nobody was
             *     active or no day has begun.
             */
            ratio?: number | null;
        };
        /** @description Those active on so many days of a bucket. */
        StickinessCell: {
            bucket: number;
            days: number;
            count?: components["schemas"]["DayCount"];
            /** @description As the answer gives it; everybody when empty. */
            segment?: unknown[];
        };
        StickinessSegment: {
            segment: unknown[];
            /** @description One per bucket. */
            buckets: components["schemas"]["StickinessBucket"][];
        };
        TierView: {
            /** @description `T0` … `T3`. */
            code: string;
            label: string;
            /** @description What staff must know about it; shown on every page. */
            warning?: string | null;
        };
        /** @description How long steps took: percentiles and a histogram of the whole range, from the step before and from the first. */
        TimesToConvert: {
            /** @description Between 1 and 99. */
            percentiles?: number[];
            /** @description Also count how many took how long. */
            histogram?: boolean;
            /** @description Where one bin ends and the next begins, ascending; [`HISTOGRAM_EDGES_MS`] when empty. */
            edges_ms?: number[];
        };
        /**
         * @description Length of a time bucket. Weeks begin on Monday; quarters in January, April, July and October.
         * @enum {string}
         */
        Unit: "minute" | "hour" | "day" | "week" | "month" | "quarter";
        ValueView: {
            value: unknown;
            /**
             * Format: int64
             * @description Events with this value in the last 31 days.
             */
            rows: number;
        };
        ValuesView: {
            values: components["schemas"]["ValueView"][];
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
