with topic_papers as (

    select * from {{ ref('int_topic_papers__dated') }}

),

papers as (

    select * from {{ ref('int_papers__merged') }}

),

printed as (

    select * from {{ ref('bridge_paper_authors') }}

),

paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

topics as (

    select * from {{ ref('dim_topics') }}

),

authors as (

    select * from {{ ref('dim_authors') }}

),

-- Names on a single paper can't be in the result; dropping them early halves the time. A name that a
-- paper prints twice counts once.
names as (

    select distinct
        printed.paper_id,
        printed.author_id
    from printed
    inner join authors on printed.author_id = authors.author_id
    where authors.n_papers >= {{ var('min_frequent_papers') }}

),

sized as (

    select
        topic_papers.population,
        topic_papers.topic_id,
        cast(count(*) as bigint) as n_topic_papers,
        cast(count(papers.authors) as bigint) as n_total
    from topic_papers
    inner join papers on topic_papers.paper_id = papers.paper_id
    group by topic_papers.population, topic_papers.topic_id

),

counted as (

    select
        topic_papers.population,
        topic_papers.topic_id,
        names.author_id,
        cast(count(*) as bigint) as n_papers,
        min(topic_papers.first_counted_on) as first_counted_on,
        max(topic_papers.last_counted_on) as last_counted_on
    from topic_papers
    inner join names on topic_papers.paper_id = names.paper_id
    group by topic_papers.population, topic_papers.topic_id, names.author_id
    having count(*) >= {{ var('min_frequent_papers') }}

),

ranked as (

    select
        *,
        cast(rank() over (partition by population, topic_id order by n_papers desc) as bigint) as place
    from counted

),

kept as (

    select * from ranked
    where place <= {{ var('max_frequent_rank') }}

),

kept_names as (

    select distinct author_id from kept

),

-- Number of areas in which the name has papers, over the whole warehouse.
spread as (

    select
        names.author_id,
        cast(count(distinct topics.area) as bigint) as n_areas
    from kept_names
    inner join names on kept_names.author_id = names.author_id
    inner join paper_topics on names.paper_id = paper_topics.paper_id
    inner join topics on paper_topics.topic_id = topics.topic_id
    where topics.kind = 'taxonomy'
    group by names.author_id

)

select
    kept.population,
    kept.topic_id,
    kept.author_id,
    authors.author_name,
    kept.place as rank,
    kept.n_papers,
    sized.n_total,
    sized.n_topic_papers,
    cast(kept.n_papers as double) / sized.n_total as share,
    {{ wilson('kept.n_papers', 'sized.n_total', 'low') }} as share_low,
    {{ wilson('kept.n_papers', 'sized.n_total', 'high') }} as share_high,
    kept.first_counted_on,
    kept.last_counted_on,
    coalesce(spread.n_areas, 0) as n_areas,
    coalesce(spread.n_areas, 0) > {{ var('max_name_areas') }}
    or {{ is_bare_name('authors.author_name') }} as is_ambiguous
from kept
inner join sized
    on
        kept.population = sized.population
        and kept.topic_id = sized.topic_id
inner join authors on kept.author_id = authors.author_id
left join spread on kept.author_id = spread.author_id
