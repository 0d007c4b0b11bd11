"""Settings: environment variables (`PAPERTIDE_…`) with their defaults and meanings.

Belongs here: names, defaults, validation, and the paths below the home. Does not: anything that
uses a setting.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_models"


_HTTP_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
# The default driver of "postgresql" depends on the SQLAlchemy version; Dagster installs this one.
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
_NOT_IN_HOME = frozenset("*?[]%")
_MIN_MEMORY = 100_000_000  # the sample build needs this much
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


class Settings(BaseSettings):
    """All settings. Each field is the environment variable `PAPERTIDE_<FIELD>`.

    Except `HF_ENDPOINT` and `HF_TOKEN`, which other Hugging Face tools read too.
    """

    model_config = SettingsConfigDict(
        env_prefix="PAPERTIDE_", extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Field(
        Path("data"), description="Folder that contains all state: captures, lake, snapshots."
    )
    taxonomy_dir: Path | None = Field(
        None, description="Folder of your own topics and rules. Default: `taxonomy` in the home."
    )
    topic_embedder: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        examples=["package.module:function"],
        description="`module:function` that returns your embedding model. Default: word counts.",
    )
    threads: int = Field(2, ge=1, le=256, description="Threads that DuckDB may use.")
    memory_limit: str = Field(
        "2GB", description="Memory that one DuckDB connection may use while building."
    )
    reader_memory_limit: str = Field(
        "1GB", description="Memory that one DuckDB connection may use while reading a snapshot."
    )
    max_listing_bytes: int = Field(
        64 * 1024**2, ge=1024, description="Largest listing page or API response, uncompressed."
    )
    max_dump_bytes: int = Field(
        16 * 1024**3, ge=1024, description="Largest arXiv file, uncompressed."
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
        description="Schedule of the refresh under `papertide up` (cron, UTC). Empty: never.",
    )
    connect_timeout_s: float = Field(
        10, gt=0, description="Seconds to wait for a connection to a source."
    )
    read_timeout_s: float = Field(
        60, gt=0, description="Seconds to wait for the next bytes of a response."
    )
    max_attempts: int = Field(5, ge=1, le=20, description="Attempts per request to a source.")
    max_wait_s: float = Field(
        600, ge=60, description="Longest pause that a source may request, in seconds."
    )
    arxiv_interval_s: float = Field(
        3, ge=0, le=60, description="Seconds between requests to arXiv, which requires 3."
    )
    arxiv_oai_url: str = Field(
        "https://oaipmh.arxiv.org/oai",
        pattern=_HTTP_URL,
        examples=["https://host/path"],
        description="URL of arXiv's OAI-PMH service, for harvests.",
    )
    arxiv_api_url: str = Field(
        "https://export.arxiv.org/api/query",
        pattern=_HTTP_URL,
        examples=["https://host/path"],
        description="URL of arXiv's Atom API, for look-ups.",
    )
    arxiv_sets: str | None = Field(
        None,
        pattern=_SET_SPECS,
        examples=["cs,stat"],
        description="arXiv sets to harvest, comma-separated (`cs,cs:cs:LG`). Default: none.",
    )
    arxiv_lookups: int = Field(
        0, ge=0, le=1_000, description="Maximum number of arXiv look-ups in a run. 0: off."
    )
    hf_endpoint: str = Field(
        "https://huggingface.co",
        validation_alias="HF_ENDPOINT",
        pattern=_HTTP_URL,
        examples=["https://host"],
        description="Base URL of Hugging Face's API.",
    )
    hf_token: SecretStr | None = Field(
        None,
        validation_alias="HF_TOKEN",
        description="Access token for Hugging Face; raises its rate limit.",
    )

    stale_after_hours: float = Field(
        36, ge=0, description="Age at which the current snapshot becomes stale. 0: never."
    )
    keep_snapshots: int = Field(
        14, ge=1, description="Snapshots to keep. A build that publishes removes older ones."
    )
    alert_webhook: SecretStr | None = Field(
        None, description="URL to which alerts are posted as JSON. May contain a token."
    )
    alert_mail_to: str | None = Field(
        None, description="Recipients of alerts by mail, comma-separated."
    )
    alert_mail_from: str | None = Field(None, description="Sender of alerts by mail.")
    alert_repeat_hours: float = Field(
        24, gt=0, description="Hours before the same alert is sent again."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtp://, smtp+starttls:// or smtps://user:password@host:port.",
    )
    postgres_url: SecretStr | None = Field(
        None, description="Postgres database for Dagster's runs and events, instead of SQLite."
    )

    @field_validator("home", "taxonomy_dir", "topic_embedder", mode="before")
    @classmethod
    def _set_to_nothing(cls, given: object, info: ValidationInfo) -> object:
        """Treat an empty variable as unset."""
        return cls.model_fields[info.field_name or ""].default if given == "" else given

    @field_validator("memory_limit", "reader_memory_limit")
    @classmethod
    def _usable_memory(cls, text: str) -> str:
        """Require a size in DuckDB's notation that is large enough for a build."""
        if not (size := _SIZE.fullmatch(text)):
            raise ValueError("write it like '2GB'")
        unit = 1024 if size["binary"] else 1000
        if float(size["number"]) * unit ** (" KMGT".index(size["prefix"])) < _MIN_MEMORY:
            raise ValueError(f"the minimum is {_MIN_MEMORY // 10**6}MB")
        return text

    @field_validator("alert_webhook", "smtp_url", "postgres_url")
    @classmethod
    def _usable_address(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Require a URL with a supported scheme. An empty one counts as unset."""
        text = secret.get_secret_value().strip() if secret else ""
        if not text:
            return None
        schemes = _SCHEMES[info.field_name or ""]
        try:
            parts = urlsplit(text)
            usable = parts.scheme in schemes and parts.hostname and parts.port != 0
        except ValueError:  # an invalid port, or an incomplete address
            usable = False
        if not usable or not all("!" <= character <= "~" for character in text):
            raise ValueError(f"write it as {' or '.join(f'{s}://host…' for s in schemes)}")
        if "@" in parts.netloc.rpartition("@")[0]:  # libraries disagree on where the host begins
            raise ValueError("write an @ in the user name or password as %40")
        if parts.scheme == "smtp" and parts.password and parts.hostname not in _THIS_MACHINE:
            raise ValueError("a password requires smtp+starttls:// or smtps://")
        if parts.scheme in ("postgresql", "postgres"):
            text = text.replace(parts.scheme, _POSTGRES, 1)
        return SecretStr(text)

    @field_validator("alert_mail_to", "alert_mail_from")
    @classmethod
    def _usable_mail(cls, text: str | None) -> str | None:
        """Require mail addresses without names, comma-separated. An empty text counts as unset."""
        addresses = [address.strip() for address in (text or "").split(",") if address.strip()]
        for address in addresses:
            if not _MAIL.fullmatch(address):
                raise ValueError("write it as name@host; separate several addresses with commas")
        return ",".join(addresses) or None

    @field_validator("hf_token")
    @classmethod
    def _usable_token(cls, token: SecretStr | None) -> SecretStr | None:
        """Strip white space, which is often pasted with a token. An empty token counts as unset."""
        text = token.get_secret_value().strip() if token else ""
        if not all("!" <= character <= "~" for character in text):
            raise ValueError("a token has only ASCII characters and no white space")
        return SecretStr(text) if text else None

    @property
    def observation_ages(self) -> tuple[int, ...]:
        """`observe_after_days` as numbers."""
        return tuple(int(age) for age in self.observe_after_days.split(",") if age)

    @property
    def harvested_sets(self) -> tuple[str, ...]:
        """The distinct sets in `arxiv_sets`, in order."""
        return tuple(dict.fromkeys(name for name in (self.arxiv_sets or "").split(",") if name))

    @property
    def user_taxonomy_dir(self) -> Path:
        """Folder of the user's own topics and rules; it may be missing."""
        return self.taxonomy_dir or self.home / "taxonomy"

    @property
    def harvest_dir(self) -> Path:
        """Resume points of interrupted harvests. If deleted, those harvests start over."""
        return self.home / "harvest"

    @property
    def inbox_dir(self) -> Path:
        """Folder for files to ingest. Ingested files are moved, with a verdict."""
        return self.home / "inbox"

    @property
    def alerts_path(self) -> Path:
        """Open problems, and when an alert was sent for each."""
        return self.home / "alerts.json"

    @property
    def captures_dir(self) -> Path:
        """Received bytes, never changed."""
        return self.home / "captures"

    @property
    def items_dir(self) -> Path:
        """Parsed items, one folder per capture."""
        return self.home / "lake" / "items"

    @property
    def text_dir(self) -> Path:
        """Topic phrases found in texts, cached by content hash."""
        return self.home / "lake" / "text"

    @property
    def topic_fits_dir(self) -> Path:
        """Fits of discovered topics, cached by a hash of their training data."""
        return self.home / "lake" / "topics"

    @property
    def warehouse_path(self) -> Path:
        """The tables of the last published build. Only the next build reads this file."""
        return self.home / "warehouse.duckdb"

    @property
    def candidate_path(self) -> Path:
        """The file that a build writes. It replaces the warehouse once it is published."""
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
    """The environment variable of a field, given by its name or alias."""
    alias = (
        Settings.model_fields[field].validation_alias if field in Settings.model_fields else field
    )
    return str(alias or f"PAPERTIDE_{field.upper()}")


def secrets() -> frozenset[str]:
    """The environment variables whose values never appear in a message."""
    fields = Settings.model_fields.items()
    return frozenset(
        variable(name) for name, field in fields if "SecretStr" in str(field.annotation)
    )


def _example(name: str) -> str:
    """An example value of a variable, or an empty text."""
    fields = Settings.model_fields.items()
    return next(str((field.examples or [""])[0]) for n, field in fields if variable(n) == name)


def load_settings() -> Settings:
    """Settings from the environment, with `home` made absolute.

    Raises SettingsError naming the variable when a value is invalid.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = variable(str(first["loc"][0]))
        given = "" if name in secrets() else f"={first['input']!r}"  # a secret is not repeated
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "string_pattern_mismatch":
            problem = f"write it like {_example(name)!r}"
        raise SettingsError(
            f"{name}{given} is invalid: {problem}. docs/operations.md lists every setting."
        ) from None
    paths = {"home": settings.home, "taxonomy_dir": settings.taxonomy_dir}
    absolute = {name: path.expanduser().resolve() for name, path in paths.items() if path}
    _require_plain(absolute["home"])
    return settings.model_copy(update=absolute)


def _require_plain(home: Path) -> None:
    """Raise SettingsError for a path that the libraries below would read as another one."""
    found = sorted(_NOT_IN_HOME & set(str(home)))
    if found:
        raise SettingsError(
            f"The home {home} has {' and '.join(found)} in its path. DuckDB, Polars and SQLite "
            f"read {'it' if len(found) == 1 else 'them'} as a pattern or an escape, so files of "
            f"another folder could be used. Set {variable('home')} to a folder without "
            f"{' '.join(sorted(_NOT_IN_HOME))} in its path, or rename the folder."
        )
