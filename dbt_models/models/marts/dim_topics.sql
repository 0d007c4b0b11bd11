with topics as (

    select * from {{ ref('stg_lake__topics') }}

)

select
    topic_id,
    name,
    area,
    'taxonomy' as kind,
    origin,
    description
from topics
union all
select
    'no-topic' as topic_id,
    'No topic matched' as name,
    'No topic' as area,
    'none' as kind,
    'papertide' as origin,
    'Papers in which no phrase of the taxonomy was found often enough.' as description
