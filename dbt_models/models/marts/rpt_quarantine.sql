with quarantine as (

    select * from {{ ref('stg_raw__quarantine') }}

),

captures as (

    select * from {{ ref('stg_raw__captures') }}

)

select
    quarantine.capture_id,
    captures.origin,
    captures.source,
    quarantine.place,
    quarantine.reason,
    quarantine.detail,
    quarantine.excerpt
from quarantine
inner join captures on quarantine.capture_id = captures.capture_id
