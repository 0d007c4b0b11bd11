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

-- Every topic of the taxonomy in every period of the population: no papers is a figure too.
filled as (

    select
        periods.population,
        periods.grain,
        periods.period_start_on,
        periods.period_end_on,
        topics.topic_id,
        topics.name as topic_name,
        topics.area,
        topics.kind,
        coalesce(counted.n_papers, 0) as n_papers,
        periods.n_total,
        periods.is_partial,
        periods.coverage_share,
        periods.complete_share,
        periods.text_share
    from periods
    inner join topics on topics.kind <> 'discovered'
    left join counted
        on
            periods.population = counted.population
            and periods.grain = counted.grain
            and periods.period_start_on = counted.period_start_on
            and topics.topic_id = counted.topic_id
    where {{ is_touched_period('periods') }}

)

select * from filled
