"""Whom we trust on encrypted connections."""

import os
import ssl
from functools import cache
from pathlib import Path

import certifi


def tls_context(authorities_file: str | None = None) -> ssl.SSLContext:
    """A context that verifies the peer's certificate and host name, speaks TLS 1.2 or newer and offers only HTTP/1.1.

    Trusts `authorities_file` alone when given, else the system's authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` are
    honoured), else, where the system has none as in slim containers, the Mozilla list that certifi carries. All who ask
    for the same get the same, so nobody may change it.
    """
    if authorities_file is None and not _system_has_authorities():
        authorities_file = certifi.where()
    return _context(authorities_file, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _context(authorities_file: str | None, *_environment: str | None) -> ssl.SSLContext:
    """Reading the system's authorities takes a twentieth of a second, in which the event loop stands still."""
    context = ssl.create_default_context(cafile=authorities_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _system_has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).iterdir()))
