with topic_texts as (

    select * from {{ source('raw', 'topic_texts') }}

)

select text_hash
from topic_texts
