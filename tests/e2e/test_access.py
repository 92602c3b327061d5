"""Who may ask what: every route of the router, without credentials, with wrong ones, with another project's, and from
another site. A route that is not listed here fails the test (checks 7, 10, 21, 34 of the secrecy contract)."""

from __future__ import annotations

import hashlib
import json
import re
import time

import pytest

from support.api import PURPOSE, Api, day, now_ms
from support.installation import REPOSITORY, Installation
from support.pages import changing

REPORT = {"range": {"from": day(-1), "to": day()},
          "question": {"kind": "insights", "metrics": [{"measure": "total"}], "unit": "day"}}
MEMBERS = {"cell": {"kind": "funnel", "step": 0, "side": "reached"},
           "report": {**REPORT, "question": {"kind": "funnel", "steps": [{"event": "Seen"}, {"event": "Seen"}], "window_ms": 1000}}}
BOARD = {"cards": [{"id": 1, "width": 6, "height": 3, "report": 1}]}
NOBODY = {"rule": {"kind": "did", "events": {"event": "Never"}, "count": {"at_least": 1}, "when": "ever"}}
COHORT = {"rule": {"kind": "did", "events": {"event": "Seen"}, "count": {"at_least": 1}, "when": "ever"}}
ANNOTATION = {"date": day(), "description": "Release 2.0"}
ROLES = ("owner", "admin", "analyst", "viewer", "privacy_officer", "auditor")
ASKS = {"owner", "admin", "analyst", "privacy_officer"}
READS = ASKS | {"viewer"}
# (method, path) of the app's own API, with a body that would succeed. {p}: project, {person}: somebody's number.
APP = {
    ("GET", "/api/v1/session"): None,
    ("DELETE", "/api/v1/session"): None,
    ("GET", "/api/v1/status"): None,
    ("POST", "/api/v1/projects/{project}/query"): REPORT,
    ("POST", "/api/v1/projects/{project}/query/members"): MEMBERS,
    ("GET", "/api/v1/projects/{project}/sql"): None,
    ("POST", "/api/v1/projects/{project}/sql"): {"sql": "select event, count(*) from events group by event"},
    ("GET", "/api/v1/projects/{project}/schema"): None,
    ("GET", "/api/v1/projects/{project}/values"): None,
    ("GET", "/api/v1/projects/{project}/live"): None,
    ("POST", "/api/v1/projects/{project}/people"): {"limit": 5},
    ("GET", "/api/v1/projects/{project}/people/{person}"): None,
    ("POST", "/api/v1/projects/{project}/people/{person}/reveal"): {"purpose": PURPOSE},
    ("POST", "/api/v1/projects/{project}/lookup"): {"identifier": "alice", "purpose": PURPOSE},
    ("GET", "/api/v1/projects/{project}/ledger"): None,
    ("GET", "/api/v1/projects/{project}/setup"): None,
    ("GET", "/api/v1/projects/{project}/retention"): None,
    ("PUT", "/api/v1/projects/{project}/retention"): {"days": 365, "events": {"Heartbeat": 30}},
    ("GET", "/api/v1/projects/{project}/reports"): None,
    ("POST", "/api/v1/projects/{project}/reports"): {"name": "Mine", "report": REPORT},
    ("GET", "/api/v1/projects/{project}/reports/{report}"): None,
    ("PUT", "/api/v1/projects/{project}/reports/{report}"): {"name": "Mine", "report": REPORT},
    ("DELETE", "/api/v1/projects/{project}/reports/{report}"): None,
    ("GET", "/api/v1/projects/{project}/boards"): None,
    ("POST", "/api/v1/projects/{project}/boards"): {"name": "Ours", "board": BOARD},
    ("GET", "/api/v1/projects/{project}/boards/{board}"): None,
    ("PUT", "/api/v1/projects/{project}/boards/{board}"): {"name": "Ours", "board": BOARD},
    ("POST", "/api/v1/projects/{project}/boards/{board}/cards/{card}/query"): {},
    ("DELETE", "/api/v1/projects/{project}/boards/{board}"): None,
    ("GET", "/api/v1/projects/{project}/annotations"): None,
    ("POST", "/api/v1/projects/{project}/annotations"): ANNOTATION,
    ("GET", "/api/v1/projects/{project}/annotations/{annotation}"): None,
    ("PUT", "/api/v1/projects/{project}/annotations/{annotation}"): ANNOTATION,
    ("DELETE", "/api/v1/projects/{project}/annotations/{annotation}"): None,
    ("GET", "/api/v1/projects/{project}/cohorts"): None,
    ("POST", "/api/v1/projects/{project}/cohorts"): {"name": "Ours", "cohort": COHORT},
    ("POST", "/api/v1/projects/{project}/cohorts/size"): COHORT,
    ("POST", "/api/v1/projects/{project}/cohorts/members"): {"cohort": COHORT},
    ("POST", "/api/v1/projects/{project}/cohorts/persons"): {"identifiers": ["alice"], "purpose": PURPOSE},
    ("GET", "/api/v1/projects/{project}/cohorts/{cohort}"): None,
    ("PUT", "/api/v1/projects/{project}/cohorts/{cohort}"): {"name": "Ours", "cohort": COHORT},
    ("POST", "/api/v1/projects/{project}/cohorts/{cohort}/freeze"): None,
    ("DELETE", "/api/v1/projects/{project}/cohorts/{cohort}/freeze"): None,
    ("DELETE", "/api/v1/projects/{project}/cohorts/{cohort}"): None,
    ("GET", "/api/v1/projects/{project}/computed"): None,
    ("PUT", "/api/v1/projects/{project}/computed/{name}"): {"formula": "1"},
    ("DELETE", "/api/v1/projects/{project}/computed/{name}"): None,
    ("GET", "/api/v1/projects/{project}/lookup-tables"): None,
    ("PUT", "/api/v1/projects/{project}/lookup-tables/{name}"): None,
    ("DELETE", "/api/v1/projects/{project}/lookup-tables/{name}"): None,
}
PUBLIC = {("POST", "/api/v1/session"), ("GET", "/api/v1/openapi.json"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}
QUERIES = ("/segmentation", "/segmentation/sum", "/segmentation/average", "/segmentation/numeric", "/insights", "/events", "/events/top", "/events/names",
           "/events/properties", "/events/properties/top", "/events/properties/values", "/funnels", "/funnels/list", "/retention",
           "/retention/addiction",
           "/engage", "/engage/query", "/engage/properties", "/cohorts/list", "/annotations", "/stream/query", "/jql")
STAFF_ONLY = {"/api/v1/session", "/api/v1/status", "/api/v1/projects/{project}/ledger"}
MUTATING = [(method, path) for method, path in APP if method != "GET"]


def mixpanel_paths() -> list[str]:
    paths = [f"{prefix}{path}" for prefix in ("/api/query", "/api/2.0") for path in QUERIES] + ["/api/2.0/export"]
    return [path + slash for path in paths for slash in ("", "/")]


class World:
    """Two projects, a person in the first, a signed-in owner."""

    def __init__(self, root) -> None:
        self.server = Installation(root)
        self.other = self._second_project()
        codes = self._colleagues()
        self.server.start()
        # A refusal that leaves the body unread ends the connection.
        self.api = Api(self.server, keep_alive=False)
        self.login = self.server.login_code
        self.api.track(self.api.event("Seen", {"distinct_id": "alice"}))
        self.api.engage({"$distinct_id": "alice", "$set": {"$name": "Alice Liddell", "$email": "alice@example.com", "plan": "pro"}})
        self.person = self.api.lookup("alice")
        answer = self.sign_in(self.login)
        assert answer.status_code == 200, answer.text
        self.sign_in_answer = answer
        self.cookies = {"fp_session": answer.cookies["fp_session"]}
        self.staff = {"owner": self.cookies}
        for role, code in codes.items():
            self.staff[role] = {"fp_session": self.sign_in(code).cookies["fp_session"]}

    def _colleagues(self) -> dict[str, str]:
        """Accounts of the other roles with sign-in links; the command line makes the owner's only."""
        codes = {}
        with changing(self.server.vault / "accounts.db") as database:
            for number, role in enumerate(ROLES[1:], start=2):
                codes[role] = role.ljust(43, "_")
                database.execute("INSERT INTO account(account,role,state,email_idx,email,created_ms) VALUES (?,?,'live',?,?,?)",
                                 (number, role, number.to_bytes(32), b"sealed", now_ms()))
                database.execute("INSERT INTO login_code(digest,account,expires_ms) VALUES (?,?,?)",
                                 (hashlib.sha256(codes[role].encode()).digest(), number, now_ms() + 600_000))
        return codes

    def _second_project(self) -> dict:
        """The command line makes one project; another one goes into the catalog by hand, with digests like the first's."""
        secret, account, token = "fpa_" + "S" * 36, ("sa-second", "fps_" + "T" * 36), "fpw_" + "U" * 36
        catalog = next(path for path in self.server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3")
        with changing(catalog) as database:
            database.execute("INSERT INTO project(id,name,timezone,created_ms,settings) SELECT 2,'Second',timezone,created_ms,settings FROM project WHERE id=1")
            for kind, text, username in (("ApiSecret", secret, None), ("ServiceAccount", account[1], account[0]), ("WriteToken", token, None)):
                stored_kind, scopes = database.execute(
                    "SELECT kind, scopes FROM credential WHERE project=1 AND replace(lower(kind),'_','')=?", (kind.lower(),)).fetchone()
                database.execute("INSERT INTO credential(digest,project,kind,username,created_ms,scopes) VALUES (?,2,?,?,?,?)",
                                 (hashlib.sha256(text.encode()).digest(), stored_kind, username, now_ms(), scopes))
        return {"secret": (secret, ""), "account": account, "token": token}

    def sign_in(self, code: str, **headers):
        return self.api.request("POST", "/api/v1/session", json={"code": code}, headers={"Origin": self.server.url, **headers})

    def path(self, template: str, project: int = 1) -> str:
        return template.format(project=project, person=self.person, report=1, board=1, card=1, annotation=1, cohort=1, name="mine") + ("?property=plan" if template.endswith("/values") else "")

    def call(self, method: str, template: str, *, project: int = 1, **options):
        body = APP[method, template]
        if method == "PUT":
            options["headers"] = {"If-Match": "*", **options.get("headers", {})}
        return self.api.request(method, self.path(template, project), **({"json": body} if body is not None else {}), **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("access"))
    yield world
    world.server.kill()


def test_every_route_of_the_router_is_known_here():
    text = (REPOSITORY / "crates/server/src/router.rs").read_text()
    text = text[:text.index("async fn method_not_allowed")]
    declared = set()
    for call in text.split(".route(")[1:]:
        path = re.match(r'\s*"(/[^"]*)"', call)
        # The helper that adds slashes calls `.route` with variables; its paths are the two lists below.
        for method in re.findall(r"\b(get|post|put|patch|delete|any)\(", call.partition("Router::new()")[0]) if path else ():
            declared.add((method.upper(), path[1]))
    assert declared == set(APP) | PUBLIC
    listed, ingestion = set(), set()
    for path, module in re.findall(r'\(\s*"(/[^"]*)",\s*(?:\|\| ?)?any\((\w+)::', text):
        (listed if module == "mixpanel" else ingestion).add(path)
    assert listed == set(QUERIES)
    assert ingestion == {"/track", "/engage", "/groups", "/import", "/record", "/flags", "/flags/definitions",
                         "/flags/{flag}/first-time-events", "/settings", "/decide"}


@pytest.mark.parametrize(("method", "template"), APP)
def test_app_routes_need_a_credential(world, method, template):
    origin = {"Origin": world.server.url}
    wrong = [
        {}, {"cookies": {"fp_session": "x" * 43}}, {"cookies": {"fp_session": ""}}, {"auth": ("", "")},
        {"auth": ("fpa_" + "x" * 36, "")}, {"auth": (world.server.service_account[0], "fps_" + "x" * 36)},
        {"auth": ("sa-unknown", world.server.service_account[1])}, {"auth": (world.server.service_account[1], "")},
        {"auth": (world.server.token, "")}, {"auth": ("", world.server.api_secret)},
        {"auth_header": "Bearer " + world.server.api_secret}, {"auth_header": "Basic ****"}, {"auth_header": "Basic"},
        {"cookies": {"__Host-fp_session": "x" * 43}},
    ]
    for options in wrong:
        headers = dict(origin)
        if "auth_header" in options:
            headers["Authorization"] = options.pop("auth_header")
        response = world.call(method, template, headers=headers, **options)
        assert response.status_code == 401, f"{options} {headers}: {response.status_code} {response.text[:200]}"
        assert response.json()["error"]["code"] == "unauthenticated"
        assert "alice" not in response.text.lower() and "Alice" not in response.text


@pytest.mark.parametrize(("method", "template"), [key for key in APP if "{project}" in key[1]])
def test_another_projects_credential_sees_nothing(world, method, template):
    """The same answer as for a project that does not exist."""
    for auth in (world.other["secret"], world.other["account"]):
        refused = world.call(method, template, auth=auth)
        nowhere = world.call(method, template, project=999, auth=auth)
        assert refused.status_code in (401, 403, 404), refused.text
        assert (refused.status_code, refused.json()) == (nowhere.status_code, nowhere.json())
        assert "lice" not in refused.text


def test_another_project_is_empty_from_its_own_side(world):
    """Isolation in the store and in the vault: the second project knows no person of the first."""
    theirs = Api(world.server, auth=world.other["account"])
    base = "/api/v1/projects/2"
    assert theirs.get(f"{base}/schema").json() == {"events": [], "properties": [], "groups": []}
    assert theirs.post(f"{base}/people", {"limit": 5}).json()["people"] == []
    assert theirs.post(f"{base}/lookup", {"identifier": "alice", "purpose": PURPOSE}).json() == {"person": None}
    assert theirs.get(f"{base}/people/{world.person}").status_code == 404
    shown = theirs.post(f"{base}/people/{world.person}/reveal", {"purpose": PURPOSE})
    assert "lice" not in shown.text
    sent = theirs.request("POST", "/track?verbose=1", json=[{"event": "Theirs", "properties": {"token": world.other["token"], "distinct_id": "alice"}}])
    assert sent.json()["status"] == 1
    assert "Theirs" not in world.api.get(world.api.project("/schema")).text
    assert [event["name"] for event in theirs.get(f"{base}/schema").json()["events"]] == ["Theirs"]
    mixed = theirs.request("POST", "/import?strict=1&project_id=2", auth=world.other["account"],
                           json=[{"event": "Mixed", "properties": {"token": world.server.token, "distinct_id": "a", "time": now_ms(), "$insert_id": "m"}}])
    assert mixed.status_code in (400, 401, 403), "a token of another project inside an authenticated import"
    assert "Mixed" not in world.api.get(world.api.project("/schema")).text


@pytest.mark.parametrize("path", mixpanel_paths())
def test_mixpanel_routes_need_a_credential(world, path):
    wrong = [None, ("fpa_" + "x" * 36, ""), (world.server.service_account[0], "wrong"), (world.server.token, "")]
    for method in ("GET", "POST"):
        for auth in wrong:
            response = world.api.request(method, f"{path}?project_id=1&from_date={day(-1)}&to_date={day()}", auth=auth)
            assert response.status_code == 401, f"{method} {auth}: {response.status_code}"
            assert response.json()["error"]
        signed_in = world.api.request(method, f"{path}?project_id=1", cookies=world.cookies, headers={"Origin": world.server.url})
        assert signed_in.status_code == 401, "the app's sign-in is no credential of the query API"
        for auth in (world.other["secret"], world.other["account"]):
            response = world.api.request(method, f"{path}?project_id=1&from_date={day(-1)}&to_date={day()}", auth=auth)
            assert response.status_code in (401, 403), f"{method}: {response.status_code} {response.text[:200]}"


def test_public_routes_show_nothing_of_anybody(world):
    for method, path in PUBLIC - {("POST", "/api/v1/session")}:
        response = world.api.request(method, path)
        assert response.status_code == 200, path
        assert not re.search(r"alice|Liddell|fp[was]_\w{20}|owner@", response.text), path


def test_what_an_api_secret_may_not_do(world):
    """It reads rows by number. Who somebody is, it does not learn; nor who asked (5.2)."""
    auth = (world.server.api_secret, "")
    for method, template in APP:
        status = world.call(method, template, auth=auth).status_code
        if template in STAFF_ONLY:
            assert status in (401, 403), template
        elif template.endswith(("/reveal", "/lookup", "/cohorts/persons")) or (method, template.endswith("/retention")) == ("PUT", True):
            assert status == 403, template
        elif template.endswith(("{report}", "{board}", "{annotation}", "{cohort}", "/freeze", "{name}", "/cards/{card}/query")):
            # Gone by an earlier call, or a table that is no CSV.
            assert status in (200, 204, 400, 404)
        else:
            assert status in (200, 201), f"{method} {template}: {status}"


# ------------------------------------------------------------------ what each role may do (5.2)

def crowd_report(event: str) -> dict:
    """Over an event that nobody did, so that the answer shows nobody and only the role decides."""
    return {**REPORT, "question": {**REPORT["question"], "metrics": [{"event": event, "measure": "unique"}]}}


CROWD_SQL = {"sql": "select event, count(*) from events group by event having count(distinct person) >= 10"}


class Colleague:
    """The app as one role sees it."""

    def __init__(self, world: World, role: str) -> None:
        self.world, self.role = world, role

    def call(self, method: str, path: str, body: object = None):
        return self.world.api.request(method, self.world.api.project(path), cookies=self.world.staff[self.role],
                                      headers={"Origin": self.world.server.url, "If-Match": "*"}, **({} if body is None else {"json": body}))

    def may(self, method: str, path: str, body: object = None) -> bool:
        response = self.call(method, path, body)
        assert response.status_code in (200, 201, 204, 403), f"{self.role} {method} {path}: {response.status_code} {response.text[:200]}"
        if response.status_code == 403:
            assert response.json()["error"]["code"] == "forbidden"
        return response.status_code != 403


@pytest.fixture(scope="module")
def saved(world):
    """A report, a board of it and an annotation that the owner made."""
    owner = Colleague(world, "owner")
    report = owner.call("POST", "/reports", {"name": "Shared", "report": crowd_report("Shared")}).json()["id"]
    board = {"cards": [{"id": 1, "width": 6, "height": 3, "report": report}]}
    return {"report": report, "board": owner.call("POST", "/boards", {"name": "Shared", "board": board}).json()["id"],
            "annotation": owner.call("POST", "/annotations", ANNOTATION).json()["id"]}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_ask(world, role):
    colleague = Colleague(world, role)
    assert colleague.may("POST", "/query", crowd_report("Mine")) == (role in ASKS)
    assert colleague.may("POST", "/sql", CROWD_SQL) == (role in ASKS)
    assert colleague.may("GET", "/sql") == (role in ASKS)
    assert colleague.may("GET", "/values?property=plan&event=Never") == (role in ASKS)
    assert colleague.may("POST", "/cohorts/size", NOBODY) == (role in ASKS)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_look_at_what_others_saved(world, saved, role):
    colleague = Colleague(world, role)
    assert colleague.may("GET", "/cohorts") == (role in READS) == colleague.may("GET", "/computed")
    for path in ("/reports", f"/reports/{saved['report']}", "/boards", f"/boards/{saved['board']}", "/annotations", f"/annotations/{saved['annotation']}"):
        assert colleague.may("GET", path) == (role in READS), path
    assert colleague.may("POST", f"/boards/{saved['board']}/cards/1/query", {"range": {"last_days": 3}}) == (role in READS)
    other_days = {"from": day(-9), "to": day(-3)}
    assert colleague.may("POST", "/query", {**crowd_report("Shared"), "range": other_days}) == (role in READS), "a saved question, over any days"
    assert colleague.may("POST", "/query", {**crowd_report("Shared"), "filter": 'properties["plan"] == "pro"'}) == (role in ASKS), "but not another one"


@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_what_is_saved(world, saved, role):
    colleague = Colleague(world, role)
    report = {"name": "Theirs", "report": crowd_report("Theirs")}
    board = {"name": "Theirs", "board": BOARD}
    cohort = {"name": "Theirs", "cohort": NOBODY}
    for kind, body in (("reports", report), ("boards", board), ("annotations", ANNOTATION), ("cohorts", cohort)):
        made = colleague.call("POST", f"/{kind}", body)
        assert made.status_code == (201 if role in ASKS else 403), f"{kind}: {made.text}"
        number = made.json()["id"] if role in ASKS else saved.get(kind.removesuffix("s"), 1)
        assert colleague.may("PUT", f"/{kind}/{number}", body) == (role in ASKS)
        assert colleague.may("DELETE", f"/{kind}/{number}") == (role in ASKS)
    assert Colleague(world, "owner").call("GET", f"/reports/{saved['report']}").json()["name"] == "Shared"


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_single_persons(world, role):
    """Without a grant only the owner of a trial and the privacy officer do (GT-4), whatever the way to ask."""
    colleague = Colleague(world, role)
    may = role in ("owner", "privacy_officer")
    assert colleague.may("POST", "/people", {"limit": 5}) == may
    assert colleague.may("GET", f"/people/{world.person}") == may
    assert colleague.may("GET", "/live") == may
    assert colleague.may("POST", "/query/members", MEMBERS) == may
    assert colleague.may("POST", "/sql", {"sql": "select person from events"}) == may
    assert colleague.may("POST", "/query", crowd_report("Seen")) == may, "a cell of one person"


def test_reveals_need_a_purpose(world):
    path = world.path("/api/v1/projects/{project}/people/{person}/reveal")
    for purpose in (None, {}, {"code": "support"}, {"code": "support", "text": ""}, {"code": "support", "text": "short"},
                    {"code": "support", "text": "x" * 501}, {"code": "fun", "text": "because I would like to"}):
        response = world.api.post(path, {} if purpose is None else {"purpose": purpose})
        assert response.status_code in (400, 422), f"{purpose}: {response.status_code}"
        assert "Alice" not in response.text
    shown = world.api.post(path, {"purpose": PURPOSE})
    assert shown.json()["fields"]["$name"] == "Alice Liddell"
    ledger = world.api.request("GET", world.api.project("/ledger"), cookies=world.cookies).json()["entries"]
    entry = next(entry for entry in ledger if entry["seq"] == shown.json()["ledger_seq"])
    assert (entry["action"], entry["class"], entry["persons"], entry["purpose_code"]) == ("reveal", "D3", [world.person], "support")
    assert {"$name", "$email"} <= set(entry["fields"]) and entry["actor"].startswith("service")


FOREIGN = [
    {}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    {"Referer": "https://evil.example/"},
]


@pytest.mark.parametrize(("method", "template"), MUTATING)
def test_other_sites_cannot_act_for_a_signed_in_owner(world, method, template):
    for headers in FOREIGN:
        response = world.call(method, template, cookies=world.cookies, headers=headers)
        assert response.status_code == 403, f"{headers}: {response.status_code} {response.text[:200]}"
        assert response.json()["error"]["code"] == "cross_site"
        assert "Access-Control-Allow-Origin" not in response.headers
    both = {"Origin": world.server.url, "Sec-Fetch-Site": "cross-site"}
    assert world.call(method, template, cookies=world.cookies, headers=both).status_code == 403
    if APP[method, template] is not None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            response = world.api.request(method, world.path(template), data=json.dumps(APP[method, template]), cookies=world.cookies,
                                         headers={"Origin": world.server.url, "Content-Type": kind})
            assert response.status_code in (400, 403, 415), f"{kind}: {response.status_code}"
    assert world.api.request("GET", "/api/v1/session", cookies=world.cookies).status_code == 200, "still signed in"


def test_sign_in_from_another_site_is_refused(world):
    for headers in FOREIGN:
        response = world.api.request("POST", "/api/v1/session", json={"code": "x"}, headers=headers)
        assert response.status_code == 403, headers


def test_app_routes_have_no_cors_and_are_not_stored(world):
    for method, template in APP:
        if method != "GET":
            continue
        response = world.call(method, template, cookies=world.cookies, headers={"Origin": "https://evil.example"})
        assert not [name for name in response.headers if name.lower().startswith("access-control-")], template
        assert response.headers["Cache-Control"] == "no-store", template
    preflight = world.api.request("OPTIONS", world.path("/api/v1/projects/{project}/query"),
                                  headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


@pytest.mark.parametrize("path", ["/", "/login", "/assets/none.js", "/nothing.txt", "/track", "/api/v1/session", "/api/2.0/export", "/healthz"])
def test_security_headers_are_on_every_answer(world, path):
    headers = world.api.request("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    if headers["Content-Type"].startswith("text/html"):
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_undeclared_methods_are_405(world):
    for method, template in APP:
        for other in ("PUT", "PATCH", "TRACE", "GET", "POST", "DELETE"):
            if (other, template) in APP or (other, template) in PUBLIC:
                continue
            response = world.api.request(other, world.path(template), cookies=world.cookies, headers={"Origin": world.server.url})
            assert response.status_code == 405, f"{other} {template}: {response.status_code}"


def test_the_session_cookie(world):
    set_cookie = world.sign_in_answer.headers["Set-Cookie"]
    attributes = {part.strip().lower() for part in set_cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert len(world.cookies["fp_session"]) >= 43, "256 bits"
    assert len(world.sign_in_answer.headers["Set-Cookie"].split("fp_session=")) == 2, "one cookie and no other"
    assert world.sign_in(world.login).status_code == 401, "a login link works once"
    assert world.sign_in("x" * 43).status_code == 401
    assert world.sign_in("").status_code in (400, 401)


def test_signing_out_ends_the_session_at_once(world):
    link = world.server.run("login", "--vault", str(world.server.vault), "--listen", world.server.listen).strip()
    first = world.sign_in(link.partition("#")[2])
    assert first.status_code == 200, first.text
    cookies = {"fp_session": first.cookies["fp_session"]}
    assert cookies != world.cookies, "a new sign-in is a new session"
    assert world.api.request("GET", "/api/v1/session", cookies=cookies).status_code == 200
    out = world.api.request("DELETE", "/api/v1/session", cookies=cookies, headers={"Origin": world.server.url})
    assert out.status_code == 204
    deadline = time.monotonic() + 1
    while world.api.request("GET", "/api/v1/session", cookies=cookies).status_code == 200:
        assert time.monotonic() < deadline, "still signed in a second after signing out"
    assert world.api.request("GET", "/api/v1/session", cookies=world.cookies).status_code == 200, "the other session goes on"


def test_write_tokens_only_write(world):
    assert world.api.import_({"event": "ByToken", "properties": {"distinct_id": "u", "time": now_ms(), "$insert_id": "t"}}).status_code == 200
    with_token = world.api.request("POST", "/import?strict=1", auth=(world.server.token, ""),
                                   json=[{"event": "ByToken", "properties": {"distinct_id": "u", "time": now_ms(), "$insert_id": "t2"}}])
    assert with_token.status_code == 200, "A2: a token may import"
    for path in ("/api/2.0/export", "/api/2.0/engage", "/api/query/segmentation"):
        response = world.api.request("GET", f"{path}?project_id=1&from_date={day(-1)}&to_date={day()}", auth=(world.server.token, ""))
        assert response.status_code == 401
