with topic_papers as (

    select * from {{ ref('int_topic_papers__dated') }}

),

papers as (

    select * from {{ ref('int_papers__merged') }}

),

sized as (

    select
        topic_papers.population,
        topic_papers.topic_id,
        cast(count(*) as bigint) as n_topic_papers,
        cast(count(papers.organization) as bigint) as n_total
    from topic_papers
    inner join papers on topic_papers.paper_id = papers.paper_id
    group by topic_papers.population, topic_papers.topic_id

),

counted as (

    select
        topic_papers.population,
        topic_papers.topic_id,
        papers.organization,
        cast(count(*) as bigint) as n_papers,
        min(topic_papers.first_counted_on) as first_counted_on,
        max(topic_papers.last_counted_on) as last_counted_on
    from topic_papers
    inner join papers on topic_papers.paper_id = papers.paper_id
    where papers.organization is not null
    group by topic_papers.population, topic_papers.topic_id, papers.organization
    having count(*) >= {{ var('min_frequent_papers') }}

),

ranked as (

    select
        *,
        cast(rank() over (partition by population, topic_id order by n_papers desc) as bigint) as place
    from counted

)

select
    ranked.population,
    ranked.topic_id,
    ranked.organization,
    ranked.place as rank,
    ranked.n_papers,
    sized.n_total,
    sized.n_topic_papers,
    cast(ranked.n_papers as double) / sized.n_total as share,
    {{ wilson('ranked.n_papers', 'sized.n_total', 'low') }} as share_low,
    {{ wilson('ranked.n_papers', 'sized.n_total', 'high') }} as share_high,
    ranked.first_counted_on,
    ranked.last_counted_on
from ranked
inner join sized
    on
        ranked.population = sized.population
        and ranked.topic_id = sized.topic_id
where ranked.place <= {{ var('max_frequent_rank') }}
