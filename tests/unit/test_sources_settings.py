"""Settings of the sources: the ecosystem's names, and a token that nobody gets to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import Settings, get_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_the_names_of_the_ecosystem_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_settings().hf_endpoint == "https://huggingface.co"
    assert get_settings().hf_token is None
    get_settings.cache_clear()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8899")
    monkeypatch.setenv("HF_TOKEN", " hf_abc\n")
    assert get_settings().hf_endpoint == "http://127.0.0.1:8899"
    token = get_settings().hf_token
    assert token is not None
    assert token.get_secret_value() == "hf_abc"
    assert "hf_abc" not in repr(get_settings())


def test_what_is_given_outright_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://one")
    assert Settings(hf_endpoint="http://two").hf_endpoint == "http://two"


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    assert get_settings().hf_token is None


@pytest.mark.parametrize("token", ["hf_one hf_two", "hf_\nx", "hf_é"])
def test_a_token_that_can_not_be_one_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(SettingsError, match=r"^HF_TOKEN can't be used") as failed:
        get_settings()
    assert "hf_" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    ["huggingface.co", "ftp://h", "https://", "http://me:secret@h", "http://h/a b", "http://h?x=1"],
)
@pytest.mark.parametrize("name", ["HF_ENDPOINT", "PAPERTIDE_ARXIV_OAI_URL"])
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError, match=f"^{name}="):
        get_settings()


@pytest.mark.parametrize("name", ["MAX_ATTEMPTS", "READ_TIMEOUT_S", "CONNECT_TIMEOUT_S"])
def test_numbers_have_bounds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PAPERTIDE_{name}", "0")
    with pytest.raises(SettingsError, match=f"^PAPERTIDE_{name}='0'"):
        get_settings()
