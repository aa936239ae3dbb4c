"""The compose file and what it builds: every variable is ours, every path exists, there is no default password."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airouter import settings
from airouter.running.console import API_SEGMENTS, security_policy

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
NGINX = (ROOT / "deploy/console/nginx.conf.template").read_text()
DOCKERFILES = sorted((ROOT / "deploy").glob("*.Dockerfile"))
GIVEN = {
    "POSTGRES_PASSWORD": "s3cret",
    "AIROUTER_SECRET_KEYS": settings.generate_secret_key("k1", b"s" * 32),
    "AIROUTER_PUBLIC_URL": "https://ai.example.com",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def resolve(text: str, given: dict[str, str]) -> str:
    """What compose makes of a value."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if given.get(name):
            return given[name]
        assert kind != "?", rest
        return rest or ""

    return VARIABLE.sub(value, text)


def texts(node: object) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def test_the_services_are_postgres_api_and_console() -> None:
    assert set(COMPOSE["services"]) == {"postgres", "api", "console"}


def test_every_variable_it_asks_for_is_a_setting_or_its_own() -> None:
    asked = {match[1] for text in texts(COMPOSE) for match in VARIABLE.finditer(text)}
    assert asked - settings.variables() == {"POSTGRES_PASSWORD", "CONSOLE_API_BASE"}


def test_the_apis_environment_is_one_that_production_starts_with() -> None:
    environ = {name: resolve(value, GIVEN) for name, value in COMPOSE["services"]["api"]["environment"].items()}
    assert set(environ) <= settings.variables()
    found = settings.load(environ)
    assert not found.is_demo
    assert found.database == "postgresql://airouter:s3cret@postgres:5432/airouter"
    subnet = COMPOSE["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    assert [str(network) for network in found.trusted_proxies] == [subnet]


@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_a_missing_secret_is_an_error_that_names_it(missing: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}
    with pytest.raises(AssertionError, match=missing):
        resolve("".join(texts(COMPOSE)), given)


def test_there_is_more_time_to_stop_than_draining_takes() -> None:
    environ = {name: resolve(value, GIVEN) for name, value in COMPOSE["services"]["api"]["environment"].items()}
    found = settings.load(environ)
    grace_seconds = int(COMPOSE["services"]["api"]["stop_grace_period"].removesuffix("s"))
    assert grace_seconds > found.drain_notice_seconds + found.drain_seconds


def test_every_service_has_a_health_check_and_no_rights() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["healthcheck"]["test"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_no_image_floats_and_none_runs_as_root() -> None:
    images = [service["image"] for service in COMPOSE["services"].values() if "image" in service]
    images += [line.split()[1] for path in DOCKERFILES for line in path.read_text().splitlines() if line[:5] == "FROM "]
    assert all(re.search(r":\d", image) for image in images), images
    assert COMPOSE["services"]["postgres"]["user"] == "postgres"
    assert re.search(r"^USER airouter$", (ROOT / "deploy/api.Dockerfile").read_text(), re.MULTILINE)
    assert "nginx-unprivileged" in (ROOT / "deploy/console.Dockerfile").read_text()


def test_postgres_and_the_journal_have_volumes() -> None:
    mounted = {mount.split(":")[0] for service in COMPOSE["services"].values() for mount in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"]) == {"postgres", "journal"}
    environ = COMPOSE["services"]["api"]["environment"]
    (mount,) = COMPOSE["services"]["api"]["volumes"]
    assert environ["AIROUTER_JOURNAL_DIR"].startswith(mount.split(":")[1])


def test_every_path_it_builds_from_exists_and_reaches_the_builder() -> None:
    admitted = (ROOT / ".dockerignore").read_text().splitlines()
    for service in COMPOSE["services"].values():
        if "build" in service:
            assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    for dockerfile in DOCKERFILES:
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile.read_text(), re.MULTILINE):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), f"{dockerfile.name}: {source}"
                assert f"!{source.split('/')[0]}" in admitted, f".dockerignore hides {source}"


def test_the_web_server_routes_what_up_routes() -> None:
    match = re.search(r"location ~ \^/\(([^)]*)\)", NGINX)
    assert match is not None
    assert set(match[1].replace("\\", "").split("|")) == API_SEGMENTS


def test_the_web_server_sends_the_same_policy_as_up() -> None:
    for base, challenge in (("", ""), ("https://api.example.com", "https://challenges.example.com")):
        filled = NGINX.replace("${CONSOLE_API_BASE}", base).replace("${CONSOLE_CHALLENGE_ORIGIN}", challenge)
        sent = f'add_header Content-Security-Policy "{security_policy(base, challenge)}" always;'
        assert sent in filled.replace("'self' ;", "'self';")


def test_the_web_server_holds_no_part_of_a_stream_back_and_logs_no_query() -> None:
    assert "proxy_buffering off;" in NGINX
    log_format = re.search(r"log_format without_query (.*);", NGINX)
    assert log_format is not None
    assert "$request " not in log_format[1]
    assert "$args" not in log_format[1]
    assert "$request_uri" not in log_format[1]
