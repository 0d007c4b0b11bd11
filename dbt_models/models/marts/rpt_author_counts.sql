with summed as (

    select * from {{ ref('int_author_counts__summed') }}

),

series as (

    select * from {{ ref('int_series__judged') }}

),

solo as (

    select * from series
    where series_kind = 'solo'

),

ten_plus as (

    select * from series
    where series_kind = 'ten_plus'

)

select
    summed.population,
    summed.grain,
    summed.period_start_on,
    summed.period_end_on,
    summed.topic_id,
    summed.n_papers,
    summed.mean_authors,
    summed.mean_low,
    summed.mean_high,
    summed.median_authors,
    summed.median_low,
    summed.median_high,
    summed.p90_authors,
    summed.p90_low,
    summed.p90_high,
    summed.max_authors,
    summed.n_solo,
    summed.solo_share,
    summed.solo_share_low,
    summed.solo_share_high,
    summed.n_ten_plus,
    summed.ten_plus_share,
    summed.ten_plus_share_low,
    summed.ten_plus_share_high,
    summed.is_sufficient,
    summed.is_partial,
    solo.n_total_current as n_papers_current,
    solo.n_papers_current as n_solo_current,
    ten_plus.n_papers_current as n_ten_plus_current,
    solo.n_total_before as n_papers_before,
    solo.n_papers_before as n_solo_before,
    ten_plus.n_papers_before as n_ten_plus_before,
    solo.growth as solo_growth,
    solo.growth_low as solo_growth_low,
    solo.growth_high as solo_growth_high,
    solo.growth_level as solo_growth_level,
    solo.p_value as solo_p_value,
    solo.q_value as solo_q_value,
    solo.verdict as solo_verdict,
    solo.verdict_reason as solo_verdict_reason,
    ten_plus.growth as ten_plus_growth,
    ten_plus.growth_low as ten_plus_growth_low,
    ten_plus.growth_high as ten_plus_growth_high,
    ten_plus.growth_level as ten_plus_growth_level,
    ten_plus.p_value as ten_plus_p_value,
    ten_plus.q_value as ten_plus_q_value,
    ten_plus.verdict as ten_plus_verdict,
    ten_plus.verdict_reason as ten_plus_verdict_reason
from summed
left join solo
    on
        summed.population = solo.population
        and summed.grain = solo.grain
        and summed.period_start_on = solo.period_start_on
        and summed.topic_id = solo.series_id
left join ten_plus
    on
        summed.population = ten_plus.population
        and summed.grain = ten_plus.grain
        and summed.period_start_on = ten_plus.period_start_on
        and summed.topic_id = ten_plus.series_id
