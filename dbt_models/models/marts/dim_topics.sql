with topics as (

    select * from {{ ref('topics') }}

)

select
    topic_id,
    name,
    area,
    'taxonomy' as kind,
    description
from topics
union all
select
    'no-topic' as topic_id,
    'No topic matched' as name,
    'No topic' as area,
    'none' as kind,
    'Papers in which no phrase of the taxonomy was found often enough.' as description
