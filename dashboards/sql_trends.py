"""SQL of the dashboard: shares, verdicts, differences and author counts.

Belongs here: SQL constants over the `rpt_` marts by period or topic. Does not: other SQL (`sql`).
"""

from __future__ import annotations

CHANGE = (
    "growth", "growth_low", "growth_high", "sign_error", "level_before", "began_on",
    "began_from_on", "began_to_on", "verdict", "verdict_reason",
)  # fmt: skip
"""What is stated of a change over one horizon."""

JUDGED = f"""
    level, level_low, level_high, horizon, {", ".join(CHANGE)}, burst_level, first_seen_on,
    is_emerging
"""

TOPIC_COLUMNS = f"""
select
    population, grain, period_start_on, period_end_on, topic_id, topic_name, area, kind, n_papers,
    n_total, share, share_low, share_high, is_sufficient, is_partial, coverage_share,
    {JUDGED}
from rpt_topic_trends
where
    population = $population
    and grain = $grain
    and period_start_on between $first and $last
"""

TOPIC_SHARES = f"""{TOPIC_COLUMNS}
    and (kind = 'discovered') = ($kind = 'discovered')
    and ($area is null or area = $area)
order by share desc, topic_name
"""

TOPIC_HISTORY = f"""{TOPIC_COLUMNS}
    and topic_id in (select unnest($topics))
order by topic_id, period_start_on
"""

TERM_HISTORY = f"""
select
    population, grain, period_start_on, period_end_on, term_id, term, n_papers, n_total, share,
    share_low, share_high, is_sufficient, is_partial,
    {JUDGED}
from rpt_term_trends
where
    population = $population
    and grain = $grain
    and period_start_on between $first and $last
    and term_id = $term
order by period_start_on
"""

CHANGED = f"""
    s.n_papers, s.n_total, s.share, s.share_low, s.share_high, s.is_sufficient, s.is_partial,
    s.is_emerging, s.level, s.level_low, s.level_high, c.horizon,
    {", ".join(f"c.{name}" for name in CHANGE)}, c.statement
"""

TOPIC_CHANGES = f"""
select
    c.population, c.grain, c.period_start_on, s.period_end_on, c.topic_id, s.topic_name, s.area,
    s.kind, {CHANGED}
from rpt_topic_changes as c
join rpt_topic_trends as s using (population, grain, period_start_on, topic_id)
where
    c.population = $population
    and c.grain = $grain
    and c.period_start_on between $first and $last
    and (s.kind = 'discovered') = ($kind = 'discovered')
order by s.topic_name, c.topic_id, c.horizon
"""

TERM_CHANGES = f"""
select
    c.population, c.grain, c.period_start_on, s.period_end_on, c.term_id, s.term, {CHANGED}
from rpt_term_changes as c
join rpt_term_trends as s using (population, grain, period_start_on, term_id)
where
    c.population = $population
    and c.grain = $grain
    and c.period_start_on between $first and $last
order by s.term, c.term_id, c.horizon
"""

DIFFERENCES = """
with

now as (
    select *
    from rpt_topic_trends
    where population = $population and grain = $grain and period_start_on = $now
),

before as (
    select *
    from rpt_topic_trends
    where population = $population and grain = $grain and period_start_on = $before
)

select
    now.population,
    now.grain,
    before.period_start_on as before_start_on,
    now.period_start_on,
    now.topic_id,
    now.topic_name,
    now.area,
    before.n_papers as before_n_papers,
    before.n_total as before_n_total,
    before.share as before_share,
    now.n_papers,
    now.n_total,
    now.share,
    now.share - before.share as difference,
    now.share - before.share - sqrt(
        power(now.share - now.share_low, 2) + power(before.share_high - before.share, 2)
    ) as difference_low,
    now.share - before.share + sqrt(
        power(now.share_high - now.share, 2) + power(before.share - before.share_low, 2)
    ) as difference_high
from now
join before on now.topic_id = before.topic_id
where now.kind = 'taxonomy'
order by abs(now.share - before.share) desc, now.topic_name
"""

TEAM_LEVELS = ("level", "level_low", "level_high", *CHANGE)
TEAM_COLUMNS = ", ".join(
    f"c.{size}_{name}" for size in ("solo", "ten_plus") for name in TEAM_LEVELS
)

AUTHOR_COLUMNS = f"""
    c.population, c.grain, c.period_start_on, c.period_end_on, c.topic_id, c.n_papers,
    c.median_authors, c.median_low, c.median_high, c.p90_authors, c.p90_low, c.p90_high,
    c.mean_authors, c.mean_low, c.mean_high, c.max_authors, c.n_solo, c.solo_share,
    c.solo_share_low, c.solo_share_high, c.n_ten_plus, c.ten_plus_share, c.ten_plus_share_low,
    c.ten_plus_share_high, c.is_sufficient, c.is_partial, {TEAM_COLUMNS}
"""

AUTHOR_COUNTS = f"""
select {AUTHOR_COLUMNS}
from rpt_author_counts as c
where
    c.population = $population
    and c.grain = $grain
    and c.topic_id = $topic
    and c.period_start_on between $first and $last
order by c.period_start_on
"""

AUTHOR_COUNTS_AT = f"""
select {AUTHOR_COLUMNS}
from rpt_author_counts as c
where
    c.population = $population
    and c.grain = $grain
    and c.topic_id = 'all'
    and c.period_start_on in (select unnest($periods))
order by c.period_start_on
"""

AUTHOR_COUNTS_BY_TOPIC = f"""
select t.name as topic_name, t.area, {AUTHOR_COLUMNS}
from rpt_author_counts as c
join dim_topics as t on c.topic_id = t.topic_id
where
    c.population = $population
    and c.grain = $grain
    and c.period_start_on = $period
    and t.kind <> 'none'
    and ($area is null or t.area = $area)
order by c.n_papers desc, t.name
"""

AUTHOR_DISTRIBUTION = """
select
    population, grain, period_start_on, topic_id, bucket, bucket_order, n_papers, n_total, share,
    share_low, share_high, is_partial
from rpt_author_count_distribution
where
    population = $population
    and grain = $grain
    and period_start_on = $period
    and topic_id = $topic
order by bucket_order
"""

TOPIC_AUTHORS = """
select
    population, topic_id, author_id, author_name, rank, n_papers, n_total, n_topic_papers, share,
    share_low, share_high, first_counted_on, last_counted_on, n_areas, is_ambiguous
from rpt_topic_authors
where population = $population and topic_id = $topic
order by rank, author_name
"""

TOPIC_ORGANIZATIONS = """
select
    population, topic_id, organization, rank, n_papers, n_total, n_topic_papers, share, share_low,
    share_high, first_counted_on, last_counted_on
from rpt_topic_organizations
where population = $population and topic_id = $topic
order by rank, organization
"""
