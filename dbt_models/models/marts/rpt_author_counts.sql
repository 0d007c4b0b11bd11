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
    solo.horizon,
    solo.level as solo_level,
    solo.level_low as solo_level_low,
    solo.level_high as solo_level_high,
    solo.growth as solo_growth,
    solo.growth_low as solo_growth_low,
    solo.growth_high as solo_growth_high,
    solo.growth_level as solo_growth_level,
    solo.sign_error as solo_sign_error,
    solo.level_before as solo_level_before,
    solo.began_on as solo_began_on,
    solo.began_from_on as solo_began_from_on,
    solo.began_to_on as solo_began_to_on,
    solo.verdict as solo_verdict,
    solo.verdict_reason as solo_verdict_reason,
    ten_plus.level as ten_plus_level,
    ten_plus.level_low as ten_plus_level_low,
    ten_plus.level_high as ten_plus_level_high,
    ten_plus.growth as ten_plus_growth,
    ten_plus.growth_low as ten_plus_growth_low,
    ten_plus.growth_high as ten_plus_growth_high,
    ten_plus.growth_level as ten_plus_growth_level,
    ten_plus.sign_error as ten_plus_sign_error,
    ten_plus.level_before as ten_plus_level_before,
    ten_plus.began_on as ten_plus_began_on,
    ten_plus.began_from_on as ten_plus_began_from_on,
    ten_plus.began_to_on as ten_plus_began_to_on,
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
