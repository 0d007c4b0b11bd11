with changes as (

    select * from {{ ref('int_changes__stated') }}

),

topics as (

    select * from {{ ref('dim_topics') }}

),

topic_changes as (

    select * from changes
    where series_kind in ('taxonomy', 'discovered')

)

select
    topic_changes.population,
    topic_changes.grain,
    topic_changes.period_start_on,
    topic_changes.series_id as topic_id,
    topics.name as topic_name,
    {{ change_columns('topic_changes') }}
from topic_changes
left join topics on topic_changes.series_id = topics.topic_id
