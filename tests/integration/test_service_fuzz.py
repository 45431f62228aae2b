"""Does any request that the OpenAPI document allows, or nearly allows, make the service fail?

Three venues are asked: one whose ticks come through the API, one whose prices reporters sign, and one that
lists options.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as searching
from msgspec.structs import replace
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plimsoll.service.openapi import document
from plimsoll.service.settings import ReportSettings
from plimsoll.service.table import ENDPOINTS
from plimsoll.service.tokens import Scope, issue
from tests.support.option_venues import OPTIONS, START, told, venue_settings
from tests.support.services import external_settings, running

EXAMPLES = int(os.environ.get("PLIMSOLL_FUZZ", "20"))
"""Requests per endpoint; `PLIMSOLL_FUZZ=300` searches for minutes."""


LEG = {"account": "0", "quantity": "-1"}
"""Of an account whose name a search finds."""
REPORTED = ReportSettings(weights={f"0x{'ab' * 20}": 1})


@pytest.fixture(scope="module", params=["ticked", "reported", "options"])
def venue(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    settings = venue_settings(folder) if request.param == "options" else external_settings(folder)
    settings = replace(settings, reports=REPORTED if request.param == "reported" else None)
    with running(settings) as (service, client):
        presented, token = issue("fuzz", tuple(Scope), 1.0)
        service.desk.tokens.lend(token)
        headers = {"authorization": f"Bearer {presented}"}
        if request.param == "options":
            for path, body in (
                ("/v1/accounts", {"account": "0", "amount": 10**12}),
                ("/v1/ticks", told(START)),
                ("/v1/fills", {"instrument": OPTIONS[0], "price": 1.0, "legs": [LEG]}),
            ):
                written = client.post(path, json=body, headers=headers | {"idempotency-key": path})
                assert written.status_code == 200, written.text
        yield client, headers


schema = schemathesis.openapi.from_dict(document(ENDPOINTS, "0.0.0"))


@schema.parametrize()
@searching(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PLIMSOLL_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_brings_the_service_down(case, venue):
    client, headers = venue
    answer = case.call(base_url=str(client.base_url).rstrip("/"), headers=headers)
    assert answer.status_code != 503, answer.text
    case.validate_response(
        answer,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
