"""Tables that are written outside dbt: columns, types and meanings, stated once.

Parsers return these columns, and dbt's sources are tested against them. Does not belong here:
columns of marts, which are in the dbt contracts (`dbt_models/models/marts`). The data dictionary
shows both.
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

# The same types in DuckDB's SQL.
SQL_TYPES: dict[pl.DataType, str] = {
    TEXT: "varchar",
    INT: "bigint",
    DAY: "date",
    MOMENT: "timestamp",
    YES_NO: "boolean",
    TEXTS: "varchar[]",
    pl.List(MOMENT): "timestamp[]",
}

# What a parser returns for each paper in a capture.
ITEM_COLUMNS = (
    Column("position", INT, "Position within the capture, from 1."),
    Column("place", TEXT, "Place in the capture, for readers (`item 3`, `line 120`)."),
    Column("arxiv_id", TEXT, "arXiv id without version; null if the capture shows none."),
    Column("arxiv_version", INT, "Newest version that the capture lists."),
    Column("title", TEXT, "Title on one line, with LaTeX as Unicode."),
    Column(
        "title_key",
        TEXT,
        "Title in lower case, reduced to letters and digits with the marks, `+` and `#` attached "
        "to them. Items without an id are matched by it.",
    ),
    Column("abstract", TEXT, "Abstract, cleaned like the title; null if not shown."),
    Column("authors", TEXTS, "Author names as printed, in order; null if not shown."),
    Column("n_authors", INT, "Number of authors, including hidden ones."),
    Column("published_on", DAY, "Date of arXiv version 1, as far as the capture shows it."),
    Column("published_on_basis", TEXT, "Rule that determined `published_on`."),
    Column("announced_on", DAY, "Day on which arXiv announced this version of the paper."),
    Column("primary_category", TEXT, "First arXiv category."),
    Column("categories", TEXTS, "arXiv categories, without ACM and MSC codes."),
    Column("keywords", TEXTS, "Keywords assigned by the source."),
    Column("organization", TEXT, "Organisation assigned by the source."),
    Column("github_url", TEXT, "Root of the GitHub repository."),
    Column("project_url", TEXT, "URL of the project page."),
    Column("upvotes", INT, "Number of upvotes shown; null means not shown, not 0."),
    Column("comments", INT, "Number of comments shown; null means not shown, not 0."),
    Column("github_stars", INT, "Number of GitHub stars shown; null means not shown, not 0."),
    Column("submitted_on", DAY, "Day on which the paper was submitted to the daily list (UTC)."),
)
ITEM_SCHEMA = schema_of(ITEM_COLUMNS)

# The same in the lake, keyed by capture.
LAKE_ITEM_COLUMNS = (
    Column("item_id", TEXT, "`capture_id:position`."),
    Column("capture_id", TEXT, "Capture that contains the item."),
    *ITEM_COLUMNS,
)
LAKE_ITEM_SCHEMA = schema_of(LAKE_ITEM_COLUMNS)

QUARANTINE_COLUMNS = (
    Column("capture_id", TEXT, "Capture that contains the item."),
    Column("place", TEXT, "Place in the capture, for readers (`item 3`, `line 120`)."),
    Column("reason", TEXT, "Reason code; docs/methodology.md lists them."),
    Column("detail", TEXT, "Explanation, as a sentence."),
    Column("excerpt", TEXT, "At most 200 characters of the item."),
)
QUARANTINE_SCHEMA = schema_of(QUARANTINE_COLUMNS)

CAPTURE_COLUMNS = (
    Column(
        "capture_id",
        TEXT,
        "First 16 hex digits of `sha256`; for an empty list, of the hash of `sha256` and the day.",
    ),
    Column("sha256", TEXT, "SHA-256 of the decompressed bytes."),
    Column("n_bytes", INT, "Size of the decompressed bytes."),
    Column("source", TEXT, "`hf_page`, `hf_api`, `arxiv`, `file` or `unknown`."),
    Column("format", TEXT, "Format, which decides the parser."),
    Column(
        "listing_kind",
        TEXT,
        "`daily`, `weekly`, `monthly`, `trending`, `search`, `announcement` or `unknown`.",
    ),
    Column("listing_kind_rule", TEXT, "Rule that determined `listing_kind`."),
    Column("listed_on", DAY, "Day of the list; null if it has none."),
    Column("listed_on_basis", TEXT, "Source of `listed_on`."),
    Column(
        "captured_at",
        MOMENT,
        "Time of capture (UTC); the latest if the source returned the same bytes again.",
    ),
    Column("captured_at_basis", TEXT, "Source of `captured_at`."),
    Column(
        "observations",
        pl.List(MOMENT),
        "All times at which the source returned these bytes, in order (UTC).",
    ),
    Column("page", INT, "Page of a paged response, from 0; null unless Papertide fetched it."),
    Column(
        "is_last_page", YES_NO, "Whether it is the last page; null unless Papertide fetched it."
    ),
    Column("origin", TEXT, "Last part of the path or URL from which it was received."),
    Column("overrides", TEXT, "Facts set by the user, as JSON."),
    Column("rules", TEXTS, "Inferences made while parsing, each as `code: sentence`."),
    Column("n_seen", INT, "Items in the capture: accepted and quarantined."),
    Column("n_accepted", INT, "Items accepted as rows."),
    Column("n_quarantined", INT, "Items rejected with a reason."),
    Column("parser_version", TEXT, "Version of the parsing rules."),
    Column("stamp", TEXT, "Hash that changes when the capture must be parsed again."),
)
CAPTURE_SCHEMA = schema_of(CAPTURE_COLUMNS)

MATCH_COLUMNS = (
    Column("text_hash", TEXT, "Hash of the text that was searched."),
    Column("topic_id", TEXT, "Topic whose phrase was found."),
    Column("phrase", TEXT, "Phrase as written in the taxonomy."),
    Column("matched", TEXT, "Words found, normalised."),
    Column("n", INT, "Number of occurrences that no negative phrase covers."),
)
MATCH_SCHEMA = schema_of(MATCH_COLUMNS)

TEXT_COLUMNS = (
    Column("text_hash", TEXT, "Content hash of the text."),
    Column("part", TEXT, "Folder below `lake/text/` that holds the result."),
)

TOPIC_COLUMNS = (
    Column("topic_id", TEXT, "Stable identifier."),
    Column("name", TEXT, "Display name."),
    Column("area", TEXT, "Area of machine learning that the topic belongs to."),
    Column("description", TEXT, "What the topic covers."),
    Column("parents", TEXTS, "Ids of the broader topics that include it."),
    Column("origin", TEXT, "Origin: `papertide` (built-in) or `user`."),
    Column("rules_version", TEXT, "Version of all rules, the same in every row."),
)
RULE_COLUMNS = (
    Column("topic_id", TEXT, "Topic that the rule belongs to."),
    Column("phrase", TEXT, "Words to find, normalised."),
    Column("role", TEXT, "Role of the words: `phrase`, `alias`, `title` or `negative`."),
    Column("origin", TEXT, "Origin: `papertide` (built-in) or `user`."),
)

LAKE_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "captures": ("One row per capture.", CAPTURE_COLUMNS),
    "items": ("One row per paper in a capture.", LAKE_ITEM_COLUMNS),
    "quarantine": ("One row per rejected item.", QUARANTINE_COLUMNS),
    "topic_matches": ("One row per text, topic and phrase found.", MATCH_COLUMNS),
    "topic_texts": ("One row per text that was searched for topic phrases.", TEXT_COLUMNS),
    "topics": ("One row per topic in use, built-in or defined by the user.", TOPIC_COLUMNS),
    "topic_rules": ("One row per rule in use, built-in or defined by the user.", RULE_COLUMNS),
}
