"""Settings of the sources: the names that other tools use, and a token that is never shown."""

from __future__ import annotations

import pytest

from pipelines.defs import schedules
from pipelines.errors import SettingsError
from pipelines.settings import Settings, load_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


def test_the_names_of_other_tools_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().hf_endpoint == "https://huggingface.co"
    assert load_settings().hf_token is None
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8899")
    monkeypatch.setenv("HF_TOKEN", " hf_abc\n")
    assert load_settings().hf_endpoint == "http://127.0.0.1:8899"
    token = load_settings().hf_token
    assert token is not None
    assert token.get_secret_value() == "hf_abc"
    assert "hf_abc" not in repr(load_settings())


def test_an_argument_beats_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://one")
    assert Settings(hf_endpoint="http://two").hf_endpoint == "http://two"


def test_an_empty_token_is_not_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    assert load_settings().hf_token is None


@pytest.mark.parametrize("token", ["hf_one hf_two", "hf_\nx", "hf_é"])
def test_an_invalid_token_is_not_shown(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(SettingsError, match=r"^HF_TOKEN is invalid") as failed:
        load_settings()
    assert "hf_" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    ["huggingface.co", "ftp://h", "https://", "http://me:secret@h", "http://h/a b", "http://h?x=1"],
)
@pytest.mark.parametrize("name", ["HF_ENDPOINT", "PAPERTIDE_ARXIV_OAI_URL"])
def test_an_invalid_address(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError, match=f"^{name}="):
        load_settings()


@pytest.mark.parametrize("name", ["MAX_ATTEMPTS", "READ_TIMEOUT_S", "CONNECT_TIMEOUT_S"])
def test_numbers_have_limits(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PAPERTIDE_{name}", "0")
    with pytest.raises(SettingsError, match=f"^PAPERTIDE_{name}='0'"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MEMORY_LIMIT", "2gigs", "write it like '2GB'"),
        ("READER_MEMORY_LIMIT", "1KB", "minimum is 100MB"),
        ("MEMORY_LIMIT", "0.00001 TiB", "minimum is 100MB"),
        ("MEMORY_LIMIT", "２GB", "write it like '2GB'"),
        ("OBSERVE_AFTER_DAYS", "soon", "write it like '1,3,7'"),
        ("ARXIV_SETS", "cs;stat", "write it like 'cs,stat'"),
        ("TOPIC_EMBEDDER", "mine", "write it like 'package.module:function'"),
    ],
)
def test_the_error_shows_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"PAPERTIDE_{name}", value)
    with pytest.raises(SettingsError, match=message) as failed:
        load_settings()
    assert "^" not in str(failed.value)


@pytest.mark.parametrize("text", ["100MB", "2GB", "1.5 GiB", "2TB"])
def test_memory_sizes_as_in_duckdb(text: str) -> None:
    assert Settings(memory_limit=text).memory_limit == text


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "TAXONOMY_DIR", "TOPIC_EMBEDDER"):
        monkeypatch.setenv(f"PAPERTIDE_{name}", "")
    given = Settings()
    assert (str(given.home), given.taxonomy_dir, given.topic_embedder) == ("data", None, None)


@pytest.mark.parametrize("cron", ["every day", "99 * * * *", "* * *", "0 0 31 2 *"])
def test_an_invalid_schedule_is_reported(cron: str) -> None:
    with pytest.raises(SettingsError, match=r"^PAPERTIDE_REFRESH_CRON=.*five cron fields"):
        schedules.schedules(Settings(refresh_cron=cron))


def test_the_schedule_follows_the_setting() -> None:
    (schedule,) = schedules.schedules(Settings(refresh_cron="5 4 * * *"))
    assert schedule.cron_schedule == "5 4 * * *"
    assert schedules.schedules(Settings(refresh_cron="")) == []


@pytest.mark.parametrize("url", ["postgresql://u:se@cret@h/db", "postgresql://u@x:p@h/db"])
def test_an_at_sign_in_a_password_is_reported(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PAPERTIDE_POSTGRES_URL", url)
    with pytest.raises(SettingsError, match="%40") as failed:
        load_settings()
    assert "cret" not in str(failed.value)
