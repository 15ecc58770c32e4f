"""The two REST documents are valid, complete, and true of every answer."""

from __future__ import annotations

import json
import os
import re
from types import SimpleNamespace

import pytest
from fake_services import running_services
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tinyberth_common import VERSION
from tinyberth_ledger import berths_api
from tinyberth_server import errors
from tinyberth_warden import docker_api

APIS = {
    "ledger": (berths_api.OPENAPI, berths_api.BerthsApi(SimpleNamespace(), None, None)),
    "warden": (docker_api.OPENAPI, docker_api.DockerApi(None, None, None, None)),
}
DOCUMENTS = {name: json.loads(path.read_text()) for name, (path, _) in APIS.items()}


@pytest.mark.parametrize("service", APIS)
def test_it_is_an_openapi_document_of_this_version(service):
    validate(DOCUMENTS[service])
    assert DOCUMENTS[service]["openapi"].startswith("3.1")
    assert DOCUMENTS[service]["info"] | {"version": VERSION} == DOCUMENTS[service]["info"]


@pytest.mark.parametrize("service", APIS)
def test_it_has_the_routes_that_are_served_and_no_others(service):
    served = {
        (call.method.lower(), call.path.replace("(.*)", "{name}").replace("\\", ""))
        for call in APIS[service][1].calls()
        if call.path.startswith("/v1/")
    }
    written = {(m, path) for path, item in DOCUMENTS[service]["paths"].items() for m in item}
    assert served == written


def test_every_status_of_an_error_is_described_somewhere():
    written = {
        int(status)
        for item in DOCUMENTS["ledger"]["paths"].values()
        for operation in item.values()
        for status in operation["responses"]
    }
    assert set(errors._STATUS.values()) <= written


REQUESTS = [
    ("GET", "/v1/health", None, 200),
    ("GET", "/v1/openapi.json", None, 200),
    ("GET", "/v1/berths", None, 200),
    ("PUT", "/v1/berths/alice", {}, 200),
    ("PUT", "/v1/berths/alice", {}, 200),
    ("POST", "/v1/berths/alice/folders", None, 200),
    ("POST", "/v1/berths/nobody2/folders", None, 409),
    ("POST", "/v1/berths/../folders", None, 400),
    ("POST", "/v1/berths/alice/folders", {}, 400),
    ("PUT", "/v1/berths/bob", {"uid": 1700}, 200),
    ("PUT", "/v1/berths/carol", {"uid": 1800, "gid": 1900}, 200),
    ("PUT", "/v1/berths/dan", {"uid": 1700}, 409),
    ("PUT", "/v1/berths/bob", {"uid": 1701}, 409),
    ("PUT", "/v1/berths/dan", {"uid": "1800"}, 400),
    ("PUT", "/v1/berths/dan", {"uid": True}, 400),
    ("PUT", "/v1/berths/dan", {"uid": 0}, 400),
    ("PUT", "/v1/berths/dan", {"uid": None}, 400),
    ("PUT", "/v1/berths/dan", {"gid": 1700}, 400),
    ("PUT", "/v1/berths/dan", {"admin": 1}, 400),
    ("PUT", "/v1/berths/dan", [], 400),
    ("PUT", "/v1/berths/dan?uid=1", {}, 400),
    ("PUT", "/v1/berths/", {}, 400),
    ("PUT", "/v1/berths/..", {}, 400),
    ("PUT", "/v1/berths/%2e%2e", {}, 400),
    ("PUT", "/v1/berths/a/b", {}, 400),
    ("PUT", "/v1/berths/a%2fb", {}, 400),
    ("PUT", "/v1/berths/a%5cb", {}, 400),
    ("PUT", "/v1/berths/%00", {}, 400),
    ("PUT", "/v1/berths/a%0a", {}, 400),
    ("PUT", "/v1/berths/%ff", {}, 400),
    ("PUT", "/v1/berths/%", {}, 400),
    ("PUT", "/v1/berths/ALICE", {}, 400),
    ("PUT", "/v1/berths/hub", {}, 400),
    ("PUT", "/v1/berths/%E2%84%AAelvin", {}, 400),
    ("PUT", "/v1/berths/" + "a" * 300, {}, 400),
    ("GET", "/v1/berths?all=1", None, 400),
    ("POST", "/v1/berths/alice/archive", {"force": 1}, 400),
    ("POST", "/v1/berths/nobody2/archive", {}, 404),
    ("POST", "/v1/berths/../archive", {}, 400),
    ("POST", "/v1/berths/alice/archive", {}, 200),
    ("POST", "/v1/berths/alice/archive", {}, 200),
    ("GET", "/v1/berths", None, 200),
    ("PUT", "/v1/berths/jose", {"name": "José.García@uni.example"}, 200),
    ("PUT", "/v1/berths/jose", {"name": "José"}, 200),
    ("PUT", "/v1/berths/jose", {"name": " José"}, 400),  # no program would read it back whole
    ("PUT", "/v1/berths/jose", {"name": "ü" * 127 + "x"}, 200),
    ("PUT", "/v1/berths/jose", {"name": "ü" * 128}, 400),
    *(("PUT", "/v1/berths/jose", {"name": name}, 400) for name in ("", "a:b", "a\n", "\x85", 1)),
    ("POST", "/v1/berths/jose/rename", {"to": "pepe"}, 200),
    ("POST", "/v1/berths/jose/rename", {"to": "pepe"}, 200),
    ("POST", "/v1/berths/pepe/rename", {"to": "pepe"}, 200),
    ("POST", "/v1/berths/pepe/rename", {"to": "bob"}, 409),
    ("POST", "/v1/berths/nobody2/rename", {"to": "nobody3"}, 404),
    ("POST", "/v1/berths/pepe/rename", {"to": "../x"}, 400),
    ("POST", "/v1/berths/pepe/rename", {"to": 1}, 400),
    ("POST", "/v1/berths/pepe/rename", {}, 400),
    ("POST", "/v1/berths/pepe/rename", {"to": "x", "force": True}, 400),
    ("POST", "/v1/berths/alice~1/restore", {"as": "bob"}, 409),
    ("POST", "/v1/berths/alice~1/restore", {"as": "alice"}, 200),
    ("POST", "/v1/berths/alice~1/restore", {"as": "alice"}, 200),
    ("POST", "/v1/berths/bob/restore", {"as": "bobby"}, 404),
    ("POST", "/v1/berths/carol~1/restore", {"as": "caroline"}, 404),
    ("POST", "/v1/berths/..~1/restore", {"as": "alice"}, 400),
    ("POST", "/v1/berths/alice~1/restore", {}, 400),
    ("PUT", "/v1/teams/nlp", {"members": []}, 200),
    ("PUT", "/v1/teams/nlp", {"members": ["bob", "alice", "bob"]}, 200),
    ("PUT", "/v1/teams/nlp", {"members": ["nobody2"]}, 409),
    ("PUT", "/v1/teams/nlp", {"members": ["../x"]}, 400),
    ("PUT", "/v1/teams/nlp", {"members": "alice"}, 400),
    ("PUT", "/v1/teams/nlp", {"members": [1]}, 400),
    ("PUT", "/v1/teams/nlp", {}, 400),
    ("PUT", "/v1/teams/../x", {"members": []}, 400),
    ("PUT", "/v1/teams/root", {"members": []}, 400),
    ("PUT", "/v1/teams/alice", {"members": []}, 409),
    ("PUT", "/v1/berths/nlp", {}, 409),
    ("POST", "/v1/berths/bob/rename", {"to": "nlp"}, 409),
    ("GET", "/v1/teams", None, 200),
    ("POST", "/v1/berths/alice/folders", None, 200),
    ("POST", "/v1/teams/nlp/archive", {}, 200),
    ("POST", "/v1/teams/nlp/archive", {}, 200),
    ("POST", "/v1/teams/vision/archive", {}, 404),
    ("GET", "/v1/teams", None, 200),
    ("GET", "/v1/usage", None, 200),
    ("GET", "/v1/usage?now", None, 400),
]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other uids")
@pytest.mark.timeout(60)
def test_every_answer_is_as_described(tmp_path):
    with running_services(tmp_path) as warden:
        for method, path, document, expected in REQUESTS:
            status, answer = warden.ledger.call(method, path, document)
            assert status == expected, (method, path, document, answer)
            check("ledger", method, path, status, answer)
        for path, expected in [
            ("/v1/health", 200), ("/v1/openapi.json", 200), ("/v1/running/alice", 200),
            ("/v1/running/..", 400), ("/v1/running/%61lice", 400), ("/v1/running/alice?x", 400),
        ]:  # fmt: skip
            status, answer = warden.call("GET", path)
            assert status == expected, (path, answer)
            check("warden", "GET", path, status, answer)
        (warden.data / "ledger/passwd").write_text("x\n")
        status, answer = warden.ledger.call("GET", "/v1/health")
        assert (status, answer["error"]) == (503, "ledger_damaged")
        check("ledger", "GET", "/v1/health", status, answer)
        assert warden.ledger.call("PUT", "/v1/berths/eve", {})[1]["error"] == "ledger_damaged"
        assert (warden.data / "ledger/passwd").read_text() == "x\n", "never written over"


def check(service, method, path, status, answer):
    template = re.sub(
        r"^/v1/(berths|teams|running)/.*?(/archive|/folders|/rename|/restore)?$",
        r"/v1/\1/{name}\2",
        path.split("?")[0],
    )
    response = DOCUMENTS[service]["paths"][template][method.lower()]["responses"][str(status)]
    components = DOCUMENTS[service]["components"]
    if "$ref" in response:
        response = components["responses"]["Error"]
    schema = response["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": components}).validate(answer)
