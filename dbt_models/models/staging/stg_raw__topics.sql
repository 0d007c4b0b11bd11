with topics as (

    select * from {{ source('raw', 'topics') }}

)

select
    topic_id,
    name,
    area,
    description,
    parents,
    origin,
    rules_version
from topics
