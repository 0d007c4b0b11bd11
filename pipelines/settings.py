"""Settings: every knob, read from the environment (`PAPERTIDE_…`), with its default and meaning.

Belongs here: names, defaults, and the folders below the home. Does not: anything that acts.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_models"


_HTTP_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"


class Settings(BaseSettings):
    """All settings. Each field is the environment variable `PAPERTIDE_<FIELD>`.

    `HF_ENDPOINT` and `HF_TOKEN` are the exceptions: names that other tools read too.
    """

    model_config = SettingsConfigDict(
        env_prefix="PAPERTIDE_", extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Field(
        Path("data"), description="Folder that holds all state: captures, lake, snapshots."
    )
    threads: int = Field(2, ge=1, le=256, description="Threads that DuckDB may use.")
    memory_limit: str = Field(
        "2GB",
        pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
        description="Memory that one DuckDB connection may use while building.",
    )
    reader_memory_limit: str = Field(
        "1GB",
        pattern=r"^\d+(\.\d+)?\s?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
        description="Memory that one DuckDB connection may use while reading a snapshot.",
    )
    max_listing_bytes: int = Field(
        64 * 1024**2, ge=1024, description="Largest listing page or API answer taken in."
    )
    max_dump_bytes: int = Field(
        16 * 1024**3, ge=1024, description="Largest arXiv file taken in, uncompressed."
    )
    host: str = Field("127.0.0.1", description="Address that the dashboard binds to.")
    port: int = Field(8050, ge=1, le=65535, description="Port of the dashboard.")
    dagster_port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI.")
    connect_timeout_s: float = Field(
        10, gt=0, description="Seconds to wait for a connection to a source."
    )
    read_timeout_s: float = Field(
        60, gt=0, description="Seconds to wait for a source's next bytes."
    )
    max_attempts: int = Field(
        5, ge=1, le=20, description="How often a request to a source is tried before it fails."
    )
    max_wait_s: float = Field(
        600, ge=60, description="Longest pause that a source may ask for; beyond it we give up."
    )
    arxiv_interval_s: float = Field(
        3, ge=0, le=60, description="Seconds between two requests to arXiv, which asks for 3."
    )
    arxiv_oai_url: str = Field(
        "https://oaipmh.arxiv.org/oai",
        pattern=_HTTP_URL,
        description="Where arXiv is harvested (OAI-PMH).",
    )
    arxiv_api_url: str = Field(
        "https://export.arxiv.org/api/query",
        pattern=_HTTP_URL,
        description="Where single arXiv papers are looked up (Atom).",
    )
    hf_endpoint: str = Field(
        "https://huggingface.co",
        validation_alias="HF_ENDPOINT",
        pattern=_HTTP_URL,
        description="Where Hugging Face's API is.",
    )
    hf_token: SecretStr | None = Field(
        None,
        validation_alias="HF_TOKEN",
        description="Access token for Hugging Face; raises its rate limit.",
    )

    @field_validator("hf_token")
    @classmethod
    def _usable_token(cls, token: SecretStr | None) -> SecretStr | None:
        """White space around a token is a slip of the paste; none at all is no token."""
        text = token.get_secret_value().strip() if token else ""
        if not all("!" <= character <= "~" for character in text):
            raise ValueError("a token has no white space and no letters beyond ASCII")
        return SecretStr(text) if text else None

    @property
    def captures_dir(self) -> Path:
        """Where received bytes are archived; never changed."""
        return self.home / "captures"

    @property
    def items_dir(self) -> Path:
        """Parsed items, a folder per capture."""
        return self.home / "lake" / "items"

    @property
    def text_dir(self) -> Path:
        """Text features, cached by content hash."""
        return self.home / "lake" / "text"

    @property
    def warehouse_path(self) -> Path:
        """The file that builds write and nobody reads."""
        return self.home / "warehouse.duckdb"

    @property
    def snapshots_dir(self) -> Path:
        """Published snapshots and the pointer `CURRENT`."""
        return self.home / "snapshots"

    @property
    def dagster_home(self) -> Path:
        """Dagster's run and event storage."""
        return self.home / "dagster"

    @property
    def dbt_target_dir(self) -> Path:
        """dbt's compiled output and logs."""
        return self.home / "dbt"

    @property
    def site_dir(self) -> Path:
        """The exported static site."""
        return self.home / "site"


def variable(field: str) -> str:
    """The environment variable of a field, which may be named by its alias already."""
    alias = (
        Settings.model_fields[field].validation_alias if field in Settings.model_fields else field
    )
    return str(alias or f"PAPERTIDE_{field.upper()}")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, with `home` made absolute.

    Raises SettingsError naming the variable when a value can't be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = variable(str(first["loc"][0]))
        given = "" if name == "HF_TOKEN" else f"={first['input']!r}"  # a secret is not repeated
        raise SettingsError(
            f"{name}{given} can't be used: {first['msg']}. docs/operations.md lists every setting."
        ) from None
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})
