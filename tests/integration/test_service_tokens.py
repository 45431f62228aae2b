"""Are all tokens kept that are issued at once, and does a damaged file tell strangers nothing?"""

import multiprocessing

import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from tests.support.services import external_settings, running

WRITERS, EACH = 3, 8


def keep_some(path):
    tokens = Tokens(path)
    for _ in range(EACH):
        tokens.keep(issue("desk", (Scope.READ,), 1.0)[1])


def test_of_tokens_issued_at_once_none_is_lost(tmp_path):
    processes = [multiprocessing.Process(target=keep_some, args=(tmp_path / FILE,)) for _ in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(Tokens(tmp_path / FILE).listed()) == WRITERS * EACH
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_revocation_is_not_undone_by_who_read_the_file_before(tmp_path):
    one, other = Tokens(tmp_path / FILE), Tokens(tmp_path / FILE)
    revoked, kept = (issue("desk", (Scope.READ,), 1.0)[1] for _ in range(2))
    one.keep(revoked)
    other.revoke(revoked.identity)
    one.keep(kept)
    assert [token.identity for token in other.listed()] == [kept.identity]


def test_a_damaged_file_is_answered_without_its_place_and_lent_tokens_go_on(tmp_path, caplog):
    with running(external_settings(tmp_path)) as (service, client):
        (service.desk.tokens._path).write_text("{", encoding="utf-8")
        stranger = issue("desk", (Scope.READ,), 1.0)[0]
        answer = client.get("/v1/overview", headers={"authorization": f"Bearer {stranger}"})
        assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
        assert str(tmp_path) not in answer.text
        lent = {"authorization": f"Bearer {service.page_token()}"}
        assert client.get("/v1/instruments", headers=lent).status_code == 200
        with pytest.raises(PlimsollError) as told:
            service.desk.tokens.listed()
        assert told.value.code is Code.UNREADABLE_FILE
    assert "tokens cannot be read" in caplog.text
