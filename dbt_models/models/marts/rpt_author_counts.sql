with summed as (

    select * from {{ ref('int_author_counts__summed') }}

),

judged as (

    select * from {{ ref('int_team_trends__judged') }}

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
    judged.n_papers_current,
    judged.n_solo_current,
    judged.n_ten_plus_current,
    judged.n_papers_before,
    judged.n_solo_before,
    judged.n_ten_plus_before,
    judged.solo_growth,
    judged.solo_growth_low,
    judged.solo_growth_high,
    judged.solo_growth_level,
    judged.solo_p_value,
    judged.solo_q_value,
    judged.solo_verdict,
    judged.solo_verdict_reason,
    judged.ten_plus_growth,
    judged.ten_plus_growth_low,
    judged.ten_plus_growth_high,
    judged.ten_plus_growth_level,
    judged.ten_plus_p_value,
    judged.ten_plus_q_value,
    judged.ten_plus_verdict,
    judged.ten_plus_verdict_reason
from summed
{{ join_judged('summed', 'judged', 'topic_id') }}
