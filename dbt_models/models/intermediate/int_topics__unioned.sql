with topics as (

    select * from {{ ref('stg_raw__topics') }}

),

fits as (

    select * from {{ ref('int_topic_fits__learned') }}

),

newest_fit as (

    select * from fits
    where is_newest

),

fitted as (

    {{ unnest_list('newest_fit', 'topics', 'topic', 'place', ['boundary_on']) }}

),

discovered as (

    select
        topic.topic_id,
        topic.label as name,
        {{ join_list('topic.top_words', ', ') }} as words,
        boundary_on
    from fitted

)

select
    topic_id,
    name,
    area,
    'taxonomy' as kind,
    origin,
    parents,
    description
from topics
union all
select
    'no-topic' as topic_id,
    'No topic matched' as name,
    'No topic' as area,
    'none' as kind,
    'papertide' as origin,
    {{ empty_text_list() }} as parents,
    'Papers in which no phrase of the taxonomy was found often enough.' as description
union all
select
    topic_id,
    name,
    'Discovered' as area,
    'discovered' as kind,
    'papertide' as origin,
    {{ empty_text_list() }} as parents,
    'Found in papers dated before ' || cast(boundary_on as {{ dbt.type_string() }})
    || case when words = '' then '.' else '. Words: ' || words || '.' end as description
from discovered
