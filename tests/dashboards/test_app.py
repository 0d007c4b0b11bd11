"""The Dash app without a browser: ids, callbacks, layouts, headers, downloads and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dash import Dash
from dash.development.base_component import Component
from plotly.io.json import to_json_plotly

from dashboards import odds
from dashboards.address import read
from dashboards.app import RenderedPage, create_app, render, shell
from dashboards.blocks import Chart
from dashboards.downloads import tables
from dashboards.pages import PAGES, evidence
from dashboards.pages.evidence import SUMMARY, VERDICTS, verdict_name
from dashboards.queries import Queries
from pipelines.publishing.build_status import clear_refusal, note_refusal
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.dashboards.conftest import FORMULA_TITLE, NASTY_LABEL, NASTY_TITLE, Publish, marts

pytestmark = pytest.mark.dashboards

SEARCHES = (
    "",
    "?population=arxiv",
    "?topic=agents",
    "?kind=discovered",
    "?topic=d-00000001",
    "?period=2025-02-01",
    "?topics=agents,diffusion&from=2025-01-01",
    "?q=nothing+like+this",
    "?term=agents&period=2025-03-01",
    "?term=unheard-of",
    "?horizon=year",
    "?population=nope&zzz=1",
)


@pytest.fixture
def app(reader: Reader) -> Dash:
    return create_app(reader)


def walk(component: Any) -> Iterator[Component]:
    if isinstance(component, Component):
        yield component
        yield from walk(getattr(component, "children", None))
    elif isinstance(component, list | tuple):
        for child in component:
            yield from walk(child)


def content(rendered: RenderedPage) -> list[Any]:
    return [rendered.head, rendered.filters, rendered.body]


def as_json(component: Any) -> str:
    return json.dumps(json.loads(to_json_plotly(component)), ensure_ascii=False)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_every_page_serialises_and_no_id_is_used_twice(
    page: Any, search: str, queries: Queries
) -> None:
    rendered = render(queries, page.path, search, "dark")
    parts = [rendered.nav, rendered.head, rendered.filters, rendered.body]
    assert json.loads(as_json([*parts, rendered.state]))
    assert rendered.state["title"] == f"{page.title} – Papertide"
    ids = [
        json.dumps(one.id, sort_keys=True)
        for one in (*walk(shell()), *walk(parts))
        if getattr(one, "id", None)
    ]
    assert len(ids) == len(set(ids))
    controls = {one.id["name"] for one in walk(parts) if isinstance(getattr(one, "id", None), dict)}
    assert controls == set(rendered.state["values"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
def test_every_page_reports_stale_figures(page: Any, reader: Reader) -> None:
    rendered = render(Queries(reader, stale_after_hours=36), page.path, "", "light")
    (banner,) = [one for one in walk(rendered.head) if getattr(one, "className", "") == "banner"]
    assert banner.role == "status"
    assert banner.children.startswith("These figures were published on 2025-04-02 06:00 UTC. ")
    assert "banner" not in as_json(render(Queries(reader), page.path, "", "light").head)


def test_a_refused_build_is_reported_on_the_next_page(publish: Publish) -> None:
    settings = publish()
    queries = Queries(Reader(settings))
    assert "banner" not in as_json(render(queries, "/", "", "light").head)
    note_refusal(settings, [f"{NASTY_TITLE} is too short.", "And another."], "one")
    shown = as_json(render(queries, "/", "", "light").head)
    assert "the last build was refused at" in shown
    assert f"{NASTY_TITLE} is too short (and 1 more)." in shown
    clear_refusal(settings)
    assert "banner" not in as_json(render(queries, "/", "", "light").head)


def test_callbacks_use_existing_ids_and_unique_outputs(app: Dash, queries: Queries) -> None:
    app.server.test_client().get("/_dash-layout")
    wired = app.callback_map
    known = {one.id for one in walk(shell()) if isinstance(getattr(one, "id", None), str)}
    outputs: list[str] = []
    for output, callback in wired.items():
        outputs += output.strip(".").split("...")
        for part in (*callback["inputs"], *callback["state"]):
            if part["id"].startswith("{"):
                assert json.loads(part["id"])["type"] == "filter"
            else:
                assert part["id"] in known
    assert len(outputs) == len(set(outputs))
    assert {output.split(".")[0] for output in outputs} <= known


def test_client_side_functions_exist() -> None:
    script = (Path(__file__).parents[2] / "dashboards/assets/papertide.js").read_text()
    for name in ("theme", "navigate", "announce"):
        assert re.search(rf"^\s+{name}: function", script, re.MULTILINE)


def test_every_shown_table_can_be_downloaded(app: Dash, queries: Queries) -> None:
    client = app.server.test_client()
    view = read("", queries.choices())
    for page in PAGES:
        for key in tables(page.build(queries, view)):
            answer = client.get(f"/download/{page.key}/{key}.csv?topic=agents")
            assert answer.status_code == 200
            assert answer.content_type == "text/csv; charset=utf-8"
            assert "attachment" in answer.headers["Content-Disposition"]


def test_download_links_work(app: Dash, queries: Queries) -> None:
    client = app.server.test_client()
    for page in PAGES:
        body = content(render(queries, page.path, "?topic=agents", "light"))
        links = [c.href for c in walk(body) if str(getattr(c, "href", "")).startswith("/download")]
        assert links
        assert {client.get(link).status_code for link in links} == {200}


def test_a_download_has_no_formulas(app: Dash) -> None:
    text = app.server.test_client().get("/download/papers/papers.csv").get_data(as_text=True)
    assert "'" + FORMULA_TITLE in text
    assert f",{FORMULA_TITLE}" not in text
    assert text.count("arxiv:2503.") == 60


@pytest.mark.parametrize("path", ["/download/nope/x.csv", "/download/papers/x.csv"])
def test_unknown_downloads_return_404(path: str, app: Dash) -> None:
    assert app.server.test_client().get(path).status_code == 404


def test_headers(app: Dash) -> None:
    answer = app.server.test_client().get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_the_page_loads_no_external_resource(app: Dash) -> None:
    text = app.server.test_client().get("/").get_data(as_text=True)
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_text_from_sources_is_escaped(queries: Queries) -> None:
    body = content(render(queries, "/papers", "?sort=upvotes&page=3", "light"))
    assert [c for c in walk(body) if getattr(c, "children", None) == NASTY_TITLE]
    hrefs = {getattr(c, "href", None) or "" for c in walk(body)}
    assert not [h for h in hrefs if h.startswith("javascript")]
    assert not [c for c in walk(body) if type(c).__name__ in ("Script", "Markdown")]


def test_unknown_comments_are_shown_as_a_dash(queries: Queries) -> None:
    body = content(render(queries, "/papers", "?sort=upvotes&page=3", "light"))
    texts = as_json(body)
    assert '" –"' in texts


def test_without_a_snapshot_the_page_names_the_next_step(tmp_path: Path) -> None:
    app = create_app(Reader(Settings(home=tmp_path)))
    client = app.server.test_client()
    assert client.get("/").status_code == 200
    assert client.get("/download/papers/papers.csv").status_code == 503
    body = content(render(Queries(Reader(Settings(home=tmp_path))), "/", "", "light"))
    assert "papertide demo" in as_json(body)


def test_an_unknown_path_is_reported(queries: Queries) -> None:
    rendered = render(queries, "/nowhere", "", "light")
    assert "Page not found" in as_json(content(rendered))
    assert rendered.state["values"] == {}


def test_a_missing_population_is_not_offered(publish: Publish) -> None:
    queries = Queries(Reader(publish(populations=("hf_daily",))))
    for page in PAGES:
        body = content(render(queries, page.path, "", "light"))
        assert "arXiv announcements" not in as_json(body)


def test_pages_render_without_any_population(publish: Publish) -> None:
    empty = Queries(Reader(publish("none", populations=("hf_daily",))))
    full = {
        name: empty.frame(f"select * from {name} limit 0")
        for name in (
            "rpt_topic_trends", "rpt_topic_changes", "rpt_term_trends", "rpt_term_changes",
            "rpt_author_counts",
            "rpt_author_count_distribution", "rpt_coverage", "fct_listings",
            "bridge_population_papers",
        )
    }  # fmt: skip
    queries = Queries(Reader(publish("bare", populations=("hf_daily",), **full)))
    for page in PAGES:
        body = content(render(queries, page.path, "", "light"))
        assert as_json(body)
    body = content(render(queries, "/", "", "light"))
    assert "No population has dated papers" in as_json(body)


def test_a_page_reads_the_current_snapshot(publish: Publish) -> None:
    queries = Queries(Reader(publish("one")))
    assert "arXiv announcements" in as_json(content(render(queries, "/", "", "light")))
    publish("two", populations=("hf_daily",))
    assert "arXiv announcements" not in as_json(content(render(queries, "/", "", "light")))


def test_every_chart_names_its_population_and_has_a_table(queries: Queries) -> None:
    view = read("?topic=agents", queries.choices())
    for page in PAGES:
        for item in page.build(queries, view):
            if isinstance(item, Chart):
                assert isinstance(item.table.frame, pl.DataFrame)
                assert item.table.columns
                assert "Hugging Face" in item.subtitle + item.title or "arXiv" in item.title


def links_of(rendered: RenderedPage, text: str) -> list[str]:
    return [
        one.href
        for one in walk(rendered.body)
        if getattr(one, "children", None) == text and getattr(one, "href", None)
    ]


def go(queries: Queries, href: str) -> RenderedPage:
    path, _, search = href.partition("?")
    return render(queries, path, f"?{search}", "light")


@pytest.mark.parametrize(
    ("path", "search"),
    [
        ("/topics", "?period=2025-03-01"),
        ("/trends", "?to=2025-03-01&topics=agents"),
        ("/topics", "?kind=discovered&period=2025-03-01"),
    ],
)
def test_a_verdict_links_to_its_papers_formula_and_evidence(
    path: str, search: str, queries: Queries
) -> None:
    start = render(queries, path, search, "light")
    verdicts = {
        href
        for verdict in VERDICTS
        for href in links_of(start, verdict_name(verdict))
        if href.startswith("/topics")
    }
    assert verdicts
    for href in verdicts:
        shown = as_json(go(queries, href).body)
        month = "Mar 2025" if "period=2025-03-01" in href else ""
        for part in (SUMMARY, f"changes up to {month}", "Wrong direction", "Began", "Reason"):
            assert part in shown, (href, part)
    agents_href = next(
        href
        for href in sorted(verdicts)
        if "2025-03-01" in href and ("topic=agents" in href or "topic=d-" in href)
    )
    detail = go(queries, agents_href)
    assert [one for one in walk(detail.body) if getattr(one, "className", "") == "paper-topics"]
    shown = as_json(detail.body)
    assert "title: agents" in shown or "shared terms: gui" in shown
    papers = {
        href
        for href in hrefs(detail)
        if href.startswith("/papers?") and "2025-03" in href and agents_href[-10:] in href
    }
    assert papers
    for href in papers:
        assert "No papers match" not in as_json(go(queries, href).body)


def hrefs(rendered: RenderedPage) -> list[str]:
    return [str(getattr(one, "href", "") or "") for one in walk(rendered.body)]


def test_a_topic_links_to_broader_and_narrower_topics(queries: Queries) -> None:
    broad = go(queries, "/topics?population=hf_daily&grain=month&topic=agents")
    (down,) = links_of(broad, "Diffusion")[:1]
    assert "Narrower" in as_json(broad.body)
    assert "Broader" not in as_json(broad.body)
    narrow = go(queries, down)
    assert "Broader" in as_json(narrow.body)
    assert any("topic=agents" in href for href in links_of(narrow, "Agents"))


def test_a_term_links_to_its_papers_formula_and_evidence(queries: Queries) -> None:
    rendered = go(queries, "/papers?population=hf_daily&term=agents&period=2025-03-01")
    shown = as_json(rendered.body)
    for part in (SUMMARY, "Term “Agents”: changes up to Mar 2025", "rising over a year", "Began"):
        assert part in shown
    assert shown.count("Term “Agents”") > 1  # the heading, and the evidence of papers
    assert "2 times" in shown
    assert rendered.state["values"]["term"] == ["agents"]
    assert "term" not in render(queries, "/papers", "", "light").state["values"]
    assert "30 listings" in shown


def test_a_score_has_its_inputs_and_a_missing_one_its_reason(queries: Queries) -> None:
    shown = as_json(render(queries, "/", "", "light").body)
    assert "Papers gaining attention, 31 Mar 2025" in shown
    assert "too few papers to compare with" in shown
    assert "×1.25" in shown
    assert "12 (gained)" in shown
    assert "with 90 % probability" in shown
    earlier = as_json(render(queries, "/", "?period=2025-02-01", "light").body)
    assert "No paper of this population was observed" in earlier


def test_charts_report_breaks(queries: Queries) -> None:
    topics = as_json(render(queries, "/topics", "?topic=agents", "light").body)
    assert "From Mar 2025, more papers come with an abstract or keywords" in topics
    assert "From Mar 2025, fewer lists were captured in full" in topics
    assert "the level allows for that" in topics
    legend_entry = '"data collection changed"'
    assert legend_entry in topics
    authors = as_json(render(queries, "/authors", "", "light").body)
    assert "fewer lists were captured in full" in authors
    assert legend_entry not in authors
    assert "papers come with an abstract or keywords" not in authors


def test_the_overview_states_the_strongest_changes_over_a_year(queries: Queries) -> None:
    rendered = render(queries, "/", "", "light")
    shown = as_json(rendered.body)
    assert "Strongest changes over a year, up to Mar 2025" in shown
    assert "rising over a year: 12.0 % of papers" in shown
    assert "likely_falling over a year" not in shown  # likely changes are counted only
    assert "3 topics: 1 rising, 0 falling, 0 likely rising, 1 likely falling" in shown
    (href,) = {href for href in hrefs(rendered) if href.startswith("/trends?")}
    assert "to=2025-03-01" in href
    assert "horizon=year" in href


def test_the_overview_falls_back_to_the_longest_comparable_horizon(publish: Publish) -> None:
    changes = marts(("hf_daily",))["rpt_topic_changes"]
    yearly = pl.col("horizon") == "year"
    reason = pl.when(yearly).then(pl.lit("text_differs")).otherwise("verdict_reason")
    verdict = pl.when(yearly).then(pl.lit("not_comparable")).otherwise("verdict")
    without = changes.with_columns(verdict=verdict, verdict_reason=reason)
    queries = Queries(Reader(publish(populations=("hf_daily",), rpt_topic_changes=without)))
    shown = as_json(render(queries, "/", "", "light").body)
    assert "Strongest changes over half a year, up to Mar 2025" in shown
    assert "No topic is comparable over a year: the share of papers with text differs" in shown
    topic = as_json(render(queries, "/topics", "?topic=agents", "light").body)
    assert "×2.01" in topic


def test_changes_are_listed_by_certainty_then_size(queries: Queries) -> None:
    frame = pl.DataFrame(
        {
            "topic_name": ["likely", "sure, small", "surest", "sure, large", "flat"],
            "verdict": ["likely_rising", "rising", "falling", "falling", "flat"],
            "sign_error": [0.11, 0.0402, 0.004, 0.0398, 0.4],
            "growth": [2.0, 0.5, -0.1, -0.9, 0.0],
        }
    )
    listed = evidence.by_certainty(frame, "topic_name")["topic_name"].to_list()
    assert listed == ["surest", "sure, large", "sure, small", "likely"]


def test_verdicts_without_a_call_are_counted_with_their_reasons(queries: Queries) -> None:
    shown = as_json(render(queries, "/trends", "?horizon=year", "light").body)
    assert (
        "3 topics: 1 rising, 0 falling, 0 likely rising, 1 likely falling, 0 flat, "
        "1 not comparable (the history is too short)."
    ) in shown
    month = as_json(render(queries, "/trends", "?horizon=month", "light").body)
    assert "Rising and falling topics, over a month up to Mar 2025" in month
    assert "Year before" not in month


def test_every_reason_of_the_marts_has_a_text() -> None:
    contract = Path(__file__).parents[2] / "dbt_models/models/marts/rpt_topic_changes.yml"
    (stated,) = re.findall(r'"Reason for the verdict: (.*)"', contract.read_text())
    assert set(re.findall(r"`(\w+)`", stated)) - set(VERDICTS) == set(evidence.REASONS)


def test_the_level_of_arxiv_names_its_categories(publish: Publish) -> None:
    populations = ("hf_daily", "arxiv", "arxiv.cs.CL", "arxiv.cs.CV")
    queries = Queries(Reader(publish(populations=populations)))
    for path in ("/", "/trends", "/topics", "/authors"):
        shown = as_json(render(queries, path, "?population=arxiv&topic=agents", "light").body)
        assert "standardised: the mean of the levels in cs.CL and cs.CV" in shown, path
        shown = as_json(render(queries, path, "?topic=agents", "light").body)
        assert "standardised" not in shown, path


def test_trending_falls_back_to_the_last_day_with_scores(
    publish: Publish,
) -> None:
    tables = marts(("hf_daily",))["rpt_trending_papers"]
    last = pl.col("day_on") == date(2025, 3, 31)
    unseen = tables.filter(~last | pl.col("score").is_null())
    queries = Queries(Reader(publish(populations=("hf_daily",), rpt_trending_papers=unseen)))
    shown = as_json(render(queries, "/", "", "light").body)
    assert "Papers gaining attention, 30 Mar 2025" in shown
    assert "After 30 Mar 2025, up to 31 Mar 2025, no paper has a score." in shown
    assert "1 have a score" in shown or "1 has a score" in shown


def test_shared_names_are_muted(queries: Queries) -> None:
    rendered = render(queries, "/authors", "", "light")
    shown = as_json(rendered.body)
    assert "A name is not a person." in shown
    assert "n = 59 of 60 papers on the Hugging Face daily list" in shown
    muted = [one for one in walk(rendered.body) if getattr(one, "className", "") == "is-muted"]
    assert any(NASTY_LABEL in as_json(row) for row in muted)
    assert not any("Ada Lovelace" in as_json(row) for row in muted)
    assert any("q=Ada+Lovelace" in href for href in hrefs(rendered))


def test_team_sizes_have_verdicts(queries: Queries) -> None:
    shown = as_json(render(queries, "/authors", "?period=2025-03-01", "light").body)
    assert "over half a year ×2.01 (80 % interval ×1.49–2.72), rising" in shown
    assert "not comparable: the history is too short" in shown
    for part in (SUMMARY, "8 of 40", "Feb 2025 (Jan 2025 to Mar 2025)", "Wrong direction"):
        assert part in shown, part


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/?", "Over a year up to Mar 2025, 1 of 3 topics is rising and 0 falling (Hugging Face"),
        ("/trends?horizon=month", "Over a month up to Mar 2025, "),
        ("/topics?", "The largest topics in Mar 2025 are Agents (40.0"),
        ("/topics?topic=agents", "Agents: rising over a year: 12.0 % of papers"),
        ("/authors?period=2025-03-01", "In Mar 2025, the median paper has"),
        ("/papers?term=agents&period=2025-03-01", "Term “Agents”: rising over a year"),
        ("/health", "Captured: "),
    ],
    ids=["overview", "trends", "topics", "topic", "authors", "term", "health"],
)
def test_a_page_leads_with_its_finding(queries: Queries, address: str, sentence: str) -> None:
    path, _, search = address.partition("?")
    body = render(queries, path, f"?{search}", "light").body
    leads = [one for one in walk(body) if "text-lead" in str(getattr(one, "className", ""))]
    assert str(leads[0].children).startswith(sentence)


def test_verdicts_on_topics_show_their_measured_odds(queries: Queries) -> None:
    overview = as_json(render(queries, "/", "", "light").body)
    topic = as_json(render(queries, "/topics", "?topic=agents", "light").body)
    term = as_json(render(queries, "/papers", "?term=agents&period=2025-03-01", "light").body)
    found = odds.measured("hf_daily", "month", "year")
    sentence = odds.sentence(found, "rising", "year")
    assert sentence
    assert sentence in overview
    assert sentence in topic
    assert odds.holds(found, "rising") in topic
    assert "Measured odds" not in term
    assert '"Holds"' not in term
