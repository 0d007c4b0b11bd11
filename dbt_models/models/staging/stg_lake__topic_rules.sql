with topic_rules as (

    select * from {{ source('lake', 'topic_rules') }}

)

select
    topic_id,
    phrase,
    role,
    origin
from topic_rules
