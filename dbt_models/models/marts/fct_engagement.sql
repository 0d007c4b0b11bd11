{{ recompute_by('paper') }}
with engagement as (

    select * from {{ changed_rows(ref('int_engagement__observed')) }}

)

select
    paper_id,
    observed_at,
    upvotes,
    comments,
    github_stars
from engagement
