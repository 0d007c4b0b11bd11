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

counted as (

    select
        period_topic_papers.population,
        period_topic_papers.grain,
        period_topic_papers.period_start_on,
        period_topic_papers.topic_id,
        {{ author_bucket('papers.n_authors') }} as bucket,
        {{ author_bucket_order('papers.n_authors') }} as bucket_order,
        count(*) as n_papers
    from period_topic_papers
    inner join papers on period_topic_papers.paper_id = papers.paper_id
    where papers.n_authors is not null
    group by
        period_topic_papers.population,
        period_topic_papers.grain,
        period_topic_papers.period_start_on,
        period_topic_papers.topic_id,
        {{ author_bucket('papers.n_authors') }},
        {{ author_bucket_order('papers.n_authors') }}

),

totalled as (

    select
        *,
        cast(sum(n_papers) over (
            partition by population, grain, period_start_on, topic_id
        ) as bigint) as n_total
    from counted

)

select
    totalled.population,
    totalled.grain,
    totalled.period_start_on,
    totalled.topic_id,
    totalled.bucket,
    totalled.bucket_order,
    totalled.n_papers,
    totalled.n_total,
    cast(totalled.n_papers as double) / totalled.n_total as share,
    {{ wilson('totalled.n_papers', 'totalled.n_total', 'low') }} as share_low,
    {{ wilson('totalled.n_papers', 'totalled.n_total', 'high') }} as share_high,
    periods.is_partial
from totalled
inner join periods
    on
        totalled.population = periods.population
        and totalled.grain = periods.grain
        and totalled.period_start_on = periods.period_start_on
