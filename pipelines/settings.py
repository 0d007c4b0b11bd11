"""Settings, read from the environment (`PAPERTIDE_…`), with their defaults and meanings.

Belongs here: names, defaults, validation, and the paths below the home. Does not: any action.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_models"


_HTTP_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
# Which driver "postgresql" means depends on the version of SQLAlchemy; Dagster brings this one.
_POSTGRES = "postgresql+psycopg2"
_SET_SPEC = r"[a-z][a-z-]*(:[A-Za-z][A-Za-z-]*){0,2}"
_SET_SPECS = rf"^({_SET_SPEC}(,{_SET_SPEC})*)?$"
_SCHEMES = {
    "alert_webhook": ("https", "http"),
    "smtp_url": ("smtp", "smtp+starttls", "smtps"),
    "postgres_url": ("postgresql", "postgres", _POSTGRES),
}
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_SIZE = re.compile(r"(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?) ?(?P<prefix>[KMGT])(?P<binary>i?)B")
_MIN_MEMORY = 100_000_000  # with less not even the sample is built
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


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
    taxonomy_dir: Path | None = Field(
        None, description="Folder of your own topics and rules; none: `taxonomy` below the home."
    )
    topic_embedder: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        examples=["package.module:function"],
        description="`module:function` that returns your embedding model; none: words alone.",
    )
    threads: int = Field(2, ge=1, le=256, description="Threads that DuckDB may use.")
    memory_limit: str = Field(
        "2GB", description="Memory that one DuckDB connection may use while building."
    )
    reader_memory_limit: str = Field(
        "1GB", description="Memory that one DuckDB connection may use while reading a snapshot."
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
    observe_after_days: str = Field(
        "1,3,7,14,30,90",
        pattern=r"^(\d{1,4}(,\d{1,4})*)?$",
        examples=["1,3,7"],
        description="Ages, in days after its listing day, at which a list is observed again.",
    )
    refresh_cron: str = Field(
        "10 */6 * * *",
        description="When the daily refresh runs under `papertide up` (cron, UTC); empty: never.",
    )
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
        examples=["https://host/path"],
        description="Where arXiv is harvested (OAI-PMH).",
    )
    arxiv_api_url: str = Field(
        "https://export.arxiv.org/api/query",
        pattern=_HTTP_URL,
        examples=["https://host/path"],
        description="Where single arXiv papers are looked up (Atom).",
    )
    arxiv_sets: str | None = Field(
        None,
        pattern=_SET_SPECS,
        examples=["cs,stat"],
        description="Sets of arXiv that are harvested (`cs`, `stat`, `cs:cs:LG`); none: off.",
    )
    arxiv_lookups: int = Field(
        0, ge=0, le=1_000, description="Most look-ups at arXiv in a run; 0: off."
    )
    hf_endpoint: str = Field(
        "https://huggingface.co",
        validation_alias="HF_ENDPOINT",
        pattern=_HTTP_URL,
        examples=["https://host"],
        description="Where Hugging Face's API is.",
    )
    hf_token: SecretStr | None = Field(
        None,
        validation_alias="HF_TOKEN",
        description="Access token for Hugging Face; raises its rate limit.",
    )

    stale_after_hours: float = Field(
        36, ge=0, description="Age at which the current snapshot counts as stale; 0: never."
    )
    keep_snapshots: int = Field(
        14, ge=1, description="Snapshots that are kept; older ones go when a build publishes."
    )
    alert_webhook: SecretStr | None = Field(
        None, description="Address that alerts are posted to as JSON; may hold a token."
    )
    alert_mail_to: str | None = Field(
        None, description="Who gets alerts by mail; several addresses with commas."
    )
    alert_mail_from: str | None = Field(None, description="The sender of mail.")
    alert_repeat_hours: float = Field(
        24, gt=0, description="Pause before the same alert is sent again."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server: smtp://, smtp+starttls:// or smtps://user:password@host:port.",
    )
    postgres_url: SecretStr | None = Field(
        None, description="Where Dagster keeps runs and events instead of SQLite."
    )

    @field_validator("home", "taxonomy_dir", "topic_embedder", mode="before")
    @classmethod
    def _set_to_nothing(cls, given: object, info: ValidationInfo) -> object:
        """An empty variable means the default, as if it were not set."""
        return cls.model_fields[info.field_name or ""].default if given == "" else given

    @field_validator("memory_limit", "reader_memory_limit")
    @classmethod
    def _usable_memory(cls, text: str) -> str:
        """A size in DuckDB's notation, not below the minimum."""
        if not (size := _SIZE.fullmatch(text)):
            raise ValueError("write it like '2GB'")
        unit = 1024 if size["binary"] else 1000
        if float(size["number"]) * unit ** (" KMGT".index(size["prefix"])) < _MIN_MEMORY:
            raise ValueError(f"it is less than {_MIN_MEMORY // 10**6}MB, the least to work with")
        return text

    @field_validator("alert_webhook", "smtp_url", "postgres_url")
    @classmethod
    def _usable_address(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """An address with a supported scheme; empty means not set."""
        text = secret.get_secret_value().strip() if secret else ""
        if not text:
            return None
        schemes = _SCHEMES[info.field_name or ""]
        try:
            parts = urlsplit(text)
            usable = parts.scheme in schemes and parts.hostname and parts.port != 0
        except ValueError:  # an invalid port or an incomplete address
            usable = False
        if not usable or not all("!" <= character <= "~" for character in text):
            raise ValueError(f"write it as {' or '.join(f'{s}://host…' for s in schemes)}")
        if "@" in parts.netloc.rpartition("@")[0]:  # libraries differ in where the host begins
            raise ValueError("write an @ in user or password as %40")
        if parts.scheme == "smtp" and parts.password and parts.hostname not in _THIS_MACHINE:
            raise ValueError("a password needs smtp+starttls:// or smtps://")
        if parts.scheme in ("postgresql", "postgres"):
            text = text.replace(parts.scheme, _POSTGRES, 1)
        return SecretStr(text)

    @field_validator("alert_mail_to", "alert_mail_from")
    @classmethod
    def _usable_mail(cls, text: str | None) -> str | None:
        """Mail addresses without names, separated by commas; empty means not set."""
        addresses = [address.strip() for address in (text or "").split(",") if address.strip()]
        for address in addresses:
            if not _MAIL.fullmatch(address):
                raise ValueError("write it as name@host, several with commas between them")
        return ",".join(addresses) or None

    @field_validator("hf_token")
    @classmethod
    def _usable_token(cls, token: SecretStr | None) -> SecretStr | None:
        """The token without surrounding white space; empty means not set."""
        text = token.get_secret_value().strip() if token else ""
        if not all("!" <= character <= "~" for character in text):
            raise ValueError("a token has no white space and no letters beyond ASCII")
        return SecretStr(text) if text else None

    @property
    def observation_ages(self) -> tuple[int, ...]:
        """`observe_after_days` as numbers."""
        return tuple(int(age) for age in self.observe_after_days.split(",") if age)

    @property
    def harvested_sets(self) -> tuple[str, ...]:
        """`arxiv_sets` one by one, each once."""
        return tuple(dict.fromkeys(name for name in (self.arxiv_sets or "").split(",") if name))

    @property
    def user_taxonomy_dir(self) -> Path:
        """Folder of the user's topics and rules; it need not exist."""
        return self.taxonomy_dir or self.home / "taxonomy"

    @property
    def harvest_dir(self) -> Path:
        """Positions of interrupted harvests. If deleted, those harvests start again."""
        return self.home / "harvest"

    @property
    def inbox_dir(self) -> Path:
        """Files dropped here are ingested, then moved aside with a verdict."""
        return self.home / "inbox"

    @property
    def alerts_path(self) -> Path:
        """Alerts that were sent for problems that are not resolved yet."""
        return self.home / "alerts.json"

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
    def topic_fits_dir(self) -> Path:
        """Fits of discovered topics, cached by a hash of their input."""
        return self.home / "lake" / "topics"

    @property
    def warehouse_path(self) -> Path:
        """Tables of the last published build; only the next build reads them."""
        return self.home / "warehouse.duckdb"

    @property
    def candidate_path(self) -> Path:
        """The file that a build writes; it replaces the warehouse once published."""
        return self.home / "candidate.duckdb"

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
    """The environment variable of a field, given by its name or its alias."""
    alias = (
        Settings.model_fields[field].validation_alias if field in Settings.model_fields else field
    )
    return str(alias or f"PAPERTIDE_{field.upper()}")


def secrets() -> frozenset[str]:
    """Environment variables whose values must not appear in messages."""
    fields = Settings.model_fields.items()
    return frozenset(
        variable(name) for name, field in fields if "SecretStr" in str(field.annotation)
    )


def _example(name: str) -> str:
    """An example value of a variable with a pattern."""
    fields = Settings.model_fields.items()
    return next(str((field.examples or [""])[0]) for n, field in fields if variable(n) == name)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once; see `load_settings`."""
    return load_settings()


def load_settings() -> Settings:
    """Settings from the environment, with `home` made absolute.

    Raises SettingsError naming the variable when a value can't be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = variable(str(first["loc"][0]))
        given = "" if name in secrets() else f"={first['input']!r}"  # a secret is not repeated
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "string_pattern_mismatch":
            said = f"write it like {_example(name)!r}"
        raise SettingsError(
            f"{name}{given} can't be used: {said}. docs/operations.md lists every setting."
        ) from None
    paths = {"home": settings.home, "taxonomy_dir": settings.taxonomy_dir}
    absolute = {name: path.expanduser().resolve() for name, path in paths.items() if path}
    return settings.model_copy(update=absolute)
