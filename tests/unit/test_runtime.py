"""Helpers of `pipelines.runtime`: atomic files, text, and SQL quoting."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.runtime.files import replacing, temporary_folder, write_atomic
from pipelines.runtime.sql import quote_identifier, quote_string
from pipelines.runtime.text import escape_formula, one_line, printable, shortened

pytestmark = pytest.mark.unit


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_folder_remains_only_if_it_is_moved(tmp_path: Path) -> None:
    with temporary_folder(tmp_path):
        pass
    with temporary_folder(tmp_path) as work:
        work.rename(tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_text() -> None:
    assert printable("a\x1b\nb", keep="\n") == "a\ufffd\nb"
    assert one_line(" a\n\t b ") == "a b"
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abc…"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra"])
def test_a_formula_is_escaped(text: str) -> None:
    assert escape_formula(text) == f"'{text}"
    assert escape_formula(f"a{text}") == f"a{text}"


@pytest.mark.parametrize("text", ["it's", 'a "b"', "'); drop table x; --", "ü\n"])
def test_quoted_text_is_read_back_unchanged(text: str) -> None:
    query = f"select {quote_string(text)} as {quote_identifier(text)}"
    relation = duckdb.connect().sql(query)
    assert relation.columns == [text]
    assert relation.fetchall() == [(text,)]
