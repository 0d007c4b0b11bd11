with taxonomy as (

    select * from {{ ref('int_topics__counted') }}

),

placed as (

    select * from {{ ref('int_placed_topics__counted') }}

),

judged as (

    select * from {{ ref('int_topic_trends__judged') }}

),

counted as (

    select * from taxonomy
    union all
    select * from placed

)

select
    counted.population,
    counted.grain,
    counted.period_start_on,
    counted.period_end_on,
    counted.topic_id,
    counted.topic_name,
    counted.area,
    counted.kind,
    counted.n_papers,
    counted.n_total,
    cast(counted.n_papers as double) / counted.n_total as share,
    {{ wilson('counted.n_papers', 'counted.n_total', 'low') }} as share_low,
    {{ wilson('counted.n_papers', 'counted.n_total', 'high') }} as share_high,
    counted.n_total >= {{ var('min_sufficient_n') }} as is_sufficient,
    {{ judged_columns('judged') }},
    counted.is_partial,
    counted.coverage_share
from counted
{{ join_judged('counted', 'judged', 'topic_id') }}
