"""The tables of the lake: columns, types and meanings, written once.

Belongs here: what `parsing/` must return and what dbt's sources are tested against. The marts'
columns live in the dbt contracts (`dbt_models/models/marts`); the data dictionary joins both.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """A column's name, Polars type and meaning."""

    name: str
    dtype: pl.DataType
    meaning: str


def schema_of(columns: tuple[Column, ...]) -> pl.Schema:
    """The Polars schema of a table's columns."""
    return pl.Schema({c.name: c.dtype for c in columns})


TEXT = pl.String()
INT = pl.Int64()
DAY = pl.Date()
TEXTS = pl.List(pl.String())
MOMENT = pl.Datetime("us")
YES_NO = pl.Boolean()

# The same types as SQL writes them.
SQL_TYPES: dict[pl.DataType, str] = {
    TEXT: "varchar",
    INT: "bigint",
    DAY: "date",
    MOMENT: "timestamp",
    YES_NO: "boolean",
    TEXTS: "varchar[]",
    pl.List(MOMENT): "timestamp[]",
}

# What a parser returns for each paper that a capture shows.
ITEM_COLUMNS = (
    Column("position", INT, "Order within the capture, from 1."),
    Column("place", TEXT, "Where in the capture it stands, for people (`item 3`, `line 120`)."),
    Column("arxiv_id", TEXT, "arXiv id without version; null where the capture shows none."),
    Column("arxiv_version", INT, "Newest version that the capture names."),
    Column("title", TEXT, "Title, cleaned (folds, LaTeX made readable)."),
    Column(
        "title_key",
        TEXT,
        "Title reduced to lower-case letters and digits, with marks, `+` and `#` attached to them; "
        "identity uses it.",
    ),
    Column("abstract", TEXT, "Abstract, cleaned; null where not shown."),
    Column("authors", TEXTS, "Author names as printed, in order; null where not shown."),
    Column("n_authors", INT, "Number of authors as listed, hidden ones counted."),
    Column("published_on", DAY, "Date of arXiv v1 as far as the capture tells."),
    Column("published_on_basis", TEXT, "The rule that gave `published_on`."),
    Column("announced_on", DAY, "arXiv announcement day of this row (new or revised)."),
    Column("primary_category", TEXT, "First arXiv category."),
    Column("categories", TEXTS, "arXiv categories, without ACM and MSC codes."),
    Column("keywords", TEXTS, "Keywords that the source attached."),
    Column("organization", TEXT, "Organisation that the source attached."),
    Column("github_url", TEXT, "Repository root."),
    Column("project_url", TEXT, "Project page."),
    Column("upvotes", INT, "Upvotes as shown."),
    Column("comments", INT, "Comments as shown; null means not shown, not 0."),
    Column("github_stars", INT, "Stars of the repository as shown."),
    Column("submitted_on", DAY, "Day on which the paper was submitted to the daily list (UTC)."),
)
ITEM_SCHEMA = schema_of(ITEM_COLUMNS)

# Written to the lake: the same, keyed by capture.
LAKE_ITEM_COLUMNS = (
    Column("item_id", TEXT, "`capture_id:position`."),
    Column("capture_id", TEXT, "The capture that shows the item."),
    *ITEM_COLUMNS,
)
LAKE_ITEM_SCHEMA = schema_of(LAKE_ITEM_COLUMNS)

QUARANTINE_COLUMNS = (
    Column("capture_id", TEXT, "The capture that held it."),
    Column("place", TEXT, "Where in the capture it stood."),
    Column("reason", TEXT, "Reason code; the methodology lists them."),
    Column("detail", TEXT, "What was found, in a sentence."),
    Column("excerpt", TEXT, "At most 200 characters of it."),
)
QUARANTINE_SCHEMA = schema_of(QUARANTINE_COLUMNS)

CAPTURE_COLUMNS = (
    Column(
        "capture_id",
        TEXT,
        "First 16 hex digits of the content hash (for an empty list: of hash and day).",
    ),
    Column("sha256", TEXT, "Hash of the bytes, transport compression undone."),
    Column("n_bytes", INT, "Size of those bytes."),
    Column("source", TEXT, "`hf_page`, `hf_api`, `arxiv` or `unknown`."),
    Column("format", TEXT, "Which parser read it."),
    Column("listing_kind", TEXT, "`daily`, `weekly`, `monthly`, `trending`, `search`, …"),
    Column("listing_kind_rule", TEXT, "The rule that gave `listing_kind`."),
    Column("listing_day", DAY, "Day that the list belongs to; null where it has none."),
    Column("listing_day_basis", TEXT, "Where the day was taken from."),
    Column(
        "captured_at",
        MOMENT,
        "When it was captured, the last time if it came unchanged again (UTC).",
    ),
    Column("captured_at_basis", TEXT, "Where that time was taken from."),
    Column(
        "observations",
        pl.List(MOMENT),
        "All moments at which the source answered with these bytes, in order (UTC).",
    ),
    Column("page", INT, "Page of a paged answer, from 0; null where it was not fetched."),
    Column("is_last_page", YES_NO, "Whether the source has nothing after it. Null as before."),
    Column("origin", TEXT, "Name under which it was received."),
    Column("overrides", TEXT, "Overrides that the user gave, as JSON."),
    Column("rules", TEXTS, "What was inferred while parsing, in sentences."),
    Column("n_seen", INT, "Items that the capture shows."),
    Column("n_accepted", INT, "Items that became rows."),
    Column("n_quarantined", INT, "Items set aside with a reason."),
    Column("parser_version", TEXT, "Version of the parsing rules."),
    Column("stamp", TEXT, "Changes when the capture is parsed anew."),
)
CAPTURE_SCHEMA = schema_of(CAPTURE_COLUMNS)

MATCH_COLUMNS = (
    Column("text_hash", TEXT, "Content hash of the text that was searched."),
    Column("topic_id", TEXT, "The topic whose phrase was found."),
    Column("phrase", TEXT, "The phrase as the taxonomy writes it."),
    Column("matched", TEXT, "The words as they stood, normalised."),
    Column("n", INT, "Occurrences that no negative phrase covers."),
)
MATCH_SCHEMA = schema_of(MATCH_COLUMNS)

TOPIC_COLUMNS = (
    Column("topic_id", TEXT, "Stable identifier."),
    Column("name", TEXT, "Name for readers."),
    Column("area", TEXT, "The area of machine learning that the topic belongs to."),
    Column("description", TEXT, "What belongs to the topic."),
    Column("parents", TEXTS, "Ids of the broader topics that it is a part of."),
    Column("origin", TEXT, "Whose it is: `papertide` or `user`."),
    Column("rules_version", TEXT, "Version of all rules together, the same in each row."),
)
RULE_COLUMNS = (
    Column("topic_id", TEXT, "The topic."),
    Column("phrase", TEXT, "The words, normalised."),
    Column("role", TEXT, "What they do: `phrase`, `alias`, `title` or `negative`."),
    Column("origin", TEXT, "Whose rule it is: `papertide` or `user`."),
)

LAKE_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "captures": ("One row per capture.", CAPTURE_COLUMNS),
    "items": ("One row per paper as one capture shows it.", LAKE_ITEM_COLUMNS),
    "quarantine": ("One row per item that could not be accepted.", QUARANTINE_COLUMNS),
    "topic_matches": ("One row per text, topic and phrase found.", MATCH_COLUMNS),
    "topics": ("The topics in force, ours and the user's.", TOPIC_COLUMNS),
    "topic_rules": ("The rules in force, ours and the user's.", RULE_COLUMNS),
}

# What a build must compute anew; all but the first are empty where it computes everything.
BUILD_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "touched_captures": (
        "Captures that came, changed or went since the last build.",
        (Column("capture_id", TEXT, "The capture."),),
    ),
    "touched_items": (
        "Ids and titles that those captures show, or showed.",
        (
            Column("arxiv_id", TEXT, "arXiv id without version; null where none was shown."),
            Column("title_key", TEXT, "Title reduced to what identity compares."),
        ),
    ),
    "touched_papers": (
        "Papers that those items had before.",
        (Column("paper_id", TEXT, "The paper."),),
    ),
    "touched_days": (
        "Days on which those papers and captures counted before, or count now.",
        (
            Column("population", TEXT, "The population that counted them."),
            Column("day_on", DAY, "The day."),
        ),
    ),
}
