with quarantine as (

    select * from {{ source('lake', 'quarantine') }}

)

select
    capture_id,
    place,
    reason,
    detail,
    excerpt
from quarantine
