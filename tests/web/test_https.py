"""HTTPS with a certificate of one's own: HSTS, cookies for TLS only, forms that go through; cookies without TLS."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from service.config import ROOT
from service.db.engine import Database
from service.db.migrate import migrate
from service.people.accounts import create_account
from tests.conftest import MONDAY_NOON, PASSWORD
from tests.ports import free_port

Opener = urllib.request.OpenerDirector


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 with its key."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([program, *words, *names], check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def address(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service over TLS, as `serve` starts it."""
    cert, key = certificate
    folder = tmp_path_factory.mktemp("served")
    store = f"gpkg:///{folder / 'steward.gpkg'}"
    migrate(store, folder, MONDAY_NOON)
    database = Database(store)
    with database.write() as session:
        create_account(session, "boss", "admin", PASSWORD, MONDAY_NOON)
    database.close()
    port = free_port()
    given = {"TLS_CERT": str(cert), "TLS_KEY": str(key), "DATA_DIR": str(folder), "PORT": str(port)}
    env = os.environ | given | {"DATABASE_URL": "", "DEMO": "0", "WORKERS": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        _await(running, f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=str(cert)))
        yield f"https://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.communicate(timeout=20)


def _await(running: subprocess.Popen[bytes], address: str, context: ssl.SSLContext) -> None:
    for _ in range(300):
        if running.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2, context=context).close()
            return
        except OSError:
            time.sleep(0.2)
    running.kill()
    pytest.fail((running.communicate()[0] or b"").decode())


@pytest.fixture
def jar() -> CookieJar:
    return CookieJar()


@pytest.fixture
def browser(certificate: tuple[Path, Path], jar: CookieJar) -> Iterator[Opener]:
    """Trusts that one certificate and keeps cookies."""
    context = ssl.create_default_context(cafile=str(certificate[0]))
    yield urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(jar)
    )


def test_every_answer_asks_for_https_from_now_on(address: str, browser: Opener) -> None:
    for path in ("/login", "/healthz", "/static/css/tokens.css"):
        with browser.open(f"{address}{path}") as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_signing_in_over_tls(address: str, browser: Opener, jar: CookieJar) -> None:
    with browser.open(f"{address}/login") as answer:
        told = answer.headers["Set-Cookie"]
        page = answer.read().decode()
    assert "Secure" in told and "HttpOnly" in told and "SameSite=Lax" in told
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = urllib.parse.urlencode({"name": "boss", "password": PASSWORD, "csrf_token": token[1]}).encode()
    with browser.open(urllib.request.Request(f"{address}/login", form, {"Referer": f"{address}/login"})) as answer:
        assert answer.url == f"{address}/map"
    with browser.open(f"{address}/accounts") as answer:
        assert "boss" in answer.read().decode()
    assert [cookie.secure for cookie in jar] == [True]


def test_a_form_from_another_site_is_refused(address: str, browser: Opener) -> None:
    with browser.open(f"{address}/login") as answer:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
    assert token
    form = urllib.parse.urlencode({"name": "boss", "password": PASSWORD, "csrf_token": token[1]}).encode()
    asked = urllib.request.Request(f"{address}/login", form, {"Referer": "https://evil.example/"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.open(asked)
    assert refused.value.code == 400
    refused.value.close()
