with scored as (

    select * from {{ ref('int_papers__scored') }}

)

select
    population,
    day_on,
    paper_id,
    listed_on,
    age_days,
    score,
    rank,
    basis,
    n_counted,
    expected,
    n_compared,
    day_level,
    prior,
    ratio,
    upvotes,
    comments,
    github_stars,
    upvotes_per_day,
    comments_per_day,
    github_stars_per_day,
    n_observations,
    first_observed_at,
    last_observed_at,
    observed_days
from scored
