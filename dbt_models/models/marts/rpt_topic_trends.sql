{{ config_by_period() }}
with period_topic_papers as (

    select * from {{ ref('int_period_topic_papers__spread') }}

),

periods as (

    select * from {{ ref('int_periods__covered') }}

),

topics as (

    select * from {{ ref('dim_topics') }}

),

counted as (

    select
        population,
        grain,
        period_start_on,
        topic_id,
        count(*) as n_papers
    from period_topic_papers
    where topic_id <> 'all' and {{ is_touched_period('period_topic_papers') }}
    group by population, grain, period_start_on, topic_id

),

-- Every topic in every period of the population: no papers is a figure too.
filled as (

    select
        periods.population,
        periods.grain,
        periods.period_start_on,
        periods.period_end_on,
        topics.topic_id,
        topics.name as topic_name,
        topics.area,
        coalesce(counted.n_papers, 0) as n_papers,
        periods.n_total,
        periods.is_partial,
        periods.coverage_share
    from periods
    cross join topics
    left join counted
        on
            periods.population = counted.population
            and periods.grain = counted.grain
            and periods.period_start_on = counted.period_start_on
            and topics.topic_id = counted.topic_id
    where {{ is_touched_period('periods') }}

)

select
    population,
    grain,
    period_start_on,
    period_end_on,
    topic_id,
    topic_name,
    area,
    n_papers,
    n_total,
    cast(n_papers as double) / n_total as share,
    {{ wilson('n_papers', 'n_total', 'low') }} as share_low,
    {{ wilson('n_papers', 'n_total', 'high') }} as share_high,
    n_total >= {{ var('min_sufficient_n') }} as is_sufficient,
    is_partial,
    coverage_share
from filled
