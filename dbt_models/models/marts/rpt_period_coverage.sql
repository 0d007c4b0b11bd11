with periods as (

    select * from {{ ref('int_periods__covered') }}

)

select
    population,
    grain,
    period_start_on,
    period_end_on,
    n_total,
    n_days_expected,
    n_days_captured,
    n_days_complete,
    coverage_share,
    day_known_share,
    complete_share,
    text_share,
    is_partial
from periods
