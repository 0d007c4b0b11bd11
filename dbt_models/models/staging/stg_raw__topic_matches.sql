with topic_matches as (

    select * from {{ source('raw', 'topic_matches') }}

)

select
    text_hash,
    topic_id,
    phrase,
    matched,
    n as n_matches
from topic_matches
