"""Settings: every knob, read from the environment (`PAPERTIDE_…`), with its default and meaning.

Belongs here: names, defaults, and the folders below the home. Does not: anything that acts.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_models"


class Settings(BaseSettings):
    """All settings. Each field is the environment variable `PAPERTIDE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="PAPERTIDE_", extra="ignore", frozen=True)

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


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, with `home` made absolute.

    Raises SettingsError naming the variable when a value can't be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "PAPERTIDE_" + str(first["loc"][0]).upper()
        raise SettingsError(
            f"{name}={first['input']!r} can't be used: {first['msg']}. "
            "docs/operations.md lists every setting."
        ) from None
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})
