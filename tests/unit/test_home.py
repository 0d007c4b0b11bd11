"""The marker of a home: migrations, and refusing a newer or damaged one with a message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.errors import PapertideError
from pipelines.runtime import home
from pipelines.settings import Settings

pytestmark = pytest.mark.unit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def write(settings: Settings, text: str) -> None:
    settings.home.mkdir(exist_ok=True)
    (settings.home / home.MARKER).write_text(text)


def test_a_new_home_is_marked_once(settings: Settings) -> None:
    assert home.open_home(settings) is None
    written = json.loads((settings.home / home.MARKER).read_text())
    assert written["format"] == home.FORMAT
    before = (settings.home / home.MARKER).stat().st_mtime_ns
    assert home.open_home(settings) == home.FORMAT
    assert (settings.home / home.MARKER).stat().st_mtime_ns == before
    assert [path.name for path in settings.home.iterdir()] == [home.MARKER]


def test_a_reader_writes_nothing(settings: Settings) -> None:
    home.require_readable(settings)
    assert not settings.home.exists()


def test_a_home_without_the_marker_is_migrated(settings: Settings) -> None:
    settings.captures_dir.mkdir(parents=True)
    assert home.open_home(settings) == 1
    assert home.open_home(settings) == home.FORMAT


def test_migrations_run_in_order(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    steps = {n: lambda _, n=n: ran.append(n) for n in (1, 2, 3)}
    monkeypatch.setattr(home, "MIGRATIONS", steps)
    monkeypatch.setattr(home, "FORMAT", 4)
    write(settings, '{"format": 2, "written_by": "0.1.0"}')
    assert home.open_home(settings) == 2
    assert ran == [2, 3]


def test_a_migration_that_fails_leaves_the_old_format(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Settings) -> None:
        raise PapertideError("no space")

    monkeypatch.setattr(home, "MIGRATIONS", {1: fail})
    settings.captures_dir.mkdir(parents=True)
    with pytest.raises(PapertideError, match="no space"):
        home.open_home(settings)
    assert not (settings.home / home.MARKER).exists()


def test_every_older_format_has_a_migration() -> None:
    assert sorted(home.MIGRATIONS) == list(range(1, home.FORMAT))


@pytest.mark.parametrize("act", [home.open_home, home.require_readable], ids=["writer", "reader"])
def test_a_newer_home_is_refused_with_the_version_to_install(
    settings: Settings, act: home.Migration
) -> None:
    write(settings, '{"format": 99, "written_by": "7.1.0"}')
    with pytest.raises(PapertideError, match=r"install Papertide 7\.1\.0 or newer"):
        act(settings)


@pytest.mark.parametrize("act", [home.open_home, home.require_readable], ids=["writer", "reader"])
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"format": "2", "written_by": "1"}',
     '{"format": true, "written_by": "1"}', '{"format": 0, "written_by": "1"}', '{"format": 2}'],
)  # fmt: skip
def test_a_damaged_marker_is_refused_with_the_next_step(
    settings: Settings, act: home.Migration, text: str
) -> None:
    write(settings, text)
    with pytest.raises(
        PapertideError, match=r"is damaged\. Restore it from a backup, or delete it"
    ):
        act(settings)
    assert (settings.home / home.MARKER).read_text() == text


def test_control_characters_in_the_marker_are_removed(settings: Settings) -> None:
    write(settings, json.dumps({"format": 99, "written_by": "1\n\x1b[31m" + "x" * 500}))
    with pytest.raises(PapertideError) as refused:
        home.require_readable(settings)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600
