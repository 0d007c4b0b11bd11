"""Harvests and look-ups of arXiv, against the replay server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from pipelines.parsing import arxiv_atom
from pipelines.parsing.records import Hints
from pipelines.sources.arxiv.client import Arxiv, OaiPage
from pipelines.sources.errors import (
    BadResumptionToken,
    TerminalSourceError,
    TransientSourceError,
)
from tests.replay import ArxivPapers, JumpingClock, ReplayServer, Rule, oai_xml, settings_for

pytestmark = pytest.mark.unit
pytest_plugins = ["tests.replay.fixtures"]

FIRST, LAST = date(2025, 1, 1), date(2025, 1, 31)
OAI = "{http://www.openarchives.org/OAI/2.0/}"
RAW = "{http://arxiv.org/OAI/arXivRaw/}"
PLAIN = "{http://arxiv.org/OAI/arXiv/}"


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"2501.{number:05}",
        "submitter": None,
        "authors": "Ada Example and Bo Example",
        "title": f"Paper <{number}> & others of R&D",
        "comments": "3 pages",
        "journal-ref": None,
        "doi": None,
        "report-no": None,
        "categories": "cs.LG hep-th",
        "license": None,
        "abstract": "We show that\n  1 < 2.",
        "versions": [
            {"version": "v1", "created": "Thu, 2 Jan 2025 03:04:05 GMT"},
            {"version": "v2", "created": "Fri, 3 Jan 2025 03:04:05 GMT"},
        ],
        "update_date": f"2025-01-{1 + number % 28:02}",
        "authors_parsed": [["Example", "Ada", ""], ["Example", "Bo", "Jr"]],
        **fields,
    }


@pytest.fixture
def server(clock: JumpingClock) -> Iterator[ReplayServer]:
    rows = [row(n) for n in range(25)] + [row(90, categories="math.CO", update_date="2024-12-31")]
    with ReplayServer(None, ArxivPapers(rows), clock=clock, page_records=10) as running:
        yield running


@pytest.fixture
def arxiv(server: ReplayServer, clock: JumpingClock) -> Iterator[Arxiv]:
    with Arxiv(settings_for(server), clock) as source:
        yield source


def harvest(arxiv: Arxiv, set_spec: str | None = "cs", **more: Any) -> list[OaiPage]:
    return list(arxiv.harvest(set_spec, FIRST, LAST, **more))


def ids(pages: list[OaiPage]) -> list[str]:
    return [
        (element.text or "").removeprefix("oai:arXiv.org:")
        for page in pages
        for element in fromstring(page.body).iter(f"{OAI}identifier")
    ]


# Harvests


def test_a_harvest_of_several_pages(
    server: ReplayServer, arxiv: Arxiv, clock: JumpingClock
) -> None:
    pages = harvest(arxiv)
    assert [page.n_records for page in pages] == [10, 10, 5]
    assert [page.complete_list_size for page in pages] == [25, 25, 25]
    assert [page.resumption_token is None for page in pages] == [False, False, True]
    assert sorted(ids(pages)) == [f"2501.{n:05}" for n in range(25)]
    assert server.seen[0].query == {
        "verb": "ListRecords", "metadataPrefix": "arXivRaw", "set": "cs",
        "from": "2025-01-01", "until": "2025-01-31",
    }  # fmt: skip
    assert set(server.seen[1].query) == {"verb", "resumptionToken"}
    assert server.seen[1].query["resumptionToken"] == pages[0].resumption_token
    assert pages[0].fetched_at == datetime(2025, 6, 2, 12, 0, tzinfo=UTC)


def test_three_seconds_between_requests_on_one_connection(
    server: ReplayServer, arxiv: Arxiv
) -> None:
    server.add(Rule("status", skip=1, times=2, options={"status": 503}))
    harvest(arxiv)
    list(arxiv.by_ids(["2501.00001"]))
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(server.seen)]
    assert len(gaps) == 5
    assert min(gaps) == 3
    assert {seen.n_under_way for seen in server.seen} == {1}


def test_a_busy_source_is_waited_for(
    server: ReplayServer, arxiv: Arxiv, clock: JumpingClock
) -> None:
    server.add(Rule("status", skip=1, options={"status": 503, "retry_after": "90"}))
    assert len(harvest(arxiv)) == 3
    assert 90 <= clock.slept[1] <= 91


def test_a_harvest_resumes_where_another_stopped(server: ReplayServer, arxiv: Arxiv) -> None:
    server.add(Rule("status", skip=2, times=5, options={"status": 503}))
    kept: list[OaiPage] = []
    with pytest.raises(TransientSourceError, match="The next run continues"):  # noqa: PT012
        for page in arxiv.harvest("cs", FIRST, LAST):
            kept.append(page)  # noqa: PERF402
    assert [page.n_records for page in kept] == [10, 10]
    server.seen.clear()
    with Arxiv(settings_for(server), server.clock) as again:  # type: ignore[arg-type]
        rest = harvest(again, resume=kept[-1].resumption_token)
    assert [page.n_records for page in rest] == [5]
    assert len(server.seen) == 1
    assert len(set(ids(kept + rest))) == 25


def test_pages_are_requested_one_by_one(server: ReplayServer, arxiv: Arxiv) -> None:
    """A caller that stops early has caused no further requests."""
    pages = arxiv.harvest("cs", FIRST, LAST)
    next(pages)
    assert len(server.seen) == 1


def test_nothing_matches(arxiv: Arxiv) -> None:
    (page,) = harvest(arxiv, "q-bio")
    assert (page.n_records, page.resumption_token) == (0, None)
    assert b"noRecordsMatch" in page.body


@pytest.mark.parametrize(
    ("set_spec", "n"),
    [(None, 25), ("cs", 25), ("cs:cs:LG", 25), ("physics:hep-th", 25), ("cs:cs:L", 0), ("math", 0)],
)
def test_sets(arxiv: Arxiv, set_spec: str | None, n: int) -> None:
    assert sum(page.n_records for page in harvest(arxiv, set_spec)) == n


@pytest.mark.parametrize("token", ["rainbow", "skip%3D10"])
def test_an_expired_token(arxiv: Arxiv, token: str) -> None:
    with pytest.raises(BadResumptionToken, match="Harvest this window from the start"):
        harvest(arxiv, resume=token)


def test_a_repeated_token(server: ReplayServer, arxiv: Arxiv) -> None:
    page = oai_xml.page([row(1)], token="again")  # noqa: S106
    server.add(Rule("body", times=None, options={"text": page.decode()}))
    with pytest.raises(BadResumptionToken, match="same resumption token twice"):
        harvest(arxiv)
    assert len(server.seen) == 2


@pytest.mark.parametrize("token", [None, ""], ids=["none", "empty"])
def test_both_ends_of_a_list(server: ReplayServer, arxiv: Arxiv, token: str | None) -> None:
    page = oai_xml.page([row(1)], token=token, token_attributes={"completeListSize": "many"})
    server.add(Rule("body", options={"text": page.decode()}))
    (only,) = harvest(arxiv)
    assert (only.n_records, only.resumption_token, only.complete_list_size) == (1, None, None)


def test_other_errors_of_the_protocol(arxiv: Arxiv) -> None:
    with pytest.raises(TerminalSourceError, match="cannotDisseminateFormat"):
        harvest(arxiv, prefix="marc")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("html"), "text/html"),
        (Rule("truncate"), "can't be read as XML"),
        (Rule("body", options={"text": "<feed/>"}), "begins with <feed>"),
        (Rule("body", options={"text": '<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>'}), "as XML"),
        (Rule("body", options={"text": oai_xml.page([]).decode()}), "neither records nor an error"),
    ],
    ids=["html", "truncated", "other root", "dtd", "no records"],
)
def test_a_response_that_is_not_oai_pmh(
    server: ReplayServer, arxiv: Arxiv, rule: Rule, message: str
) -> None:
    server.add(rule)
    with pytest.raises(TerminalSourceError, match=message) as failed:
        harvest(arxiv)
    assert f"{server.url}/oai?verb=ListRecords" in str(failed.value)
    assert len(server.seen) == 1


# Look-ups


def look_up(body: bytes) -> list[str]:
    parsed = arxiv_atom.parse(body, Hints(datetime(2025, 6, 2, tzinfo=UTC)))
    return parsed.items["arxiv_id"].to_list()


def test_papers_by_id_in_batches(clock: JumpingClock) -> None:
    wanted = [f"2501.{n:05}" for n in range(250)]
    with (
        ReplayServer(None, ArxivPapers(map(row, range(250))), clock=clock) as server,
        Arxiv(settings_for(server), clock) as arxiv,
    ):
        answers = list(arxiv.by_ids([*wanted, wanted[0]]))
    assert [(a.page, a.n_items, a.is_last) for a in answers] == [
        (0, 100, False), (1, 100, False), (2, 50, True),
    ]  # fmt: skip
    assert [i for a in answers for i in look_up(a.body)] == wanted
    assert [seen.query["max_results"] for seen in server.seen] == ["100", "100", "50"]
    assert answers[0].content_type == "application/atom+xml"


def test_no_ids_send_no_request(server: ReplayServer, arxiv: Arxiv) -> None:
    assert list(arxiv.by_ids([])) == []
    assert server.seen == []


def test_unknown_ids_are_missing_from_the_feed(arxiv: Arxiv) -> None:
    (answer,) = arxiv.by_ids(["2501.00003", "2501.99999", "2501.00004v1"])
    assert (answer.n_items, answer.is_last) == (2, True)
    assert look_up(answer.body) == ["2501.00003", "2501.00004"]


def test_a_malformed_id(arxiv: Arxiv) -> None:
    with pytest.raises(TerminalSourceError, match="HTTP 400"):
        list(arxiv.by_ids(["2501.00003", "nonsense"]))


def test_papers_by_title(server: ReplayServer, arxiv: Arxiv) -> None:
    answer = arxiv.by_title('Paper  "7" \\ &\nothers')
    assert server.seen[0].query == {"search_query": 'ti:"Paper 7 & others"', "max_results": "5"}
    assert look_up(answer.body) == ["2501.00007"]
    assert arxiv.by_title("no such words").n_items == 0
    assert arxiv.by_title("others of").n_items == 5


# Pages as the parser expects them


def test_a_raw_record() -> None:
    root = fromstring(oai_xml.page([row(7)]))
    assert [e.text for e in root.iter(f"{OAI}setSpec")] == ["cs:cs:LG", "physics:hep-th"]
    (raw,) = root.iter(f"{RAW}arXivRaw")
    texts = {e.tag.removeprefix(RAW): e.text for e in raw}
    assert texts["title"] == "Paper <7> & others of R&D"
    assert texts["abstract"] == "We show that\n  1 < 2."
    assert "doi" not in texts
    dates = [e.text for e in raw.iter(f"{RAW}date")]
    assert dates == ["Thu, 02 Jan 2025 03:04:05 GMT", "Fri, 03 Jan 2025 03:04:05 GMT"]


def test_a_plain_record() -> None:
    root = fromstring(oai_xml.page([row(7)], "arXiv"))
    (plain,) = root.iter(f"{PLAIN}arXiv")
    assert plain.findtext(f"{PLAIN}created") == "2025-01-02"
    assert plain.findtext(f"{PLAIN}updated") == "2025-01-03"
    authors = [
        [e.text for e in author] for author in plain.findall(f"{PLAIN}authors/{PLAIN}author")
    ]
    assert authors == [["Example", "Ada"], ["Example", "Bo", "Jr"]]


def test_a_deleted_record_is_a_header() -> None:
    root = fromstring(oai_xml.page([row(7, deleted=True)]))
    (record,) = root.iter(f"{OAI}record")
    assert [e.tag for e in record] == [f"{OAI}header"]
    assert record[0].get("status") == "deleted"


@pytest.mark.parametrize(
    ("arxiv_id", "day"),
    [
        ("2501.00001", "20 Jan 2025"),
        ("2412.00001", "01 Dec 2024"),
        ("hep-th/9901001", "01 Jan 1999"),
    ],
)
def test_a_row_without_versions_gets_one(arxiv_id: str, day: str) -> None:
    made = row(1, id=arxiv_id, versions=[], update_date="2025-01-20")
    assert f"{day} 00:00:00 GMT" in oai_xml.record(made)


def test_the_corpus_over_oai_pmh(corpus: Path, corpus_server: ReplayServer) -> None:
    settings = settings_for(corpus_server, arxiv_interval_s=0)
    first, last = date(2025, 3, 18), date(2025, 3, 31)
    with Arxiv(settings, corpus_server.clock) as arxiv:  # type: ignore[arg-type]
        for prefix in ("arXivRaw", "arXiv"):
            pages = list(arxiv.harvest("cs", first, last, prefix))
            n = sum(page.n_records for page in pages)
            assert n == pages[0].complete_list_size
            assert len(set(ids(pages))) == n > 1_000
        (answer,) = arxiv.by_ids(["2503.11685"])
        assert look_up(answer.body) == look_up(arxiv.by_title("CORDIC Is All You Need").body)
