{{ config(meta={'dagster': {'ref': {'name': 'int_papers__merged'}}}) }}
-- A paper whose text was not searched for topic phrases would look like a paper without a topic.
with papers as (

    select * from {{ ref('int_papers__merged') }}

),

searched as (

    select * from {{ ref('stg_raw__topic_texts') }}

),

texts as (

    select {{ dbt.hash('title') }} as text_hash
    from papers
    where title is not null
    union
    select {{ dbt.hash('abstract') }} as text_hash
    from papers
    where abstract is not null

)

select text_hash
from texts
where text_hash not in (select searched.text_hash from searched)
