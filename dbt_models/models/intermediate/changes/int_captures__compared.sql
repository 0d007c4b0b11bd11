-- A stamp changes whenever a capture is parsed again, so comparing stamps finds every capture with
-- changed rows. The next build compares with this table.
with captures as (

    select * from {{ ref('stg_raw__captures') }}

),

previous as (

    {{ last_build('captures', {'capture_id': dbt.type_string(), 'stamp': dbt.type_string(), 'listed_on': 'date'}) }}

),

-- Rows without a stamp are captures that had left the lake before the last build.
recorded as (

    select * from previous
    where stamp is not null

)

select
    coalesce(captures.capture_id, recorded.capture_id) as capture_id,
    captures.stamp,
    captures.listed_on,
    recorded.listed_on as previous_listed_on,
    coalesce(captures.stamp, '') <> coalesce(recorded.stamp, '') as is_changed
from captures
full outer join recorded on captures.capture_id = recorded.capture_id
