"""Does the service speak TLS, and only TLS, where it is given a certificate?"""

import ipaddress
import ssl
import subprocess
import warnings
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from plimsoll.service.settings import ListenSettings
from plimsoll.service.stream import PROTOCOL
from tests.support.services import Served, external_settings, serving

LOOPBACK = "127.0.0.1"
PATIENCE = 30.0


def certificate(folder, address):
    """Sign a certificate for an address with its own key, and write both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plimsoll test")])
    now = datetime.now(UTC)
    named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(named, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ListenSettings(certificate=str(folder / "certificate.pem"), private_key=str(folder / "key.pem"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    settings = replace(external_settings(folder / "store"), listen=certificate(folder, LOOPBACK))
    trust = ssl.create_default_context(cafile=folder / "certificate.pem")
    with serving(settings, folder, trust) as running:
        yield running


def test_the_api_and_the_page_answer_whoever_trusts_the_certificate(served):
    assert served.address.startswith("https://")
    with httpx.Client(base_url=served.address, verify=served.trust) as client:
        bearer = {"authorization": f"Bearer {served.token}"}
        assert client.get("/v1/overview", headers=bearer).json()["sequence"] > 0
        assert "risk desk" in client.get("/").text


def test_the_stream_is_encrypted_too(served):
    address = served.address.replace("https://", "wss://") + "/v1/stream"
    offered = [Subprotocol(PROTOCOL), Subprotocol(f"bearer.{served.token}")]
    with connect(address, ssl=served.trust, subprotocols=offered) as socket:
        assert '"changed"' in str(socket.recv(PATIENCE))


def test_nobody_else_is_answered(served):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{served.address}/v1/health")
    with pytest.raises(httpx.TransportError):
        httpx.get(served.address.replace("https://", "http://") + "/v1/health")


def test_old_protocols_are_refused(served):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{served.address}/v1/health", verify=old)


def test_a_certificate_and_a_key_that_do_not_belong_together_are_refused_in_words(tmp_path):
    (tmp_path / "other").mkdir()
    right, wrong = certificate(tmp_path, LOOPBACK), certificate(tmp_path / "other", LOOPBACK)
    config = tmp_path / "plimsoll.toml"
    files = f'certificate = "{right.certificate}"\nprivate_key = "{wrong.private_key}"\n'
    config.write_text(f'feed = "external"\n[listen]\n{files}', encoding="utf-8")
    command = Served.command("--config", str(config), "--data", str(tmp_path / "store"))
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: listen.certificate: the certificate and its key cannot be used")
    assert "[bad-setting]" in ended.stderr
    assert not (tmp_path / "store").exists()
