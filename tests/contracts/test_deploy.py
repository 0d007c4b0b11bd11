"""The deployment files: what they promise is in them, and they name settings that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from pipelines.cli.main import papertide
from pipelines.settings import PROJECT_ROOT, Settings, variable

pytestmark = pytest.mark.contracts

DEPLOY = PROJECT_ROOT / "docs" / "deploy"
OURS = ("dashboard", "webserver", "daemon")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
UNITS = sorted(DEPLOY.glob("*.service"))


def pins(path: Path) -> dict[str, str]:
    """Name → version, of a lock file."""
    found = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==(\S+)", path.read_text(), re.MULTILINE)
    return dict(found)


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_the_postgres_lock_is_the_users_lock_and_more() -> None:
    users = pins(PROJECT_ROOT / "requirements.txt")
    postgres = pins(DEPLOY / "requirements-postgres.txt")
    assert users.items() <= postgres.items()
    assert {"dagster-postgres", "psycopg2-binary"} <= set(postgres) - set(users)
    text = (DEPLOY / "requirements-postgres.txt").read_text()
    assert "://" not in text
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        Requirement(entry.split(" --hash=")[0].strip())
        assert " --hash=sha256:" in entry


def test_the_image_is_pinned_and_not_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert text.count("--require-hashes") == 1
    assert "USER papertide" in text
    assert "HEALTHCHECK" in text
    for source in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (PROJECT_ROOT / name).exists(), name
            allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
            assert f"!{name}" in allowed, name


@pytest.mark.parametrize("name", OURS)
def test_services_are_confined(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service["command"][1] in papertide.commands


def test_every_service_has_limits_and_a_health_check() -> None:
    assert set(COMPOSE["services"]) == {*OURS, "postgres"}
    for service in COMPOSE["services"].values():
        assert service["healthcheck"]
        assert service["deploy"]["resources"]["limits"]["memory"]
    assert "ports" not in COMPOSE["services"]["postgres"]


def test_variables_are_settings() -> None:
    known = {variable(name) for name in Settings.model_fields}
    used = set(COMPOSE["x-environment"]) - {"DAGSTER_HOME"}
    for path in DEPLOY.iterdir():
        used |= set(re.findall(r"\b(?:PAPERTIDE|HF)_[A-Z_]+\b", path.read_text()))
    assert used <= known, used - known


def test_secrets_have_no_default() -> None:
    example = (DEPLOY / ".env.example").read_text()
    assert re.findall(r"^(\w+)=$", example, re.MULTILINE)
    assert not re.findall(r"^(\w+)=.+$", example, re.MULTILINE)
    for name in ("PAPERTIDE_SMTP_URL", "PAPERTIDE_ALERT_WEBHOOK", "HF_TOKEN"):
        assert COMPOSE["x-environment"][name] == f"${{{name}:-}}"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_hardened(unit: Path) -> None:
    found = directives(unit)
    for name, value in {
        "NoNewPrivileges": "true", "ProtectSystem": "strict", "PrivateTmp": "true",
        "ReadWritePaths": "/var/lib/papertide", "User": "papertide", "CapabilityBoundingSet": "",
    }.items():  # fmt: skip
        assert found[name] == [value], name
    assert found["MemoryMax"]
    assert found["ExecStart"][0].split()[1] in papertide.commands
    if unit.name == "papertide.service":
        assert found["Restart"] == ["on-failure"]


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in [*UNITS, *DEPLOY.glob("*.timer")]:
        text = unit.read_text().replace("/opt/papertide/.venv/bin/papertide", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.iterdir())
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
