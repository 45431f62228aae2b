"""Does a transaction reach the chain once, and is it found, whichever offer of it a node mines, and when?"""

import pytest
import web3
from web3.providers import BaseProvider

from plimsoll.chain.connection import Connection
from plimsoll.errors import Code, PlimsollError

KEY = b"\x42" * 32
RPC = "https://user:PASSWORD@node.example:8545/v3/SECRETKEY?token=SECRETTOKEN"
NONCE = 7
TOO_LOW, UNDERPRICED = "nonce too low", "replacement transaction underpriced"
WORD, SOME = "0x" + "11" * 32, "0x" + "22" * 20


class Node(BaseProvider):
    """A node that mines the first offer once it has seen so many, and answers later ones as it is told."""

    def __init__(self, *, mines_after=None, says=TOO_LOW, stranger=False, status=1):
        super().__init__()
        self.offers = []
        self.mines_after, self.says, self.stranger, self.status = mines_after, says, stranger, status

    @property
    def mined(self):
        return self.mines_after is not None and len(self.offers) >= self.mines_after

    def make_request(self, method, params):
        answer = getattr(self, method)(*params)
        return {"jsonrpc": "2.0", "id": 1, **answer}

    def eth_chainId(self):  # noqa: N802 - the node's word
        return {"result": "0x1"}

    def eth_estimateGas(self, *_):  # noqa: N802
        return {"result": hex(21_000)}

    def eth_maxPriorityFeePerGas(self):  # noqa: N802
        return {"result": hex(10**9)}

    def eth_getBlockByNumber(self, *_):  # noqa: N802
        return {"result": {"number": "0x1", "timestamp": "0x1", "baseFeePerGas": hex(10**9)}}

    def eth_getTransactionCount(self, _, block):  # noqa: N802
        used = self.mined or (self.stranger and block == "latest")
        return {"result": hex(NONCE + used)}

    def eth_sendRawTransaction(self, raw):  # noqa: N802
        name = web3.Web3.to_hex(web3.Web3.keccak(hexstr=raw))
        self.offers.append(name)
        if len(self.offers) == 1:
            return {"result": name}
        return {"error": {"code": -32_000, "message": self.says}}

    def eth_getTransactionReceipt(self, name):  # noqa: N802
        if not (self.mined and name == self.offers[0]):
            return {"result": None}
        places = {
            "transactionIndex": "0x0",
            "blockHash": WORD,
            "blockNumber": "0x1",
            "from": SOME,
        }
        gas = {"gasUsed": "0x5208", "cumulativeGasUsed": "0x5208", "effectiveGasPrice": "0x1"}
        told = {"status": hex(self.status), "type": "0x2", "logs": [], "logsBloom": "0x" + "00" * 256}
        return {
            "result": {"transactionHash": name, "to": None, "contractAddress": None, **places, **gas, **told}
        }

    def eth_call(self, *_):
        return {"result": "0x"}


@pytest.fixture
def connect(monkeypatch):
    """Speak to a node that is played, with a single look at each offer."""
    monkeypatch.setattr("plimsoll.chain.connection._PATIENCE", 0.0)

    def connected(node):
        monkeypatch.setattr(web3, "HTTPProvider", lambda _: node)
        return Connection(RPC, KEY)

    return connected


def send(connection):
    return connection.send({"to": SOME, "data": "0x"})


@pytest.mark.parametrize("says", [TOO_LOW, UNDERPRICED, "insufficient funds"])
@pytest.mark.parametrize("offers", [1, 2, 5])
def test_the_first_offer_counts_however_late_it_is_mined(connect, offers, says):
    """What a node says of the dearer ones is then of no account."""
    node = Node(mines_after=offers, says=says)
    receipt = send(connect(node))
    assert receipt["transactionHash"].to_0x_hex() == node.offers[0]
    assert len(set(node.offers)) == offers, "each offer pays more, and none is sent after one is mined"


def test_what_is_not_mined_is_named_by_nonce_and_every_hash(connect):
    node = Node(says=UNDERPRICED)
    with pytest.raises(PlimsollError) as error:
        send(connect(node))
    assert error.value.code is Code.CHAIN_FAILED
    assert len(node.offers) == 5
    assert all(each in str(error.value) for each in (f"nonce {NONCE}", *node.offers))


def test_a_nonce_that_another_transaction_took_is_not_offered_again(connect):
    node = Node(stranger=True)
    with pytest.raises(PlimsollError, match=f"another transaction of 0x[0-9a-f]+ took nonce {NONCE}"):
        send(connect(node))
    assert len(node.offers) == 1


def test_what_is_mined_and_undone_is_no_success(connect):
    with pytest.raises(PlimsollError, match="a transaction was undone"):
        send(connect(Node(mines_after=1, status=0)))


def test_an_error_names_the_nodes_scheme_and_host_and_nothing_that_may_be_a_key(connect):
    with pytest.raises(PlimsollError) as error:
        send(connect(Node()))
    said = f"{error.value} {error.value.where}"
    assert "chain at https://node.example:8545" in said
    assert not any(word in said for word in ("SECRET", "PASSWORD", "v3"))


@pytest.mark.parametrize("address", ["node.example/SECRETKEY", "http://[::1/SECRETKEY", "SECRETKEY"])
def test_an_address_without_a_host_is_not_repeated(monkeypatch, address):
    monkeypatch.setattr(web3, "HTTPProvider", lambda _: Node())
    assert Connection(address).where == "chain at an address without a host"
