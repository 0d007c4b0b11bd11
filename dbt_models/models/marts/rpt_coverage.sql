with days as (

    select * from {{ ref('int_days__covered') }}

)

select
    population,
    listed_on,
    is_expected,
    is_captured,
    is_complete,
    n_captures,
    n_papers,
    last_captured_at
from days
