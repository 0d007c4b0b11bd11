with period_topic_papers as (

    select * from {{ ref('int_period_topic_papers__spread') }}

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

-- A quantile's interval: the order statistics whose ranks bound it (null where n is too small for
-- one of them to exist).
summed as (

    select
        population,
        grain,
        period_start_on,
        topic_id,
        count(*) as n_papers,
        avg(cast(n_authors as double)) as mean_authors,
        stddev_samp(cast(n_authors as double)) as sd_authors,
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

)

select
    summed.population,
    summed.grain,
    summed.period_start_on,
    periods.period_end_on,
    summed.topic_id,
    summed.n_papers,
    summed.mean_authors,
    summed.mean_authors - {{ var('z95') }} * summed.sd_authors / sqrt(summed.n_papers) as mean_low,
    summed.mean_authors + {{ var('z95') }} * summed.sd_authors / sqrt(summed.n_papers) as mean_high,
    cast(summed.median_authors as double) as median_authors,
    summed.median_low,
    summed.median_high,
    summed.p90_authors,
    summed.p90_low,
    summed.p90_high,
    summed.max_authors,
    cast(summed.n_solo as bigint) as n_solo,
    cast(summed.n_solo as double) / summed.n_papers as solo_share,
    {{ wilson('summed.n_solo', 'summed.n_papers', 'low') }} as solo_share_low,
    {{ wilson('summed.n_solo', 'summed.n_papers', 'high') }} as solo_share_high,
    cast(summed.n_ten_plus as bigint) as n_ten_plus,
    cast(summed.n_ten_plus as double) / summed.n_papers as ten_plus_share,
    {{ wilson('summed.n_ten_plus', 'summed.n_papers', 'low') }} as ten_plus_share_low,
    {{ wilson('summed.n_ten_plus', 'summed.n_papers', 'high') }} as ten_plus_share_high,
    summed.n_papers >= {{ var('min_sufficient_n') }} as is_sufficient,
    periods.is_partial
from summed
inner join periods
    on
        summed.population = periods.population
        and summed.grain = periods.grain
        and summed.period_start_on = periods.period_start_on
