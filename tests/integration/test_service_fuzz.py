"""Does any request that the OpenAPI document allows, or nearly allows, make the service fail?"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plimsoll.service.openapi import document
from plimsoll.service.table import ENDPOINTS
from plimsoll.service.tokens import Scope, issue
from tests.support.services import external_settings, running

EXAMPLES = int(os.environ.get("PLIMSOLL_FUZZ", "3"))
"""Requests per endpoint; `PLIMSOLL_FUZZ=300` searches for minutes."""


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    with running(external_settings(tmp_path_factory.mktemp("venue"))) as (service, client):
        presented, token = issue("fuzz", tuple(Scope), 1.0)
        service.desk.tokens.lend(token)
        yield client, {"authorization": f"Bearer {presented}"}


schema = schemathesis.openapi.from_dict(document(ENDPOINTS, "0.0.0"))


@schema.parametrize()
@settings(
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
