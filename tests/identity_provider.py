"""An identity provider on a socket, honest or bent: OpenID Connect, and the few addresses of GitHub that we use."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "airouter"
CLIENT_SECRET = "a secret of the provider, long enough to sign with"


class Provider:
    """Signs people in without asking. `bend` replaces claims, `header` parts of the token's header."""

    def __init__(self) -> None:
        self.url = ""
        self.subject = "subject-1"
        self.claims: dict[str, Any] = {"email": "ada@elsewhere.example", "email_verified": True, "name": "Ada"}
        self.bend: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.issuer: str | None = None
        self.is_down = False
        self.asked: list[str] = []
        self.keys = {"key-1": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.key_id = "key-1"
        self._codes: dict[str, dict[str, str]] = {}

    def consent(self, authorize_url: str) -> dict[str, str]:
        """What the provider would send the browser back with, once the person agreed."""
        question = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        assert question["client_id"] == CLIENT_ID
        assert question["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}-{self.subject}"
        self._codes[code] = question
        return {"code": code, "state": question["state"]}

    def rotate(self) -> None:
        """Another key signs from now on, and the old one is not published any more."""
        self.key_id = f"key-{len(self.keys) + 1}"
        self.keys = {self.key_id: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def answer(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, Any]:
        self.asked.append(path)
        if self.is_down:
            return 503, {}
        match path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.issuer or self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "some_extension": True,
                }
            case "/keys":
                return 200, {"keys": [self._jwk(name) for name in self.keys]}
            case "/token" | "/login/oauth/access_token":
                return self._exchange(path, form, headers)
            case "/api/v3/user":
                return 200, {"id": 4711, "login": "ada", "name": "Ada"}
            case "/api/v3/user/emails":
                verified = bool(self.claims.get("email_verified"))
                return 200, [
                    {"email": "old@elsewhere.example", "primary": False, "verified": True},
                    {"email": self.claims["email"], "primary": True, "verified": verified},
                ]
            case _:
                return 404, {}

    def _exchange(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, Any]:
        question = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_right = question is not None and question["code_challenge"] == challenge.decode().rstrip("=")
        if path == "/token":
            pair = base64.b64encode(f"{CLIENT_ID}:{quote(CLIENT_SECRET, safe='')}".encode()).decode()
            is_right = is_right and headers.get("authorization") == f"Basic {pair}"
        else:
            is_right = is_right and form.get("client_secret") == CLIENT_SECRET
        if not is_right or question is None:
            return (400, {"error": "invalid_grant"}) if path == "/token" else (200, {"error": "bad_verification_code"})
        if path != "/token":
            return 200, {"access_token": "gho_x", "token_type": "bearer"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self._id_token(question)}

    def _id_token(self, question: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": question["nonce"],
            **self.claims,
            **self.bend,
        }
        if self.algorithm == "none":
            return jwt.encode(claims, "", algorithm="none")
        if self.algorithm == "HS256":
            return jwt.encode(claims, CLIENT_SECRET, algorithm="HS256", headers={"kid": self.key_id})
        return jwt.encode(claims, self.keys[self.key_id], algorithm=self.algorithm, headers={"kid": self.key_id})

    def _jwk(self, name: str) -> dict[str, Any]:
        jwk = json.loads(RSAAlgorithm.to_jwk(self.keys[name].public_key()))
        return {**jwk, "kid": name, "use": "sig", "alg": "RS256"}


@contextmanager
def serving_identities() -> Iterator[Provider]:
    """On a free port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not urlsplit(self.path).path.endswith("/authorize"):
                return self._answer({})
            asked = parse_qs(urlsplit(self.path).query)
            self.send_response(302)
            self.send_header("location", f"{asked['redirect_uri'][0]}?{urlencode(provider.consent(self.path))}")
            self.send_header("content-length", "0")
            self.end_headers()
            return None

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, body = provider.answer(urlsplit(self.path).path, form, self.headers)
            said = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
