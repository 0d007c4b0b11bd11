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
    judged.share_shrunk,
    judged.shrunk_low,
    judged.shrunk_high,
    judged.growth,
    judged.growth_low,
    judged.growth_high,
    judged.growth_basis,
    judged.p_value,
    judged.q_value,
    judged.verdict,
    judged.verdict_reason,
    judged.burst_level,
    judged.first_seen_on,
    judged.is_emerging,
    counted.is_partial,
    counted.coverage_share
from counted
inner join terms on counted.term_id = terms.term_id
inner join judged
    on
        counted.population = judged.population
        and counted.grain = judged.grain
        and counted.period_start_on = judged.period_start_on
        and counted.term_id = judged.term_id
