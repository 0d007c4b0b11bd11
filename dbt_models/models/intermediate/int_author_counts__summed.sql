{{ recompute_by('period') }}
with period_topic_papers as (

    select * from {{ changed_rows(ref('int_period_topic_papers__spread')) }}

),

papers as (

    select * from {{ ref('int_papers__merged') }}

),

periods as (

    select * from {{ ref('int_periods__covered') }}

),

counts as (

    select
        period_topic_papers.population,
        period_topic_papers.grain,
        period_topic_papers.period_start_on,
        period_topic_papers.topic_id,
        papers.n_authors,
        row_number() over (
            partition by
                period_topic_papers.population,
                period_topic_papers.grain,
                period_topic_papers.period_start_on,
                period_topic_papers.topic_id
            order by papers.n_authors, papers.paper_id
        ) as author_rank,
        count(*) over (
            partition by
                period_topic_papers.population,
                period_topic_papers.grain,
                period_topic_papers.period_start_on,
                period_topic_papers.topic_id
        ) as n_papers
    from period_topic_papers
    inner join papers on period_topic_papers.paper_id = papers.paper_id
    where papers.n_authors is not null

),

-- Confidence bounds of quantiles are order statistics; null if n is too small for one to exist.
summed as (

    select
        population,
        grain,
        period_start_on,
        topic_id,
        count(*) as n_papers,
        -- Integer sums don't depend on the order of addition; floating-point sums do.
        cast(sum(n_authors) as bigint) as sum_authors,
        cast(sum(n_authors * n_authors) as bigint) as sum_squares,
        (
            max(case when author_rank = cast(floor((n_papers + 1) / 2.0) as bigint) then n_authors end)
            + max(case when author_rank = cast(ceil((n_papers + 1) / 2.0) as bigint) then n_authors end)
        ) / 2.0 as median_authors,
        max(case when author_rank = {{ quantile_rank(0.5, 'n_papers', 'low') }} then n_authors end) as median_low,
        max(case when author_rank = {{ quantile_rank(0.5, 'n_papers', 'high') }} then n_authors end) as median_high,
        max(case when author_rank = cast(ceil(n_papers * 0.9) as bigint) then n_authors end) as p90_authors,
        max(case when author_rank = {{ quantile_rank(0.9, 'n_papers', 'low') }} then n_authors end) as p90_low,
        max(case when author_rank = {{ quantile_rank(0.9, 'n_papers', 'high') }} then n_authors end) as p90_high,
        max(n_authors) as max_authors,
        sum(case when n_authors = 1 then 1 else 0 end) as n_solo,
        sum(case when n_authors >= 10 then 1 else 0 end) as n_ten_plus
    from counts
    group by population, grain, period_start_on, topic_id

),

spread as (

    select
        *,
        cast(sum_authors as double) / n_papers as mean_authors,
        case
            when n_papers > 1
                then sqrt((sum_squares - cast(sum_authors as double) * sum_authors / n_papers) / (n_papers - 1))
        end as sd_authors
    from summed

)

select
    spread.population,
    spread.grain,
    spread.period_start_on,
    periods.period_end_on,
    spread.topic_id,
    spread.n_papers,
    spread.mean_authors,
    spread.mean_authors - {{ var('z95') }} * spread.sd_authors / sqrt(spread.n_papers) as mean_low,
    spread.mean_authors + {{ var('z95') }} * spread.sd_authors / sqrt(spread.n_papers) as mean_high,
    cast(spread.median_authors as double) as median_authors,
    spread.median_low,
    spread.median_high,
    spread.p90_authors,
    spread.p90_low,
    spread.p90_high,
    spread.max_authors,
    cast(spread.n_solo as bigint) as n_solo,
    cast(spread.n_solo as double) / spread.n_papers as solo_share,
    {{ wilson('spread.n_solo', 'spread.n_papers', 'low') }} as solo_share_low,
    {{ wilson('spread.n_solo', 'spread.n_papers', 'high') }} as solo_share_high,
    cast(spread.n_ten_plus as bigint) as n_ten_plus,
    cast(spread.n_ten_plus as double) / spread.n_papers as ten_plus_share,
    {{ wilson('spread.n_ten_plus', 'spread.n_papers', 'low') }} as ten_plus_share_low,
    {{ wilson('spread.n_ten_plus', 'spread.n_papers', 'high') }} as ten_plus_share_high,
    spread.n_papers >= {{ var('min_sufficient_n') }} as is_sufficient,
    periods.is_partial,
    periods.coverage_share,
    periods.complete_share
from spread
inner join periods
    on
        spread.population = periods.population
        and spread.grain = periods.grain
        and spread.period_start_on = periods.period_start_on
