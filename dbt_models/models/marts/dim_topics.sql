with topics as (

    select * from {{ ref('int_topics__unioned') }}

)

select
    topic_id,
    name,
    area,
    kind,
    origin,
    parents,
    description
from topics
