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
    case
        when score is not null
            then
                coalesce(upvotes_per_day, 0)
                + coalesce(comments_per_day, 0)
                + coalesce(github_stars_per_day, 0)
    end as velocity,
    upvotes_per_day,
    comments_per_day,
    github_stars_per_day,
    upvotes,
    comments,
    github_stars,
    n_observations,
    first_observed_at,
    last_observed_at,
    observed_days,
    basis
from scored
