with topic_rules as (

    select * from {{ source('raw', 'topic_rules') }}

)

select
    topic_id,
    phrase,
    role,
    origin
from topic_rules
