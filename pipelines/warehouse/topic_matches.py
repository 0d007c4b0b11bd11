"""Topic phrases found in titles, abstracts and keywords, cached by content hash.

Belongs here: searching texts that are not in the cache, and loading the results into the candidate.
Does not: the rules themselves (`topics/`).

The cache is `lake/text/<rules version>/part-*/`, one folder per run, with the texts searched and
the matches found. A text is searched once per version of the rules.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import polars as pl

from pipelines.errors import PapertideError
from pipelines.lake.schemas import MATCH_SCHEMA
from pipelines.runtime.files import temporary_folder
from pipelines.settings import Settings
from pipelines.topics.matching import match_texts
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.text_forms import FIELD_SEPARATOR
from pipelines.warehouse.connections import connect
from pipelines.warehouse.frames import as_frame

# Distinct texts of captures that were not searched yet, or were parsed again since. The content
# hash equals that of dbt's macro `hash`.
_TEXTS = f"""
    with items as (
        select title, abstract, keywords
        from raw.items
        where capture_id in (
            select capture_id from raw.captures
            where (capture_id, stamp) not in (select (capture_id, stamp) from raw.searched_captures)
        )
    )
    select distinct md5(text) as text_hash, text
    from (
        select title as text from items
        union all select abstract from items
        union all select array_to_string(keywords, '{FIELD_SEPARATOR}') from items
    )
    where text is not null
"""


def load_matches(settings: Settings, taxonomy: Taxonomy) -> tuple[int, int]:
    """Add the missing topic matches of the candidate's texts.

    Returns the number of texts searched now and the total number of matches. Texts in the cache are
    only loaded. Raises PapertideError if the rules changed since the build began.
    """
    folder = settings.text_dir / taxonomy.rules_version
    _load_parts(settings, folder)
    with connect(settings.candidate_path, settings, read_only=True) as connection:
        (built,) = connection.sql("select max(rules_version) from raw.topics").fetchall()[0]
        if built != taxonomy.rules_version:
            raise PapertideError(
                "The topic rules changed during this build. Run `papertide build` again."
            )
        texts = as_frame(
            connection.sql(
                f"select text_hash, text from ({_TEXTS}) "
                "where text_hash not in (select text_hash from raw.topic_texts) order by text_hash"
            )
        )
    if texts.height:
        _keep_part(folder, texts.select("text_hash"), match_texts(texts, taxonomy))
    n_matches = _load_parts(settings, folder)
    with connect(settings.candidate_path, settings) as connection:
        connection.execute(
            "create or replace table raw.searched_captures as "
            "select capture_id, stamp from raw.captures"
        )
    return texts.height, n_matches


def _load_parts(settings: Settings, folder: Path) -> int:
    """Load parts that the candidate lacks. Returns its total number of matches.

    Damaged parts are deleted, so that their texts are searched again.
    """
    with connect(settings.candidate_path, settings) as connection:
        known = {
            p for (p,) in connection.sql("select distinct part from raw.topic_texts").fetchall()
        }
        lacking = [p for p in sorted(folder.glob("part-*")) if p.name not in known]
        parts = [part for part in lacking if _reads(part)]
        for part in (p for p in lacking if p not in parts):
            shutil.rmtree(part, ignore_errors=True)
        if parts:
            connection.execute("begin")
            for table, name in (("topic_matches", "matches"), ("topic_texts", "texts")):
                columns = "text_hash, parse_path(filename)[-2]" if name == "texts" else "*"
                connection.execute(
                    f"insert into raw.{table} select {columns} from read_parquet($files, "
                    f"filename = {str(name == 'texts').lower()})",
                    {"files": [str(part / f"{name}.parquet") for part in parts]},
                )
            connection.execute("commit")
        return int(connection.sql("select count(*) from raw.topic_matches").fetchall()[0][0])


def _reads(part: Path) -> bool:
    """Whether both files of the part are readable."""
    try:
        for name in ("texts", "matches"):
            pl.read_parquet(part / f"{name}.parquet")
    except (OSError, pl.exceptions.PolarsError):
        return False
    return True


def _keep_part(folder: Path, texts: pl.DataFrame, matches: pl.DataFrame) -> None:
    """Both files in a folder named by content, moved in place whole."""
    name = hashlib.sha256("".join(texts["text_hash"]).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder) as work:
        texts.write_parquet(work / "texts.parquet")
        matches.cast(MATCH_SCHEMA).write_parquet(work / "matches.parquet")
        final = folder / f"part-{name}"
        if not final.exists():
            work.rename(final)
