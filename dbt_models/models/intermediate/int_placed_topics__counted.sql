-- population × grain × period × discovered topic. All of it, as a new fit changes every period.
with period_papers as (

    select * from {{ ref('int_period_papers__spread') }}

),

paper_topics as (

    select * from {{ ref('int_paper_topics__placed') }}

),

periods as (

    select * from {{ ref('int_periods__covered') }}

),

topics as (

    select * from {{ ref('dim_topics') }}

),

counted as (

    select
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_topics.topic_id,
        count(*) as n_papers
    from period_papers
    inner join paper_topics on period_papers.paper_id = paper_topics.paper_id
    group by
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_topics.topic_id

),

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
    inner join topics on topics.kind = 'discovered'
    left join counted
        on
            periods.population = counted.population
            and periods.grain = counted.grain
            and periods.period_start_on = counted.period_start_on
            and topics.topic_id = counted.topic_id

)

select * from filled
