with counted as (

    select * from {{ ref('int_terms__counted') }}

),

terms as (

    select * from {{ ref('dim_terms') }}

),

judged as (

    select * from {{ ref('int_term_trends__judged') }}

)

select
    counted.population,
    counted.grain,
    counted.period_start_on,
    counted.period_end_on,
    counted.term_id,
    terms.term,
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
left join terms on counted.term_id = terms.term_id
{{ join_judged('counted', 'judged', 'term_id') }}
