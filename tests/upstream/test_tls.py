"""Whom the clients trust when nobody says otherwise."""

import ssl

import certifi
import pytest

from airouter.upstream.tls import tls_context


def test_default_context_verifies_certificate_and_host() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("folder", [None, "empty"])
def test_machine_without_authorities_gets_those_of_mozilla(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, folder: str | None
) -> None:
    paths = ssl.get_default_verify_paths()._replace(
        cafile=None, capath=None if folder is None else str(tmp_path_factory.mktemp(folder))
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    assert tls_context().cert_store_stats()["x509_ca"] > 50


def test_authorities_are_read_once_and_anew_when_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    context = tls_context()
    assert tls_context() is context
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert tls_context() is not context
    assert tls_context().cert_store_stats()["x509_ca"] > 50
