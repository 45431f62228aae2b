"""Do file, environment and agreement between settings decide as documented, without telling a secret?"""

import json
import logging

import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.configuration import read_settings, shown
from plimsoll.service.logs import set_up_logs
from plimsoll.service.rates import RateLimit
from plimsoll.service.settings import LogSettings

DATABASE = "postgresql://desk:hush@db/plimsoll"


def test_the_environment_comes_after_the_file(tmp_path):
    file = tmp_path / "plimsoll.toml"
    file.write_text('[listen]\nport = 9000\nhost = "127.0.0.2"\n')
    settings = read_settings(file, {"PLIMSOLL_SERVE__LISTEN__PORT": "9001", "PLIMSOLL_DATA": "elsewhere"})
    assert (settings.listen.port, settings.listen.host) == (9001, "127.0.0.2")


def test_a_value_that_is_no_toml_is_text_and_a_list_is_a_list():
    settings = read_settings(
        None,
        {
            "PLIMSOLL_SERVE__STORE__FOLDER": "somewhere/else",
            "PLIMSOLL_SERVE__EXTERNAL__MARKETS": '["SOL", "BTC"]',
        },
    )
    assert settings.store.folder == "somewhere/else"
    assert settings.external.markets == ("SOL", "BTC")


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"LISTEN__PORT": "70000"}, "listen.port"),
        ({"LISTEN__PROT": "1"}, "listen"),
        ({"LISTEN__HOST": "192.0.2.1"}, "listen.host"),
        ({"LISTEN__CERTIFICATE": "cert.pem"}, "listen.certificate"),
        ({"FEED": "external", "EXTERNAL__MARKETS": '["BTC", "BTC"]'}, "external.markets"),
        ({"FEED": "external", "EXTERNAL__MARKETS": "[]"}, "external.markets"),
    ],
)
def test_settings_that_cannot_hold_are_refused_by_name(environment, where):
    with pytest.raises(PlimsollError) as found:
        read_settings(None, {f"PLIMSOLL_SERVE__{name}": value for name, value in environment.items()})
    assert (found.value.code, found.value.where) == (Code.BAD_SETTING, where)


def test_a_secret_is_shown_as_set_and_no_more():
    settings = read_settings(None, {"PLIMSOLL_SERVE__STORE__POSTGRES": DATABASE})
    assert settings.store.postgres == DATABASE
    assert "hush" not in json.dumps(shown(settings))
    assert shown(settings)["store"]["postgres"] == "(set)"


def test_a_log_line_for_machines_is_one_object_with_its_fields(capsys):
    set_up_logs(LogSettings(form="json"))
    logging.getLogger("plimsoll.service").info("resumed", extra={"sequence": 7})
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["sequence"], line["level"]) == ("resumed", 7, "info")


def test_a_bucket_is_spent_fills_again_and_is_each_clients_own():
    now = [0.0]
    limit = RateLimit(2.0, 3, lambda: now[0])
    for _ in range(3):
        limit.take("desk")
    with pytest.raises(PlimsollError, match="too-many-requests"):
        limit.take("desk")
    limit.take("another")
    now[0] = 0.5
    limit.take("desk")
    with pytest.raises(PlimsollError, match="too-many-requests"):
        limit.take("desk")
