with quarantine as (

    select * from {{ source('raw', 'quarantine') }}

)

select
    capture_id,
    place,
    reason,
    detail,
    excerpt
from quarantine
