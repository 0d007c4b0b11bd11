with population_papers as (

    select * from {{ ref('int_population__papers') }}

),

paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

dated as (

    select
        population,
        paper_id,
        min(counted_on) as first_counted_on,
        max(counted_on) as last_counted_on
    from population_papers
    where population in ('hf_daily', 'arxiv')
    group by population, paper_id

)

select
    population,
    'all' as topic_id,
    paper_id,
    first_counted_on,
    last_counted_on
from dated
union all
select
    dated.population,
    paper_topics.topic_id,
    dated.paper_id,
    dated.first_counted_on,
    dated.last_counted_on
from dated
inner join paper_topics on dated.paper_id = paper_topics.paper_id
where paper_topics.topic_id <> 'no-topic'
