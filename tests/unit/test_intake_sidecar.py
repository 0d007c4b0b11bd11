"""`captures.csv`: the facts that it gives, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.archive.receipt import Given
from pipelines.errors import CaptureError
from pipelines.intake.sidecar import sidecar_facts

pytestmark = pytest.mark.unit


def test_facts_by_file(tmp_path: Path) -> None:
    (tmp_path / "captures.csv").write_text(
        "\ufefffile,listing_date,captured_at,newest\n"
        "a.json,2025-03-03,2025-03-03T09:00:00+02:00,1\n"
        "b.json,,,\n"
        "c.json\n"
    )
    assert sidecar_facts(tmp_path) == {
        "a.json": {
            "listed_on": Given("2025-03-03", "captures.csv"),
            "captured_at": Given("2025-03-03T07:00:00+00:00", "captures.csv"),
        },
        "b.json": {},
        "c.json": {},
    }
    assert sidecar_facts(tmp_path / "nowhere") == {}


def test_both_names_of_the_day_column_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "captures.csv").write_text(
        "file,listed_on,listing_date\na,2025-03-03,2025-03-04\nb,,2025-03-04\n"
    )
    days = {name: facts["listed_on"].value for name, facts in sidecar_facts(tmp_path).items()}
    assert days == {"a": "2025-03-03", "b": "2025-03-04"}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param(b"file,listing_date\na.json,2025-02-30\n", "line 2", id="February 30"),
        pytest.param(b"file,listing_date\na.json,2999-01-01\n", "future", id="the future"),
        pytest.param(b"file,captured_at\na,0001-01-01T00:00:00+14:00\n", "line 2", id="year 0"),
        pytest.param(b"file,captured_at\na,9999-12-31T23:00:00-14:00\n", "line 2", id="year 10000"),
        pytest.param(b"file,captured_at\n\na.json,soon\n", "line 3", id="not a time"),
        pytest.param(b"name,day\na.json,2025-03-03\n", "`file` is missing", id="other columns"),
        pytest.param(
            b"file,day\na.json,2025-03-03\n", "`listed_on` or `captured_at`", id="no facts"
        ),
        pytest.param(b"", "`file` is missing", id="empty"),
        pytest.param(b"file,captured_at\n\xff\xfe\n", "decode", id="not UTF-8"),
        pytest.param(b'file,captured_at\n"' + b"x" * 200_000, "field larger", id="open quote"),
        pytest.param(b"\x89PNG\0\0\n\xff\xff", "captures.csv", id="binary"),
    ],
)
def test_an_error_names_the_captures_csv_and_the_line(
    tmp_path: Path, text: bytes, detail: str
) -> None:
    (tmp_path / "captures.csv").write_bytes(text)
    with pytest.raises(CaptureError) as error:
        sidecar_facts(tmp_path)
    message = str(error.value)
    assert message.startswith(str(tmp_path / "captures.csv"))
    assert detail in message
    assert "Expected the columns" in message
    assert "\n" not in message
