with series as (

    select * from {{ ref('int_series__judged') }}

),

topics as (

    select * from {{ ref('dim_topics') }}

),

topic_series as (

    select * from series
    where series_kind in ('taxonomy', 'discovered')

)

select
    topic_series.population,
    topic_series.grain,
    topic_series.period_start_on,
    topic_series.period_end_on,
    topic_series.series_id as topic_id,
    topics.name as topic_name,
    topics.area,
    topics.kind,
    {{ trend_columns('topic_series') }}
from topic_series
left join topics on topic_series.series_id = topics.topic_id
