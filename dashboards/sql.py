"""SQL of the dashboard: choices, coverage, papers and data health.

Belongs here: SQL constants over the marts, values bound by name. Does not: series over periods
(`sql_trends`), or statistics that the marts hold.
"""

WITH_TOPIC = """counted.paper_id in (
        select t.paper_id from bridge_paper_topics as t where t.topic_id = $topic
    )"""

WITH_AREA = """counted.paper_id in (
        select t.paper_id
        from bridge_paper_topics as t
        join dim_topics as d on t.topic_id = d.topic_id
        where d.area = $area
    )"""

WITH_TERM = """counted.paper_id in (
        select t.paper_id from bridge_paper_terms as t where t.term_id = $term
    )"""

WITH_CODE = """counted.paper_id in (
        select p.paper_id from dim_papers as p where p.github_url is not null
    )"""

WITH_TEXT = """counted.paper_id in (
        select p.paper_id from dim_papers as p where contains(lower(p.title), lower($q))
        union
        select a.paper_id
        from bridge_paper_authors as a
        where contains(lower(a.author_name), lower($q))
    )"""

PERIODS = """
with

periods as (
    select
        population,
        grain,
        period_start_on,
        max(period_end_on) as period_end_on,
        max(n_total) as n_total,
        bool_or(is_partial) as is_partial,
        bool_and(is_sufficient) as is_sufficient
    from rpt_topic_trends
    group by population, grain, period_start_on
)

select periods.*, coverage.complete_share, coverage.text_share
from periods
left join rpt_period_coverage as coverage using (population, grain, period_start_on)
order by periods.population, periods.grain, periods.period_start_on
"""

TOPICS = """
select topic_id, name, area, kind, description, parents
from dim_topics
where kind <> 'none'
order by lower(name), topic_id
"""

FACTS = """
select
    info.snapshot_id,
    info.published_at,
    (select count(*) from dim_papers) as n_papers,
    (select count(*) from dim_authors) as n_authors,
    (select count(*) from rpt_capture_reconciliation) as n_captures,
    (select max(captured_at) from rpt_capture_reconciliation) as last_captured_at
from main.snapshot_info as info
"""

COVERAGE_TOTALS = """
select
    population,
    min(listed_on) as first_on,
    max(listed_on) as last_on,
    count(*) filter (where is_expected) as n_expected,
    count(*) filter (where is_expected and is_captured) as n_captured,
    count(*) filter (where is_complete) as n_complete,
    count(*) filter (where is_complete is null) as n_unstated
from rpt_coverage
group by population
order by population desc
"""

COVERAGE = """
select
    population, listed_on, is_expected, is_captured, is_complete, n_captures, n_papers,
    last_captured_at
from rpt_coverage
where population = $population
order by listed_on
"""

TRENDING = """
select
    t.population, t.day_on, t.rank, p.title, p.arxiv_id, t.paper_id, t.score, t.basis,
    t.n_counted, t.expected, t.n_compared, t.day_level, t.prior, t.ratio, t.upvotes, t.comments,
    t.github_stars, t.listed_on, t.age_days, t.upvotes_per_day, t.comments_per_day,
    t.github_stars_per_day, t.n_observations, t.observed_days, t.first_observed_at,
    t.last_observed_at,
    (
        select max(s.day_on)
        from rpt_trending_papers as s
        where s.population = $population and ($last is null or s.day_on <= $last)
    ) as newest_on
from rpt_trending_papers as t
join dim_papers as p on t.paper_id = p.paper_id
where
    t.population = $population
    and t.day_on = (
        select coalesce(max(d.day_on) filter (where d.score is not null), max(d.day_on))
        from rpt_trending_papers as d
        where d.population = $population and ($last is null or d.day_on <= $last)
    )
order by
    t.rank nulls last, t.score desc nulls last, t.listed_on desc, t.upvotes desc nulls last,
    t.paper_id
"""

PAPER_COLUMNS = """
    paper.paper_id, paper.arxiv_id, paper.title, paper.authors, paper.n_authors,
    paper.primary_category, paper.organization, paper.github_url, paper.project_url,
    paper.upvotes, paper.comments, paper.github_stars
"""

# Rows are limited before the wide columns are joined.
LAST_LISTING = f"""
with

listed as (
    select f.population, f.listed_on, f.paper_id, f.rank, count(*) over () as n_found
    from fct_listings as f
    where
        f.population = $population
        and f.listed_on = (
            select max(l.listed_on) from fct_listings as l where l.population = $population
        )
    order by f.rank nulls last, f.paper_id
    limit 40
)

select
    listed.population, listed.listed_on as counted_on, 'day' as date_precision,
    listed.n_found, {PAPER_COLUMNS}
from listed
join dim_papers as paper on listed.paper_id = paper.paper_id
order by listed.rank nulls last, listed.paper_id
"""

MATCHES = """
with

matches as materialized (
    select counted.population, counted.counted_on, counted.date_precision, counted.paper_id
    from bridge_population_papers as counted
    where {filters}
),
"""

PAGE_COLUMNS = f"""
select
    page.population, page.counted_on, page.date_precision,
    (select count(*) from matches) as n_found, {PAPER_COLUMNS}
from page
join dim_papers as paper on page.paper_id = paper.paper_id
"""

PAPERS = {
    "listed": f"""{MATCHES}
page as (
    select matches.population, matches.counted_on, matches.date_precision, matches.paper_id
    from matches
    order by matches.counted_on desc, matches.paper_id desc
    limit $limit offset $offset
)
{PAGE_COLUMNS}
order by page.counted_on desc, page.paper_id desc
""",
    "upvotes": f"""{MATCHES}
page as (
    select matches.population, matches.counted_on, matches.date_precision, matches.paper_id
    from matches
    join dim_papers as p on matches.paper_id = p.paper_id
    order by p.upvotes desc nulls last, matches.counted_on desc, matches.paper_id desc
    limit $limit offset $offset
)
{PAGE_COLUMNS}
order by paper.upvotes desc nulls last, page.counted_on desc, page.paper_id desc
""",
}

NEWEST_BY_TOPIC = f"""
with

ranked as (
    select
        b.topic_id,
        counted.population,
        counted.paper_id,
        counted.counted_on,
        counted.date_precision,
        count(*) over (partition by b.topic_id) as n_found,
        row_number() over (
            partition by b.topic_id
            order by counted.counted_on desc, counted.paper_id desc
        ) as place
    from bridge_population_papers as counted
    join bridge_paper_topics as b on counted.paper_id = b.paper_id
    where counted.population = $population and b.topic_id <> 'no-topic'
)

select
    ranked.topic_id, ranked.population, ranked.counted_on, ranked.date_precision,
    ranked.n_found, {PAPER_COLUMNS}
from ranked
join dim_papers as paper on ranked.paper_id = paper.paper_id
where ranked.place <= $limit
order by ranked.topic_id, ranked.place
"""

TOPICS_OF = """
select b.paper_id, b.topic_id, t.name, t.kind, b.score, b.evidence
from bridge_paper_topics as b
join dim_topics as t on b.topic_id = t.topic_id
where b.paper_id in (select unnest($papers)) and t.kind <> 'none'
order by b.paper_id, b.score desc, t.name
"""

TERM_OF = """
select b.paper_id, d.term, b.n_mentions
from bridge_paper_terms as b
join dim_terms as d on b.term_id = d.term_id
where b.term_id = $term and b.paper_id in (select unnest($papers))
"""

RECONCILIATION = """
select
    source,
    listing_kind,
    count(*) as n_captures,
    cast(sum(n_seen) as bigint) as n_seen,
    cast(sum(n_accepted) as bigint) as n_accepted,
    cast(sum(n_quarantined) as bigint) as n_quarantined
from rpt_capture_reconciliation
group by source, listing_kind
order by source, listing_kind
"""

CAPTURES = """
select
    captured_at, captured_at_basis, origin, source, format, listing_kind, listing_kind_rule,
    listed_on, listed_on_basis, n_seen, n_accepted, n_quarantined, n_by_reason, rules, overrides,
    capture_id, sha256, parser_version
from rpt_capture_reconciliation
order by captured_at desc nulls last, capture_id
"""

QUARANTINE_REASONS = """
select source, reason, count(distinct capture_id) as n_captures, count(*) as n_items
from rpt_quarantine
group by source, reason
order by n_items desc, source, reason
"""

QUARANTINE = """
select reason, source, origin, place, detail, excerpt, capture_id
from rpt_quarantine
order by reason, origin, place
limit 5000
"""

TITLE_OUTCOMES = """
select outcome, count(*) as n_titles
from rpt_title_matches
group by outcome
order by n_titles desc, outcome
"""

TITLE_MATCHES = """
select outcome, title, paper_id, n_candidates, match_evidence, title_key
from rpt_title_matches
order by outcome = 'matched' desc, outcome, title
limit 5000
"""
